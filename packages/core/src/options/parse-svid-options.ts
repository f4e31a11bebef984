import { ConfigurationError } from '../configuration-error.ts'
import { GivenKeys } from '../identity/trust/key-source.ts'
import type { TrustedIssuer } from '../identity/trust/trusted-issuer.ts'
import { TrustedIssuers } from '../identity/trust/trusted-issuers.ts'
import { profiles } from '../identity/token/profile.ts'
import { requireEntries, requireKnownKeys, requireNumber } from './option-values.ts'
import { svidAlgorithms } from './parse-algorithms.ts'
import { parseAudiences } from './parse-claim-rules.ts'
import { requireTime } from './parse-proof-options.ts'
import { requireTrustDomain } from './spiffe-names.ts'

/** What a JWT-SVID is held against. */
export interface JwtSvidOptions {
  /**
   * Trust domain → its bundle, a JWK Set as it is published (SPIFFE Trust Domain and Bundle §4). Of its keys those marked
   * `use: jwt-svid` count, for IDs of this very trust domain; where there are none, none of its tokens is valid.
   */
  readonly bundles: Readonly<Record<string, { readonly keys: readonly object[] }>>
  /** The names of the verifier; one of them must stand in `aud`. */
  readonly audience: string | readonly [string, ...string[]]
  /** The time of the check: a `Date`, or milliseconds since the epoch, as `Date.now()` gives them. */
  readonly now: Date | number
  /** Seconds by which clocks may differ, from 0 to 300. Default: 0. */
  readonly clockToleranceSeconds?: number
}

/** Parses what a JWT-SVID is to be verified against. Throws a ConfigurationError that says what to write instead. */
export function parseSvidOptions(options: JwtSvidOptions): { issuers: TrustedIssuers; nowMs: number } {
  requireKnownKeys(options, '', ['bundles', 'audience', 'now', 'clockToleranceSeconds'])
  const { clockToleranceSeconds = 0 } = options
  const shared: Omit<TrustedIssuer, 'issuer' | 'verification'> = {
    profile: profiles['jwt-svid'],
    audiences: parseAudiences(undefined, options.audience, 'audience'),
    algorithms: svidAlgorithms,
    clockToleranceSeconds: requireNumber(clockToleranceSeconds, 'clockToleranceSeconds', 0, 300),
    // The text sets no bound, and whoever asks for one token can look at its time.
    maxLifetimeSeconds: Infinity,
    represents: 'workload',
    scopeClaims: { user: [], workload: [] },
    requiredClaims: [],
    subjects: undefined,
    mayGrant: undefined,
    workload: undefined,
    isAccessToken: () => false,
    introspector: undefined,
    reviewer: undefined,
  }
  const bundles = Object.entries(requireEntries(options.bundles, 'bundles'))
  const issuers = bundles.map(([domain, bundle]): TrustedIssuer => {
    const at = `bundles['${domain}']`
    const issuer = `spiffe://${requireTrustDomain(domain, at)}`
    return Object.assign(
      { issuer, verification: { kind: 'keys' as const, keys: keysIn(bundle, issuer, at) } },
      shared,
    )
  })
  return { issuers: new TrustedIssuers(issuers), nowMs: requireTime(options.now) }
}

function keysIn(bundle: unknown, issuer: string, option: string): GivenKeys {
  try {
    return new GivenKeys(issuer, bundle, 'spiffe-bundle')
  } catch (error) {
    throw new ConfigurationError(option, error instanceof Error ? error.message : 'expected a SPIFFE bundle')
  }
}
