import type { Refusal } from '../../refusal.ts'

interface Entry {
  readonly refusal: Refusal
  readonly since: number
}

/**
 * The tokens that an issuer has just called inactive, by digest: whoever repeats one does not make this service ask
 * again. Bounded in time and number, the oldest go first. Nothing but that answer is remembered: an error is not one.
 */
export class InactiveTokens {
  readonly #entries = new Map<string, Entry>()

  find(digest: string, nowMs: number): Refusal | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    // A clock that stepped back says nothing of the age of the answer.
    return nowMs - entry.since < rememberedMs && nowMs >= entry.since ? entry.refusal : undefined
  }

  remember(digest: string, refusal: Refusal, nowMs: number): void {
    const [oldest] = this.#entries.keys()
    if (this.#entries.size >= maxRemembered && oldest !== undefined) this.#entries.delete(oldest)
    this.#entries.set(digest, { refusal, since: nowMs })
  }
}

const rememberedMs = 10_000
const maxRemembered = 1000
