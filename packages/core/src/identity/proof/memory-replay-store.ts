import type { Clock } from '../../clock/clock.ts'
import type { ReplayStore } from './replay-store.ts'

interface MemoryReplayStoreOptions {
  readonly clock: Clock
  /** For about how long keys are kept. What is over is dropped in portions of half of it. */
  readonly windowMs: number
  /** Keys kept at most. */
  readonly maxEntries: number
}

/**
 * Remembers in this process. Memory follows the traffic in the window: keys lie in generations by the time at which they
 * end, and a generation is dropped whole. Nothing is forgotten early: a full store takes nothing new.
 */
export class MemoryReplayStore implements ReplayStore {
  readonly #options: MemoryReplayStoreOptions
  /** The time until which a generation has to be kept → its keys. */
  readonly #generations = new Map<number, Set<string>>()
  #size = 0
  #forgottenUntilMs = -Infinity

  constructor(options: MemoryReplayStoreOptions) {
    this.#options = options
  }

  add(key: string, expiresAtMs: number): boolean {
    this.#forget(this.#options.clock.now())
    for (const keys of this.#generations.values()) if (keys.has(key)) return false
    // INVARIANT: `true` means new. Of a time whose keys are gone, because the clock went back, nobody can say so.
    if (expiresAtMs <= this.#forgottenUntilMs) {
      throw new Error('the clock went back further than is remembered')
    }
    if (this.#size >= this.#options.maxEntries) throw new Error('the replay store is full')
    this.#generation(expiresAtMs).add(key)
    this.#size += 1
    return true
  }

  #generation(expiresAtMs: number): Set<string> {
    const lengthMs = this.#options.windowMs / 2
    const untilMs = Math.ceil(expiresAtMs / lengthMs) * lengthMs
    let keys = this.#generations.get(untilMs)
    if (keys === undefined) {
      keys = new Set()
      this.#generations.set(untilMs, keys)
    }
    return keys
  }

  #forget(nowMs: number): void {
    for (const [untilMs, keys] of this.#generations) {
      if (untilMs > nowMs) continue
      this.#generations.delete(untilMs)
      this.#size -= keys.size
      this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, untilMs)
    }
  }
}
