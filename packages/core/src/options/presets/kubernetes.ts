import { ConfigurationError, describeValue } from '../../configuration-error.ts'
import type { IssuerOptions, TokenReviewOptions } from '../issuer-options.ts'
import { requireKnownKeys, requireSetLimits } from '../option-values.ts'
import { clusterOf, type Cluster } from './kubernetes-cluster.ts'

type Names = readonly [string, ...string[]]

export interface KubernetesOptions {
  /** The `iss` of the cluster's tokens, for a service outside of it. Default: the cluster that this service runs in. */
  readonly issuer?: string
  /** Where the cluster's keys are, if its issuer does not show them to the outside. Needs `issuer`. */
  readonly jwksUri?: string
  /** PEM of the authorities behind the issuer's HTTPS certificate: text, or the path of a file. Needs `issuer`. */
  readonly ca?: string
  /** Only service accounts of these namespaces. Default: of all. */
  readonly namespaces?: Names
  /** Only these service accounts, each with its namespace: `shop/checkout`. Default: all. */
  readonly serviceAccounts?: Names
  /**
   * True if the cluster's API server shall be asked about each token, so that one ends with the pod that it was given to. A
   * service outside of the cluster says where that is. Default: false.
   */
  readonly review?: boolean | TokenReviewOptions
  /** Where the API server is, seen from inside. Default: as Kubernetes tells each pod in its environment. */
  readonly apiServer?: string
  /** Where this pod's own service account is mounted. Default: `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly directory?: string
}

/**
 * Projected service account tokens of a Kubernetes cluster: `kubernetes()` inside of it, `kubernetes({ issuer })` outside.
 *
 * Inside, the issuer is the one that this pod's own token names, and its keys come from the API server, with the authority
 * and the token that every pod has mounted. Any pod can be given a token for any audience, so every service account of the
 * cluster is a caller that can prove who it is, and nothing more: the tokens carry no scopes.
 */
export function kubernetes(options: KubernetesOptions = {}): IssuerOptions {
  requireKnownKeys(options, 'kubernetes', names)
  requireSetLimits(options, 'kubernetes', ['namespaces', 'serviceAccounts'])
  const { namespaces, serviceAccounts } = options
  const cluster = options.issuer === undefined ? insideOf(options) : undefined
  return {
    ...(cluster === undefined ? outside(options) : keysOf(cluster)),
    profile: 'kubernetes',
    // All that the API server signs with.
    algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
    represents: 'workload',
    ...(namespaces === undefined
      ? {}
      : {
          requiredClaims: [
            {
              claim: ['kubernetes.io', 'namespace'],
              value: requireNames(namespaces, 'namespaces', "['shop']"),
            },
          ],
        }),
    ...(serviceAccounts === undefined ? {} : { subjects: subjectsOf(serviceAccounts) }),
    ...reviewOf(options.review, cluster),
  }
}

function insideOf({ jwksUri, ca, directory, apiServer }: KubernetesOptions): Cluster {
  if (jwksUri !== undefined || ca !== undefined) {
    throw new ConfigurationError(
      'kubernetes.issuer',
      'inside of a cluster, keys come from its API server: leave `jwksUri` and `ca` out, or write the `issuer` they belong to',
    )
  }
  return clusterOf(directory, apiServer)
}

const keysOf = ({ issuer, apiServer, ca, bearerFile }: Cluster) => ({
  issuer,
  jwksUri: `${apiServer}/openid/v1/jwks`,
  ca,
  bearerFile,
})

function outside({ issuer, jwksUri, ca, directory, apiServer }: KubernetesOptions) {
  if (typeof issuer !== 'string' || directory !== undefined || apiServer !== undefined) {
    throw new ConfigurationError(
      'kubernetes.issuer',
      'it is for services outside of the cluster: `directory` and `apiServer` do not go with it',
    )
  }
  return { issuer, ...(jwksUri === undefined ? {} : { jwksUri }), ...(ca === undefined ? {} : { ca }) }
}

function subjectsOf(serviceAccounts: Names): Names {
  const [first, ...others] = requireNames(serviceAccounts, 'serviceAccounts', "['shop/checkout']", '/')
  return [subjectOf(first), ...others.map(subjectOf)]
}

const subjectOf = (name: string): string => `system:serviceaccount:${name.replace('/', ':')}`

function requireNames(given: Names, option: string, example: string, separator?: '/'): Names {
  // A namespace is a DNS label, a service account's name a DNS subdomain.
  const pattern = separator === undefined ? /^[a-z0-9-]{1,63}$/ : /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/
  const isName = (name: unknown): boolean => typeof name === 'string' && pattern.test(name)
  if (Array.isArray(given) && given.length > 0 && [...given].every(isName)) return given
  throw new ConfigurationError(
    `kubernetes.${option}`,
    `expected a list such as ${example}, got ${describeValue(given)}`,
  )
}

function reviewOf(
  review: KubernetesOptions['review'],
  cluster: Cluster | undefined,
): Pick<IssuerOptions, 'tokenReview'> {
  if (review === undefined || review === false) return {}
  if (typeof review === 'object') return { tokenReview: review }
  if (cluster !== undefined) {
    const { apiServer, ca, bearerFile } = cluster
    return { tokenReview: { apiServer, ca, bearerFile } }
  }
  throw new ConfigurationError(
    'kubernetes.review',
    "outside of the cluster, write where it is: { apiServer: 'https://…', ca: './ca.crt', bearerFile: './token' }",
  )
}

const names = [
  'issuer',
  'jwksUri',
  'ca',
  'namespaces',
  'serviceAccounts',
  'review',
  'apiServer',
  'directory',
] as const
