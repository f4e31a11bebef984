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
    const { verification, clockToleranceSeconds } = this.issuer
    const { exp, iat = -Infinity, nbf = -Infinity } = this.claims
    const toleranceMs = clockToleranceSeconds * 1000
    const answer = this.#answer
    if (answer !== undefined && nowMs >= answer.goodUntilMs) return false
    // A clock that stepped back says nothing of the age of an answer.
    if (answer !== undefined && nowMs < answer.askedAtMs - toleranceMs) return false
    if (this.#key?.isWithdrawn === true) return false
    if (this.#key !== undefined && verification.kind === 'keys' && !verification.keys.areCurrent(nowMs)) {
      return false
    }
    return nowMs < exp * 1000 + toleranceMs && nowMs >= Math.max(iat, nbf) * 1000 - toleranceMs
  }
}
