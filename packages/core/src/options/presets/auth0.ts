import { ConfigurationError } from '../../configuration-error.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { requireKnownKeys } from '../option-values.ts'

export interface Auth0Options {
  /** True if `permissions`, which RBAC adds to access tokens, count as scopes beside `scope`. Default: false. */
  readonly permissions?: boolean
}

/**
 * A tenant of Auth0, by its domain or its custom domain: `auth0('shop.eu.auth0.com')`. The issuer ends with a slash.
 *
 * Assumes what Auth0 documents of both its token profiles: access tokens name their client, in `azp` or (RFC 9068) in
 * `client_id`, which ID tokens do not. The subject of a machine's token is that client with `@clients` behind it; no user's
 * is, since users have their connection in front, as in `auth0|1234`.
 */
export function auth0(domain: string, options: Auth0Options = {}): IssuerOptions {
  requireKnownKeys(options, 'auth0', ['permissions'])
  const { permissions = false } = options
  if (typeof domain !== 'string' || !/^(?:[a-z0-9-]+\.)+[a-z0-9-]+$/.test(domain)) {
    throw new ConfigurationError(
      'auth0',
      "write the domain alone, in lower case, such as 'shop.eu.auth0.com'",
    )
  }
  if (typeof permissions !== 'boolean') {
    throw new ConfigurationError('auth0.permissions', 'write true, if `permissions` count as scopes')
  }
  return {
    issuer: `https://${domain}/`,
    profile: 'oauth',
    isAccessToken: (claims) => clientOf(claims) !== undefined,
    represents: isMachine,
    scopeClaims: permissions ? ['scope', 'permissions'] : ['scope'],
  }
}

function isMachine(claims: Readonly<Record<string, unknown>>): 'workload' | 'user' {
  const { sub, gty } = claims
  const isOwnGrant = gty === undefined || gty === 'client-credentials'
  const client = clientOf(claims)
  return client !== undefined && isOwnGrant && sub === `${client}@clients` ? 'workload' : 'user'
}

function clientOf({ azp, client_id: clientId }: Readonly<Record<string, unknown>>): string | undefined {
  const client = clientId ?? azp
  return typeof client === 'string' ? client : undefined
}
