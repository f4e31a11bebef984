import { ConfigurationError, describeValue } from '../../configuration-error.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { requireKnownKeys } from '../option-values.ts'
import { requireUrl } from './require-url.ts'

export interface EntraIdOptions {
  /** The tenant's id, a GUID in lower case: what stands in `tid`. */
  readonly tenant: string
  /** Which tokens the API accepts: its registration says so (`requestedAccessTokenVersion`), not the caller. Default: `2.0`. */
  readonly version?: '1.0' | '2.0'
  /** Where the cloud signs in, if it is a national one. Default: `https://login.microsoftonline.com`. */
  readonly authority?: string
}

/**
 * One tenant of Microsoft Entra ID: `entraId({ tenant: '…' })`. Its managed identities are workloads like other apps.
 *
 * Assumes what Microsoft documents. Access tokens say how their client authenticated (`azpacr`, in v1.0 `appidacr`), which
 * ID tokens do not. Users' tokens have `scp`, and only that gives them scopes: their `roles` are the user's, which the
 * calling app was not granted. Tokens of an app alone have no `scp`, take scopes from `roles`, and are told by `idtyp` or,
 * where the API does not ask for that claim, by `oid` and `sub` being the same.
 */
export function entraId(options: EntraIdOptions): IssuerOptions {
  requireKnownKeys(options, 'entraId', ['tenant', 'version', 'authority'])
  const { version = '2.0', authority = globalAuthority } = options
  const tenant = requireTenant(options.tenant)
  requireUrl(authority, 'entraId.authority', globalAuthority)
  if (version !== '1.0' && version !== '2.0') {
    throw new ConfigurationError('entraId.version', "write '2.0', or '1.0' as the API's registration says")
  }
  const [client, authentication] = version === '2.0' ? ['azp', 'azpacr'] : ['appid', 'appidacr']
  return {
    ...(version === '2.0'
      ? { issuer: `${authority}/${tenant}/v2.0` }
      : {
          issuer: `${tokenServiceOf(authority)}/${tenant}/`,
          discoveryUrl: `${authority}/${tenant}/.well-known/openid-configuration`,
        }),
    profile: 'oauth',
    // The keys are those of all tenants.
    requiredClaims: [
      { claim: 'tid', value: tenant },
      { claim: 'ver', value: version },
    ],
    isAccessToken: (claims) =>
      typeof claims[client] === 'string' && typeof claims[authentication] === 'string',
    represents: isAppAlone,
    scopeClaims: { user: ['scp'], workload: ['roles'] },
    // Managed identities are given tokens for a day, which start five minutes early.
    maxLifetimeSeconds: 25 * 60 * 60,
  }
}

function isAppAlone({ scp, idtyp, oid, sub }: Readonly<Record<string, unknown>>): 'workload' | 'user' {
  const isApp = idtyp === undefined ? oid === sub : idtyp === 'app'
  return scp === undefined && isApp ? 'workload' : 'user'
}

function requireTenant(tenant: unknown): string {
  if (typeof tenant === 'string' && guid.test(tenant)) return tenant
  if (tenant === 'common' || tenant === 'organizations' || tenant === 'consumers') {
    throw new ConfigurationError(
      'entraId.tenant',
      `\`${tenant}\` lets every organisation of the world issue tokens, and no token has it in \`iss\`: write ` +
        'entraId({ tenant }) once for each tenant whose callers you know, by its id',
    )
  }
  throw new ConfigurationError(
    'entraId.tenant',
    `expected the tenant's id, a GUID in lower case and no domain name, since that stands in \`iss\`, got ${describeValue(tenant)}`,
  )
}

// v1.0 tokens are issued by the token service of the cloud, under a name of its own.
const tokenServiceOf = (authority: string): string =>
  /^https:\/\/login\.(?:partner\.microsoftonline|chinacloudapi)\.cn$/.test(authority)
    ? 'https://sts.chinacloudapi.cn'
    : 'https://sts.windows.net'

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const globalAuthority = 'https://login.microsoftonline.com'
