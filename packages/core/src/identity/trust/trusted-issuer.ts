import type { Algorithm, SecretAlgorithm } from '../jws/algorithms.ts'
import type { Introspector } from '../introspection/introspector.ts'
import type { TokenReviewer } from '../introspection/token-review.ts'
import type { TokenProfile } from '../token/profile.ts'
import type { KeySource } from './key-source.ts'

/** What an issuer's tokens stand for, in one word, or by a function of a verified token's claims. */
export type Represents =
  | 'auto'
  | 'workload'
  | 'user'
  | ((claims: Readonly<Record<string, unknown>>) => 'workload' | 'user')

/** An issuer that the operator configured, with all that its tokens are held against. */
export interface TrustedIssuer {
  /** Compared with `iss` code point by code point. */
  readonly issuer: string
  /** Which kind of token it issues: what must be in one, and what must not. */
  readonly profile: TokenProfile
  readonly audiences: ReadonlySet<string>
  /** From configuration, never from a token (RFC 8725 §3.1). */
  readonly algorithms: ReadonlySet<Algorithm | SecretAlgorithm>
  readonly clockToleranceSeconds: number
  /** The longest time from `iat` to `exp`. */
  readonly maxLifetimeSeconds: number
  readonly represents: Represents
  /** Which claims hold scopes, of a user's token and of a workload's. */
  readonly scopeClaims: { readonly user: readonly ClaimPath[]; readonly workload: readonly ClaimPath[] }
  /** Claims that must have one of these values exactly. */
  readonly requiredClaims: readonly RequiredClaim[]
  /** The only subjects that it may speak of; undefined for all. */
  readonly subjects: ReadonlySet<string> | undefined
  /** The only scopes that callers can have by its tokens, `orders:*` for every action; undefined for all. */
  readonly mayGrant: readonly string[] | undefined
  readonly workload: WorkloadClaim | undefined
  /** Tells access tokens from others that its profile alone does not tell apart. */
  readonly isAccessToken: (claims: Readonly<Record<string, unknown>>) => boolean
  readonly verification: Verification
  /** Who is asked about tokens that cannot be read here. */
  readonly introspector: Introspector | undefined
  /** Who is asked whether a token that was verified still stands. */
  readonly reviewer: TokenReviewer | undefined
}

/** An issuer of opaque tokens. */
export type IntrospectingIssuer = TrustedIssuer & { readonly introspector: Introspector }

/** Whether the issuer is asked about tokens that cannot be read here. */
export const isIntrospecting = (issuer: TrustedIssuer): issuer is IntrospectingIssuer =>
  issuer.introspector !== undefined

/** What its signatures are verified with: published keys, or one secret, and never the one beside the other. */
export type Verification =
  | { readonly kind: 'keys'; readonly keys: KeySource }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  /** Nothing: of this issuer, only opaque tokens are accepted. */
  | { readonly kind: 'none' }

/** Where a claim is: its name, and the names below it. */
export type ClaimPath = readonly [string, ...string[]]

export interface RequiredClaim {
  readonly path: ClaimPath
  readonly values: ReadonlySet<unknown>
}

/** The claim in which an issuer names a workload by SPIFFE ID, and the trust domains that it may name. */
export interface WorkloadClaim {
  readonly claim: string
  readonly trustDomains: ReadonlySet<string>
}
