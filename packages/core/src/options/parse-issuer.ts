import { ConfigurationError } from '../configuration-error.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import { profiles, type TokenProfile } from '../identity/token/profile.ts'
import type { TrustedIssuer } from '../identity/trust/trusted-issuer.ts'
import type { IssuerOptions } from './issuer-options.ts'
import { requireIssuerUrl, type IssuerContext } from './issuer-url.ts'
import { requireKnownKeys, requireNumber, requireSetLimits } from './option-values.ts'
import { parseAlgorithms, parseVerification } from './parse-algorithms.ts'
import { parseIntrospector } from './parse-introspection.ts'
import { parseTokenReview } from './parse-token-review.ts'
import {
  parseAudiences,
  parseMayGrant,
  parseRepresents,
  parseRequiredClaims,
  parseScopeClaims,
  parseSubjects,
  parseWorkloadClaim,
} from './parse-claim-rules.ts'
import { requireKnownCallers } from './require-known-callers.ts'

/** Parses one entry of `issuers`. Throws a ConfigurationError that says what to write instead. */
export function parseIssuer(given: unknown, option: string, context: IssuerContext): TrustedIssuer {
  const options = typeof given === 'string' ? { issuer: given } : requireIssuerOptions(given, option)
  const { issuer, maxLifetimeSeconds = 86_400 } = options
  const profile = parseProfile(options, option)
  if (profile.name === 'jwt-svid') requireTrustDomain(issuer, `${option}.issuer`)
  else requireIssuerUrl(issuer, `${option}.issuer`, context)
  const audiences = parseAudiences(options.audience, context.audience, `${option}.audience`)
  const algorithms = parseAlgorithms(options, profile, option)
  const rules = {
    issuer,
    profile,
    audiences,
    algorithms,
    clockToleranceSeconds: context.clockToleranceSeconds,
    maxLifetimeSeconds: requireNumber(maxLifetimeSeconds, `${option}.maxLifetimeSeconds`, 1, 315_360_000),
    represents: parseRepresents(options, profile, option),
    scopeClaims: parseScopeClaims(options, profile, option),
    requiredClaims: parseRequiredClaims(options, option),
    subjects: parseSubjects(options, option, context),
    mayGrant: parseMayGrant(options, option),
    workload: parseWorkloadClaim(options, option),
    isAccessToken: parseMark(options, profile, option),
  }
  requireKnownCallers(rules, option)
  // Last, since keys may be fetched from here on: whatever else is wrong has been told.
  const verification = parseVerification(options, algorithms, option, context)
  return Object.freeze({
    ...rules,
    verification,
    introspector: parseIntrospector(options, verification, algorithms, option, { ...context, audiences }),
    reviewer: parseTokenReview(options, profile, option, context),
  })
}

const names: Readonly<Record<keyof IssuerOptions, true>> = {
  issuer: true,
  profile: true,
  jwks: true,
  jwksUri: true,
  discoveryUrl: true,
  ca: true,
  bearerFile: true,
  maxStaleSeconds: true,
  audience: true,
  algorithms: true,
  secret: true,
  introspection: true,
  maxLifetimeSeconds: true,
  scopeClaims: true,
  mayGrant: true,
  represents: true,
  workloadClaim: true,
  trustDomains: true,
  subjects: true,
  requiredClaims: true,
  isAccessToken: true,
  tokenReview: true,
}

function requireIssuerOptions(given: unknown, option: string): IssuerOptions {
  requireKnownKeys(given, option, Object.keys(names))
  const options = given as IssuerOptions // each member is checked where it is parsed
  requireSetLimits(options, option, ['subjects', 'requiredClaims', 'mayGrant', 'isAccessToken'])
  return options
}

function parseProfile({ profile = 'at+jwt' }: IssuerOptions, option: string): TokenProfile {
  if (typeof profile === 'string' && Object.hasOwn(profiles, profile)) return profiles[profile]
  throw new ConfigurationError(
    `${option}.profile`,
    `write one of ${Object.keys(profiles)
      .map((name) => `'${name}'`)
      .join(', ')}`,
  )
}

// A trust domain is its own issuer: what its bundle signs needs no other name.
function requireTrustDomain(issuer: unknown, option: string): void {
  if (typeof issuer === 'string' && issuer.startsWith('spiffe://') && isTrustDomain(issuer.slice(9))) return
  throw new ConfigurationError(
    option,
    "for profile 'jwt-svid' write the trust domain's own ID, such as 'spiffe://prod.example'; spiffe(…) does",
  )
}

// RFC 9068 and OAuth name the client in a claim that OpenID Connect Core §2 does not have; scopes are no ID token's either.
const hasAccessTokenClaim = (claims: Readonly<Record<string, unknown>>): boolean =>
  ['client_id', 'scope', 'scp'].some((name) => claims[name] !== undefined)

function parseMark(
  { isAccessToken }: IssuerOptions,
  { name }: TokenProfile,
  option: string,
): TrustedIssuer['isAccessToken'] {
  if (isAccessToken === undefined) return hasAccessTokenClaim
  if (typeof isAccessToken === 'function' && name === 'oauth') {
    return (claims) => {
      const answer: unknown = isAccessToken(claims)
      // Whatever else an operator's function answers is not a yes.
      return answer === true
    }
  }
  throw new ConfigurationError(
    `${option}.isAccessToken`,
    "expected a function, for profile 'oauth': other profiles tell access tokens apart by themselves",
  )
}
