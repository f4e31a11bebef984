import type { TrustedKey } from '../trust/key-set.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { TokenClaims } from './claims.ts'

/** What a verification rests on beside the time: a key, or an answer that is good for a while, or both. */
export interface Basis {
  readonly key: TrustedKey | undefined
  readonly answer: Answer | undefined
}

/** What an issuer was asked, and for how long that is relied on. Milliseconds since the epoch. */
interface Answer {
  readonly askedAtMs: number
  readonly goodUntilMs: number
}

/** A verified token. Made once, then asked on every request whether it still holds. */
export class TokenVerification {
  readonly claims: TokenClaims
  readonly issuer: TrustedIssuer
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly #basis: Basis
  readonly #startsAt: number

  constructor(claims: TokenClaims, issuer: TrustedIssuer, basis: Basis) {
    this.claims = claims
    this.issuer = issuer
    this.expiresAt = claims.exp * 1000
    this.#startsAt = Math.max(claims.iat ?? -Infinity, claims.nbf ?? -Infinity) * 1000
    this.#basis = basis
  }

  isAlive(nowMs: number): boolean {
    const { verification, clockToleranceSeconds } = this.issuer
    const { key, answer } = this.#basis
    const toleranceMs = clockToleranceSeconds * 1000
    if (key?.isWithdrawn === true || (answer !== undefined && nowMs >= answer.goodUntilMs)) return false
    // A clock that stepped back says nothing of the age of an answer.
    if (answer !== undefined && nowMs < answer.askedAtMs - toleranceMs) return false
    if (key !== undefined && verification.kind === 'keys' && !verification.keys.areCurrent(nowMs)) {
      return false
    }
    return nowMs < this.expiresAt + toleranceMs && nowMs >= this.#startsAt - toleranceMs
  }
}
