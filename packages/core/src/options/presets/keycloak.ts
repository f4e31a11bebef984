import { ConfigurationError } from '../../configuration-error.ts'
import type { ClaimName, IssuerOptions } from '../issuer-options.ts'
import { requireKnownKeys } from '../option-values.ts'
import { requireUrl } from './require-url.ts'

export interface KeycloakOptions {
  /** Roles that count as scopes, beside `scope`: those of the realm, or those of one client. Default: none. */
  readonly roles?: 'realm' | { readonly client: string }
}

/**
 * A realm of Keycloak: `keycloak('https://kc.internal/realms/shop')`.
 *
 * Assumes what Keycloak 24 to 26 write. The claim `typ` of an access token is `Bearer`, or `DPoP` where it is bound to a
 * key; that of its ID, refresh, offline and logout tokens is not. The header `typ` may be `JWT` or, where the client is set
 * so, `at+jwt`. A service account's token names its client three times: `azp`, `client_id` (`clientId` until Keycloak 21.0)
 * and, behind `service-account-`, `preferred_username`. All three must agree, since a user could register under such a name.
 */
export function keycloak(realmUrl: string, options: KeycloakOptions = {}): IssuerOptions {
  requireKnownKeys(options, 'keycloak', ['roles'])
  const issuer = requireUrl(realmUrl, 'keycloak', example)
  if (!/\/realms\/[^/]+$/.test(issuer)) {
    throw new ConfigurationError('keycloak', `expected the URL of a realm, such as '${example}'`)
  }
  return {
    issuer,
    profile: 'oauth',
    isAccessToken: ({ typ, cnf }) => typ === 'Bearer' || (typ === 'DPoP' && cnf !== undefined),
    represents: isServiceAccount,
    scopeClaims: ['scope', ...roleClaims(options.roles)],
  }
}

function isServiceAccount(claims: Readonly<Record<string, unknown>>): 'workload' | 'user' {
  const { azp, preferred_username: username } = claims
  const client = claims['client_id'] ?? claims['clientId']
  if (typeof azp !== 'string' || client !== azp) return 'user'
  // Keycloak keeps user names in lower case, also where the client's id is not.
  return username === `service-account-${azp.toLowerCase()}` ? 'workload' : 'user'
}

function roleClaims(roles: unknown): readonly ClaimName[] {
  if (roles === undefined) return []
  if (roles === 'realm') return [['realm_access', 'roles']]
  if (typeof roles === 'object' && roles !== null && 'client' in roles) {
    const { client } = roles
    if (typeof client === 'string' && client !== '') return [['resource_access', client, 'roles']]
  }
  throw new ConfigurationError(
    'keycloak.roles',
    "write 'realm', or the client that has them: { client: 'orders' }",
  )
}

const example = 'https://kc.internal/realms/shop'
