import type { Refusal } from '../refusal.ts'
import type { VerifiedIdentity } from './verified-identity.ts'

/** Who calls, and where that was known from. `identity` is undefined where no credential was presented. */
export interface Authentication {
  readonly identity: VerifiedIdentity | undefined
  readonly source: 'connection' | 'cache' | 'fresh' | 'none'
  /** The nonce for the caller's next DPoP proof, where it should use another one. */
  readonly nextNonce?: string | undefined
  /** Why a request that needs a caller is refused where there is none, if more can be said of it than that. */
  readonly missing?: Refusal
}

/** No credential was presented, or none was asked for. */
export const anonymous: Authentication = Object.freeze({ identity: undefined, source: 'none' })
