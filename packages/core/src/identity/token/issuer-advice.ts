import { comparedExactly } from '../trust/trusted-issuers.ts'
import { entraTenant, realmOf } from './vendors.ts'

/**
 * Why a token's issuer is none of the configured ones, though nearly so. What the token says is only compared. Any stranger
 * can have this asked, however many issuers there are: what takes time is done for those alone that are nearly the same.
 */
export function issuerAdvice(issuers: readonly string[], iss: unknown): string | undefined {
  if (typeof iss !== 'string') return undefined
  if (iss === 'kubernetes/serviceaccount') {
    return 'it is a legacy service account token, which never expires: have the caller use a projected one with an audience'
  }
  if (iss.length > maxLength) return comparedExactly
  const tenant = entraTenant(iss)
  const realm = realmOf(iss)
  for (const issuer of issuers) {
    const advice =
      slashMiss(issuer, iss) ??
      versionMiss(issuer, tenant) ??
      spellingMiss(issuer, iss) ??
      hostMiss(issuer, realm)
    if (advice !== undefined) return advice
  }
  return comparedExactly
}

// No URL that anybody wrote is longer.
const maxLength = 512

function slashMiss(issuer: string, iss: string): string | undefined {
  if (Math.abs(issuer.length - iss.length) !== 1) return undefined
  if (`${issuer}/` === iss) return `this issuer ends with a slash: write \`issuer: '${issuer}/'\``
  return issuer === `${iss}/`
    ? `this issuer ends without a slash: write \`issuer: '${issuer.slice(0, -1)}'\``
    : undefined
}

// The registration of the API decides the version, whichever endpoint the caller used.
function versionMiss(issuer: string, actual: ReturnType<typeof entraTenant>): string | undefined {
  if (actual === undefined || !issuer.includes(actual.id)) return undefined
  const expected = entraTenant(issuer)
  if (expected === undefined || expected.version === actual.version) return undefined
  const number = expected.version === '2.0' ? '2' : '1'
  return (
    `the token is of version ${actual.version}: set \`requestedAccessTokenVersion\` to ${number} in the API's registration, ` +
    `or write \`entraId({ tenant: '${expected.id}', version: '${actual.version}' })\``
  )
}

function spellingMiss(issuer: string, iss: string): string | undefined {
  const longer = issuer.length - iss.length
  if (longer === 0 && issuer.toLowerCase() === iss.toLowerCase()) {
    return 'they differ in capital letters only: write it as the issuer does'
  }
  return Math.abs(longer) === 1 && withoutScheme(issuer) === withoutScheme(iss)
    ? `they differ in \`https\` only: tell the issuer that it is reached as \`${issuer}\``
    : undefined
}

const withoutScheme = (url: string): string => url.replace(/^https?:/, '')

// An issuer behind a proxy that was not told its public name calls itself by the address it was reached at.
const hostMiss = (issuer: string, realm: string | undefined): string | undefined =>
  realm !== undefined && issuer.endsWith(realm) && realmOf(issuer) === realm
    ? 'the realm is the same under another host name: write `issuer` as in the token, and in `discoveryUrl` where this ' +
      'service reaches it; or set `hostname` in Keycloak'
    : undefined
