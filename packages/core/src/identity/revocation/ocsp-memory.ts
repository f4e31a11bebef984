import { VerificationCache, type Mortal } from '../../cache/verification-cache.ts'
import type { SignedStatus } from './ocsp-answer.ts'
import type { RevocationStatus } from './revocation-status.ts'

/** What was last said of a certificate. */
class HeldStatus implements Mortal {
  readonly status: RevocationStatus | undefined
  readonly thisUpdate: number
  /** From when on something newer is to be asked for: in the last fifth of the time from when this was heard. */
  readonly refreshAt: number

  constructor({ status, thisUpdate }: SignedStatus, nowMs: number) {
    this.status = status === 'unknown' ? undefined : status
    this.thisUpdate = thisUpdate
    this.refreshAt =
      this.status === undefined ? Infinity : this.status.until - (this.status.until - nowMs) / 5
  }

  /** Always: what is out of time is no status any more, and still tells an older answer from a newer one. */
  isAlive(): boolean {
    return true
  }
}

/**
 * What authorities said of their certificates, bounded in number. INVARIANT: it never goes back in time. Whoever sits between this
 * service and a responder can choose which of the answers that were ever signed arrives: an older one than the last is not taken,
 * however long it is good for by itself, and who was called revoked stays so until that is out of time.
 */
export class OcspMemory {
  readonly #statuses: VerificationCache<HeldStatus>
  /** Kept apart, so that no number of good certificates makes this service forget one that is revoked. */
  readonly #revocations: VerificationCache<HeldStatus>

  constructor(maxEntries: number) {
    this.#statuses = new VerificationCache(maxEntries)
    this.#revocations = new VerificationCache(maxEntries)
  }

  /** The status that serves at a time. Where its `askAgainAt` has passed, a newer one should be asked for. */
  find(key: string, nowMs: number): RevocationStatus | undefined {
    const { status, refreshAt } = this.#last(key, nowMs) ?? {}
    if (status === undefined || refreshAt === undefined || nowMs > status.until) return undefined
    return { ...status, askAgainAt: refreshAt }
  }

  /** Takes an answer into use, or says why not: a sentence for the operator. */
  accept(key: string, answer: SignedStatus, nowMs: number): string | undefined {
    const last = this.#last(key, nowMs)
    const isRevocation = answer.status !== 'unknown' && answer.status.kind === 'revoked'
    if (last !== undefined) {
      const { status, thisUpdate } = last
      if (answer.thisUpdate < thisUpdate) return 'it is older than the answer before'
      if (status?.kind === 'revoked' && !isRevocation) {
        if (answer.thisUpdate === thisUpdate) return 'it takes back a revocation and is no newer'
        if (nowMs <= status.until) return 'it takes back a revocation that is still in time'
      }
    }
    const cache = isRevocation ? this.#revocations : this.#statuses
    cache.insert(key, new HeldStatus(answer, nowMs))
    return undefined
  }

  // Both may have one: then the later one is what was last said, and a revocation where they are of the same time.
  #last(key: string, nowMs: number): HeldStatus | undefined {
    const revoked = this.#revocations.find(key, nowMs)
    const other = this.#statuses.find(key, nowMs)
    if (revoked === undefined || other === undefined) return revoked ?? other
    return other.thisUpdate > revoked.thisUpdate ? other : revoked
  }
}
