import type { IssuerOptions } from '@countersign/core'
import type { SigningAlgorithm } from './signing-key.ts'

/** The guard's issuer options that a test issuer passes on, word for word. What is not given is not there. */
export type IssuerPassThrough = Pick<
  IssuerOptions,
  | 'represents'
  | 'workloadClaim'
  | 'trustDomains'
  | 'algorithms'
  | 'audience'
  | 'profile'
  | 'scopeClaims'
  | 'mayGrant'
  | 'subjects'
  | 'requiredClaims'
  | 'isAccessToken'
  | 'maxLifetimeSeconds'
>

/** How to make a test issuer. Everything has a default. The first `audience` is also the default `aud` of its tokens. */
export interface TestIssuerOptions extends IssuerPassThrough {
  /** The issuer identifier. Default: `https://issuer.test`. A listening issuer is named by its port instead. */
  readonly issuer?: string
  /** The algorithm of the signing keys. Default: `ES256`. */
  readonly alg?: SigningAlgorithm
  /** Serve discovery and keys over HTTPS on loopback instead of handing them over in `jwks`. Default: `false`. */
  readonly listen?: boolean
  /** What the issuer takes the time from, such as a `TestClock`; `now()` is in milliseconds. Default: `Date`. */
  readonly clock?: { now(): number }
}
