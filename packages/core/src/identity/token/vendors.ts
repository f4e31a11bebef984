import { Recurring } from '../../cache/recurring.ts'

/** Whose issuer it is, as far as its URL tells: advice knows the habits of these. */
export type Vendor = 'entraId' | 'keycloak' | 'auth0' | 'okta' | 'google' | 'githubActions' | 'kubernetes'

export const vendorNames: Readonly<Record<Vendor, string>> = {
  entraId: 'Entra ID',
  keycloak: 'Keycloak',
  auth0: 'Auth0',
  okta: 'Okta',
  google: 'Google',
  githubActions: 'GitHub Actions',
  kubernetes: 'Kubernetes',
}

/** `issuer`: a configured one. */
export const vendorOf = (issuer: string): Vendor | undefined => vendors.of(issuer, findVendor)

// For each refusal of a token, the URL of its issuer would be parsed anew.
const vendors = new Recurring<Vendor | undefined>()

function findVendor(issuer: string): Vendor | undefined {
  if (!URL.canParse(issuer)) return undefined
  const { hostname, pathname } = new URL(issuer)
  if (entraTenant(issuer) !== undefined) return 'entraId'
  if (realmPath.test(pathname)) return 'keycloak'
  if (hostname.endsWith('.auth0.com')) return 'auth0'
  if (/\.(?:okta|oktapreview|okta-emea)\.com$/.test(hostname)) return 'okta'
  if (hostname === 'accounts.google.com') return 'google'
  if (hostname === 'token.actions.githubusercontent.com') return 'githubActions'
  return isClusterHost(hostname) ? 'kubernetes' : undefined
}

/** The preset for an issuer of this configuration, as one writes it. */
export const presetFor = (vendor: Vendor, issuer: string): string => presets[vendor](issuer)

const presets: Readonly<Record<Vendor, (issuer: string) => string>> = {
  entraId(issuer) {
    const { id, version } = entraTenant(issuer) ?? {}
    return version === '2.0' ? `entraId({ tenant: '${id}' })` : `entraId({ tenant: '${id}', version: '1.0' })`
  },
  keycloak: (issuer) => `keycloak('${issuer.replace(/\/$/, '')}')`,
  auth0: (issuer) => `auth0('${new URL(issuer).hostname}')`,
  okta: (issuer) =>
    new URL(issuer).pathname.startsWith('/oauth2/')
      ? `okta('${issuer}')`
      : `okta('${new URL(issuer).origin}/oauth2/<id>')`,
  google: () => 'google({ subjects: […] })',
  githubActions: () => 'githubActions({ repositoryIds: […] })',
  kubernetes: (issuer) => `kubernetes({ issuer: '${issuer}' })`,
}

/** The tenant and the version of an issuer of Microsoft Entra ID. */
export function entraTenant(
  issuer: string,
): { readonly id: string; readonly version: '1.0' | '2.0' } | undefined {
  const [, host = '', id, rest] = /^https:\/\/([a-z.]+)\/([0-9a-f-]{36})(\/v2\.0)?\/?$/.exec(issuer) ?? []
  if (id === undefined || !entraHosts.has(host)) return undefined
  return { id, version: rest === undefined ? '1.0' : '2.0' }
}

/** The path of a realm of Keycloak; undefined for other issuers. */
export function realmOf(issuer: string): string | undefined {
  // Anybody's text: most of it has no realm, and need not be parsed.
  if (!issuer.includes('/realms/')) return undefined
  const { pathname = '' } = URL.canParse(issuer) ? new URL(issuer) : {}
  return realmPath.test(pathname) ? pathname : undefined
}

const realmPath = /\/realms\/[^/]+\/?$/

const entraHosts = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'sts.windows.net',
  'sts.chinacloudapi.cn',
])

// As kubeadm names it, and the clusters of AWS, Google and Azure.
const isClusterHost = (hostname: string): boolean =>
  /^(?:kubernetes\.default(?:\..+)?|oidc\.eks\..+|container\.googleapis\.com|.+\.oic\.prod-aks\.azure\.com)$/.test(
    hostname,
  )
