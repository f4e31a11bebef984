import { VerificationCache, type Mortal } from '../../cache/verification-cache.ts'

/** What was just asked, bounded in number: whatever came of it, it is not asked again for a while. */
export class CoolDowns {
  readonly #begun: VerificationCache<CoolDown>

  constructor(maxEntries: number) {
    this.#begun = new VerificationCache(maxEntries)
  }

  begin(key: string, nowMs: number): void {
    this.#begun.insert(key, new CoolDown(nowMs))
  }

  isCoolingDown(key: string, nowMs: number): boolean {
    return this.#begun.find(key, nowMs) !== undefined
  }
}

class CoolDown implements Mortal {
  readonly #since: number

  constructor(since: number) {
    this.#since = since
  }

  isAlive(nowMs: number): boolean {
    // A clock that stepped back says nothing of how long ago that was.
    return nowMs - this.#since < cooldownMs && nowMs >= this.#since
  }
}

/** Longer than a question lasts, so that what is asked ahead of need is asked once. */
const cooldownMs = 10_000
