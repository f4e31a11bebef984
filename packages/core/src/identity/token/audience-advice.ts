import { vendorOf, type Vendor } from './vendors.ts'

/** Why a token is for somebody else, where its issuer's habits tell. What the token says is only compared. */
export function audienceAdvice(
  issuer: string | undefined,
  audiences: readonly string[],
  aud: unknown,
): string | undefined {
  const actual = (Array.isArray(aud) ? aud : [aud]).filter((item) => typeof item === 'string')
  const [own = ''] = audiences
  const isSlashAway = (audience: string): boolean =>
    actual.some((item) => item === `${audience}/` || `${item}/` === audience)
  if (audiences.some(isSlashAway)) {
    return 'they differ in a final slash only: write `audience` as the issuer does'
  }
  if (actual.some((item) => platformAudiences.includes(item))) {
    return 'the token is meant for its cloud platform: have the caller get one of its own for this service'
  }
  const vendor = issuer === undefined ? undefined : vendorOf(issuer)
  return vendor === undefined ? undefined : habits[vendor](actual, own)
}

/** What the tokens of a vendor are usually for, if not for this service, and what to do about it. */
const habits: Readonly<Record<Vendor, (actual: readonly string[], own: string) => string | undefined>> = {
  keycloak: (actual, own) =>
    actual.every((item) => ['account', 'realm-management', 'broker'].includes(item))
      ? `Keycloak adds no audience by itself: give the caller's client a mapper \`Audience\` with the custom audience \`${own}\``
      : undefined,
  entraId(actual, own) {
    if (actual.some((item) => graph.includes(item))) {
      return 'the token is for Microsoft Graph: have the caller ask for a scope of this API, such as `api://<its client id>/.default`'
    }
    return actual.some(isGuid) && !isGuid(own)
      ? "tokens of version 2.0 have the API's client id in `aud`, not its URI: write that id in `audience`"
      : undefined
  },
  auth0: (actual, own) =>
    actual.some((item) => /^https:\/\/[^/]+\/(?:userinfo|api\/v2\/)$/.test(item))
      ? `have the caller ask with \`audience=${own}\`, the identifier of this API in Auth0`
      : undefined,
  okta: (actual, own) =>
    actual.includes('api://default')
      ? `\`api://default\` is what Okta sets up: give the authorization server the audience \`${own}\``
      : undefined,
  google: (actual, own) =>
    actual.some((item) => item.endsWith('.apps.googleusercontent.com'))
      ? 'it is the ID token of a person who signed in to an application'
      : `have the caller ask the metadata server with \`audience=${own}\``,
  githubActions: (actual, own) =>
    actual.some((item) => item.startsWith('https://github.com/'))
      ? `a job gets its owner's URL for an audience unless it asks: write \`core.getIDToken('${own}')\` in the workflow`
      : undefined,
  kubernetes: (_, own) =>
    `the token is for the API server or another service: have the caller project one with \`audience: ${own}\``,
}

const isGuid = (audience: string): boolean => /^[0-9a-f-]{36}$/.test(audience)

const graph = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000']

/** Whoever accepts one of these can be called by whoever has a token for the platform. */
const platformAudiences = [
  'sts.amazonaws.com',
  'pods.eks.amazonaws.com',
  'api://AzureADTokenExchange',
  'https://management.azure.com/',
  'https://management.core.windows.net/',
]
