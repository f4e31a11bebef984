import type { RefusalCode } from '../../refusal.ts'
import type { ProfileName } from './profile.ts'
import { audienceAdvice } from './audience-advice.ts'
import { issuerAdvice } from './issuer-advice.ts'
import { presetFor, vendorNames, vendorOf } from './vendors.ts'

/**
 * What is known of a refused token. The first three are the operator's own words and may be repeated; the others are a
 * peer's, perhaps unverified: they are compared and never repeated.
 */
export interface RefusedToken {
  /** The configured issuer whose token it is, or, where none was found, undefined. */
  readonly issuer?: string | undefined
  readonly profile?: ProfileName | undefined
  /** Every issuer that is configured. */
  readonly issuers?: readonly string[] | undefined
  /** What `aud` may be. */
  readonly audiences?: ReadonlySet<string> | undefined
  /** `typ` of the header. */
  readonly typ?: unknown
  readonly iss?: unknown
  readonly aud?: unknown
}

/**
 * What to write or change, where the usual cause of a refusal is known. For the operator alone: it says more than a caller may
 * learn. Pure, and bounded by the sizes that a token was already held to.
 */
export const adviceFor = (code: RefusalCode, token: RefusedToken): string | undefined =>
  advisers[code]?.(token)

const advisers: Readonly<Partial<Record<RefusalCode, (token: RefusedToken) => string | undefined>>> = {
  token_type_mismatch: typeAdvice,
  claim_missing: (token) => (token.profile === 'at+jwt' ? presetAdvice(token) : undefined),
  issuer_unknown: ({ issuers = [], iss }) => issuerAdvice(issuers, iss),
  audience_mismatch: ({ issuer, audiences = [], aud }) => audienceAdvice(issuer, [...audiences], aud),
  token_lifetime_excessive: ({ profile }) =>
    profile === 'kubernetes'
      ? 'the token that is mounted by default lives for a year: project one with `expirationSeconds`'
      : undefined,
  key_unknown: ({ issuer }) =>
    issuer !== undefined && vendorOf(issuer) === 'entraId'
      ? 'an API with claims mapping is signed for with keys of its own: write `discoveryUrl` with `?appid=<its client id>`'
      : undefined,
}

function typeAdvice(token: RefusedToken): string | undefined {
  const type =
    typeof token.typ === 'string' ? token.typ.toLowerCase().replace(/^application\//, '') : undefined
  const other = type === undefined ? undefined : otherTokens.get(type)
  if (other !== undefined) return other
  if (token.profile !== 'at+jwt' || (type !== undefined && type !== 'jwt')) return undefined
  return (
    presetAdvice(token) ??
    "make sure that the caller sends its access token and no ID token; if the issuer leaves those unmarked, write `profile: 'oauth'`"
  )
}

const otherTokens: ReadonlyMap<string, string> = new Map([
  ['dpop+jwt', 'the caller sends its DPoP proof where its access token belongs'],
  ['logout+jwt', 'the caller sends a logout token where its access token belongs'],
  ['secevent+jwt', 'the caller sends a security event where its access token belongs'],
  ['token-introspection+jwt', 'the caller sends an introspection answer where its access token belongs'],
  [
    'okta-internal-at+jwt',
    "the organisation's own authorization server issued it, for Okta alone: have the caller use a custom one, and write " +
      "okta('https://<domain>/oauth2/<id>')",
  ],
])

function presetAdvice({ issuer }: RefusedToken): string | undefined {
  const vendor = issuer === undefined ? undefined : vendorOf(issuer)
  if (issuer === undefined || vendor === undefined) return undefined
  return `${vendorNames[vendor]} does not follow RFC 9068 by itself: write \`${presetFor(vendor, issuer)}\``
}
