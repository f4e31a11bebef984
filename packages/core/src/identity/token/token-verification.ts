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
  /** Seconds since the epoch between which it is good, with the tolerance of its issuer: small integers, mostly, which are kept as they are. */
  readonly #from: number
  readonly #until: number
  readonly #key: TrustedKey | undefined
  readonly #answer: Answer | undefined

  constructor(claims: TokenClaims, issuer: TrustedIssuer, length: number, { key, answer }: Basis) {
    this.claims = claims
    this.issuer = issuer
    this.length = length
    const { exp, iat = 0, nbf = 0 } = claims
    this.#from = Math.max(iat, nbf) - issuer.clockToleranceSeconds
    this.#until = exp + issuer.clockToleranceSeconds
    this.#key = key
    this.#answer = answer
  }

  /** Milliseconds since the epoch. */
  get expiresAt(): number {
    return this.claims.exp * 1000
  }

  isAlive(nowMs: number): boolean {
    // Compared so that a clock which says no number lets nobody in.
    if (!(nowMs < this.#until * 1000 && nowMs >= this.#from * 1000)) return false
    return this.#isKeyGood(nowMs) && this.#isAnswerGood(nowMs)
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
