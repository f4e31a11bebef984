import type { TrustedKey } from '../trust/key-set.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { TokenClaims } from './claims.ts'

/** What an issuer was asked, and for how long that is relied on. Milliseconds since the epoch. */
interface Answer {
  readonly askedAtMs: number
  readonly goodUntilMs: number
}

/** What a verification rests on beside the time: a key, or an answer that is good for a while, or both. */
export interface Basis {
  readonly key: TrustedKey | undefined
  readonly answer: Answer | undefined
}

/**
 * A verified token. Made once, then asked on every request whether it still holds. There is one for each token that is remembered, so it
 * keeps little.
 */
export class TokenVerification {
  readonly claims: TokenClaims
  readonly issuer: TrustedIssuer
  /** Characters of the token itself, which is not kept. */
  readonly length: number
  readonly #key: TrustedKey | undefined
  readonly #answer: Answer | undefined

  constructor(claims: TokenClaims, issuer: TrustedIssuer, length: number, { key, answer }: Basis) {
    this.claims = claims
    this.issuer = issuer
    this.length = length
    this.#key = key
    this.#answer = answer
  }

  /** Milliseconds since the epoch. */
  get expiresAt(): number {
    return this.claims.exp * 1000
  }

  isAlive(nowMs: number): boolean {
    return this.#isInTime(nowMs) && this.#isKeyGood(nowMs) && this.#isAnswerGood(nowMs)
  }

  // Not kept, since there is one for each token. Compared so that a clock which says no number lets nobody in.
  #isInTime(nowMs: number): boolean {
    const { exp, iat = -Infinity, nbf = -Infinity } = this.claims.all
    const toleranceMs = this.issuer.clockToleranceSeconds * 1000
    return nowMs < exp * 1000 + toleranceMs && nowMs >= Math.max(iat, nbf) * 1000 - toleranceMs
  }

  #isKeyGood(nowMs: number): boolean {
    if (this.#key === undefined) return true
    const { verification } = this.issuer
    if (this.#key.isWithdrawn) return false
    return verification.kind !== 'keys' || verification.keys.areCurrent(nowMs)
  }

  #isAnswerGood(nowMs: number): boolean {
    if (this.#answer === undefined) return true
    const { askedAtMs, goodUntilMs } = this.#answer
    // A clock that stepped back says nothing of the age of an answer.
    return nowMs < goodUntilMs && nowMs >= askedAtMs - this.issuer.clockToleranceSeconds * 1000
  }
}
