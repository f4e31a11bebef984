import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import {
  clientSecretBasic,
  clientSecretPost,
  mutualTls,
  privateKeyJwt,
  type ClientAuthentication,
} from '../identity/introspection/client-authentication.ts'
import { KeyProblem, parseSigningKey } from '../identity/introspection/signing-key.ts'
import type { Algorithm } from '../identity/jws/algorithms.ts'
import { readPem, requireKnownKeys } from './option-values.ts'

/** How this service authenticates at an authorization server. The first two leave no secret there that could be stolen. */
export type ClientAuthenticationOptions =
  | {
      /** A signed assertion, made anew for every request (RFC 7523, RFC 10070). */
      readonly method: 'private_key_jwt'
      /** The private key: PEM text (PKCS#8), the path of a PEM file, or a private JWK. */
      readonly key: string | object
      /** Default: the JWK's `alg`, or the only one that the key is good for. An RSA or Ed25519 key in PEM needs it. */
      readonly algorithm?: Algorithm
      /** The `kid` under which the server knows the public key. Default: the JWK's. */
      readonly keyId?: string
    }
  | {
      /** A certificate on the connection (RFC 8705 §2). */
      readonly method: 'mtls'
      /** PEM of the certificate and those between it and its root, or the path of its file. */
      readonly cert: string
      /** PEM of its private key, or the path of its file. */
      readonly key: string
    }
  | {
      /** A shared secret, in the Authorization header or in the form (RFC 6749 §2.3.1). */
      readonly method: 'client_secret_basic' | 'client_secret_post'
      readonly secret: string
    }

interface ClientContext {
  readonly clientId: string
  readonly issuer: string
  readonly clock: Clock
  readonly newId: () => string
}

/** Parses `authentication`. Throws a ConfigurationError that says what to write instead, and repeats no secret. */
export function parseClientAuthentication(
  options: ClientAuthenticationOptions,
  option: string,
  context: ClientContext,
): ClientAuthentication {
  requireKnownKeys(options, option, ['method', ...[...members.values()].flat()])
  requireKnownKeys(options, option, ['method', ...(members.get(options.method) ?? Object.keys(options))])
  switch (options.method) {
    case 'private_key_jwt':
      return parsePrivateKeyJwt(options, option, context)
    case 'mtls':
      return parseMutualTls(options, option, context.clientId)
    case 'client_secret_basic':
      return clientSecretBasic(context.clientId, requireSecret(options.secret, `${option}.secret`))
    case 'client_secret_post':
      return clientSecretPost(context.clientId, requireSecret(options.secret, `${option}.secret`))
    default:
      throw new ConfigurationError(
        `${option}.method`,
        `write ${[...members.keys()].map((method) => `'${method}'`).join(' or ')}`,
      )
  }
}

const members: ReadonlyMap<string, readonly string[]> = new Map<ClientAuthentication['method'], string[]>([
  ['private_key_jwt', ['key', 'algorithm', 'keyId']],
  ['mtls', ['cert', 'key']],
  ['client_secret_basic', ['secret']],
  ['client_secret_post', ['secret']],
])

function parsePrivateKeyJwt(
  { key, algorithm, keyId }: Extract<ClientAuthenticationOptions, { method: 'private_key_jwt' }>,
  option: string,
  context: ClientContext,
): ClientAuthentication {
  const source: unknown = typeof key === 'object' ? key : readPem(key, `${option}.key`)
  const parsed = parseSigningKey(source, algorithm, keyId)
  if (parsed instanceof KeyProblem) {
    throw new ConfigurationError(`${option}.${parsed.option}`, parsed.problem)
  }
  return privateKeyJwt({ ...context, ...parsed })
}

function parseMutualTls(
  options: Extract<ClientAuthenticationOptions, { method: 'mtls' }>,
  option: string,
  clientId: string,
): ClientAuthentication {
  const cert = readPem(options.cert, `${option}.cert`)
  const key = readPem(options.key, `${option}.key`)
  const belongsTo = read(() => new X509Certificate(cert), `${option}.cert`, 'an X.509 certificate in PEM')
  const privateKey = read(() => createPrivateKey(key), `${option}.key`, 'a private key in PEM, not encrypted')
  if (!belongsTo.checkPrivateKey(privateKey)) {
    throw new ConfigurationError(`${option}.key`, 'it is not the key of the certificate in `cert`')
  }
  return mutualTls(clientId, cert, key)
}

function read<T>(parse: () => T, option: string, expected: string): T {
  try {
    return parse()
  } catch {
    throw new ConfigurationError(option, `expected ${expected}`) // the reason could repeat a part of the key
  }
}

function requireSecret(secret: unknown, option: string): string {
  if (typeof secret !== 'string' || secret === '') {
    throw new ConfigurationError(option, `expected the client secret, got ${describeValue(secret)}`)
  }
  // What was read from a file ends in a line break, and then no server knows it.
  if (secret.trim() !== secret) {
    throw new ConfigurationError(option, 'it begins or ends with white space: write it without, by `.trim()`')
  }
  return secret
}
