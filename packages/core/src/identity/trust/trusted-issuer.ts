import type { Algorithm } from './algorithms.ts'
import type { KeySource } from './key-source.ts'

/** What an issuer's tokens stand for. `auto`: a workload where `sub` equals `client_id` (RFC 9068 §5), else a user. */
export type Represents = 'workload' | 'user' | 'auto'

/** An issuer that the operator configured, with all that its tokens are held against. */
export interface TrustedIssuer {
  /** Compared with `iss` code point by code point. */
  readonly issuer: string
  readonly audiences: ReadonlySet<string>
  /** From configuration, never from a token (RFC 8725 §3.1). */
  readonly algorithms: ReadonlySet<Algorithm>
  readonly clockToleranceSeconds: number
  readonly represents: Represents
  readonly workload: WorkloadClaim | undefined
  readonly keys: KeySource
}

/** The claim in which an issuer names a workload by SPIFFE ID, and the trust domains that it may name. */
export interface WorkloadClaim {
  readonly claim: string
  readonly trustDomains: ReadonlySet<string>
}
