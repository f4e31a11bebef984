import { readFileSync } from 'node:fs'
import { ConfigurationError } from '../../configuration-error.ts'
import { parseJsonObject } from '../../identity/jws/json-object.ts'
import { requireUrl } from './require-url.ts'

/** The cluster that this service runs in, as Kubernetes shows it to each of its pods. */
export interface Cluster {
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly apiServer: string
  /** Path of the PEM of the authority behind the API server's certificate. */
  readonly ca: string
  /** Path of this pod's own token, which is rewritten before it expires. */
  readonly bearerFile: string
}

/** Reads what is mounted. Throws a ConfigurationError that says what to write where there is nothing. */
export function clusterOf(directory = mount, apiServer = apiServerOf(process.env)): Cluster {
  const bearerFile = `${directory}/token`
  return {
    issuer: issuerOf(bearerFile),
    apiServer: requireUrl(apiServer, 'kubernetes.apiServer', 'https://10.96.0.1:443'),
    ca: `${directory}/ca.crt`,
    bearerFile,
  }
}

function apiServerOf(environment: Readonly<Record<string, string | undefined>>): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined || host === '') throw outside('`KUBERNETES_SERVICE_HOST` is not set')
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function issuerOf(bearerFile: string): string {
  let token: string
  try {
    token = readFileSync(bearerFile, 'utf8')
  } catch {
    throw outside(`\`${bearerFile}\` cannot be read`)
  }
  const issuer = decodeUnverifiedIssuer(token)
  if (issuer?.startsWith('https://') === true) return issuer
  throw new ConfigurationError(
    'kubernetes.issuer',
    `the token in \`${bearerFile}\` does not name an https issuer: mount a projected token there, or write the \`issuer\` ` +
      'of the tokens that callers present',
  )
}

// Nobody is known by this token: it is this pod's own, and whoever could write that file could write the program.
function decodeUnverifiedIssuer(token: string): string | undefined {
  const [, payload = ''] = token.split('.')
  const iss = parseJsonObject(Buffer.from(payload, 'base64url'))?.['iss']
  return typeof iss === 'string' ? iss : undefined
}

const outside = (problem: string): ConfigurationError =>
  new ConfigurationError(
    'kubernetes',
    `this does not run in a cluster with its service account mounted, since ${problem}: inside, set ` +
      '`automountServiceAccountToken`; outside, write kubernetes({ issuer }) with the `iss` of the tokens',
  )

const mount = '/var/run/secrets/kubernetes.io/serviceaccount'
