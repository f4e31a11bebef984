import type { Clock } from '../../clock/clock.ts'
import { whenAborted } from './fetch-document.ts'
import { backoffAfter, cooldownMs, deadlineMs, within } from './refresh-times.ts'

interface RefresherOptions<Reading> {
  readonly clock: Clock
  readonly read: (signal: AbortSignal) => Promise<Reading>
  /** Takes a reading into use and says how many milliseconds later to read again. Throws where it is unusable. */
  readonly accept: (reading: Reading, now: number) => number
  /** Milliseconds from a failure to the next attempt. Default: longer each time, as is fair to a network. */
  readonly retryAfter?: ((failures: number) => number) | undefined
  /** Told of the end of each attempt, good or bad. */
  readonly landed: () => void
  /** In how many milliseconds the first attempt is due, where there is a reading already. Left out: it is due at once. */
  readonly firstAfterMs?: number
}

/**
 * Decides when keys are fetched: ahead of need, again and again after a failure, and once more for those who miss one.
 * INVARIANT: one attempt is under way at a time, and two never begin within one cool-down, whoever asks for them.
 */
export class Refresher<Reading> {
  readonly #options: RefresherOptions<Reading>
  #isClosed = false
  /** Ends the attempt under way. */
  #abort: AbortController | undefined
  #attempts = 0
  #startedAt = -Infinity
  #underWay: Promise<void> | undefined
  #dueAt = -Infinity
  #failures = 0
  #problem: string | undefined
  #takeBack: (() => void) | undefined

  constructor(options: RefresherOptions<Reading>) {
    this.#options = options
    if (options.firstAfterMs !== undefined) this.#planNext(options.firstAfterMs)
  }

  /** How many attempts have begun. */
  get attempts(): number {
    return this.#attempts
  }

  /** The attempt under way. Never rejects. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay
  }

  /** Why the last attempt failed; undefined where it did not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** When the next attempt is due; -Infinity before the first. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** True where the attempt that was due was not made, since this process slept or its clock has no timers. */
  isOverdue(now: number): boolean {
    return now - this.#dueAt > graceMs
  }

  /** Where no timer did it. */
  startIfDue(now: number): void {
    if (now >= this.#dueAt || now < this.#startedAt) this.startIfPermitted(now)
  }

  /** True where an attempt is under way, or could be started. */
  startIfPermitted(now: number): boolean {
    // The attempt that `close` ends tells nobody of its end.
    if (this.#isClosed) return false
    if (this.#underWay !== undefined) return true
    const isCoolingDown = now - this.#startedAt < cooldownMs && now >= this.#startedAt
    if (isCoolingDown) return false
    this.#start()
    return true
  }

  /** Sees to it that an attempt begins as soon as the cool-down is over. False where the clock has no timers. */
  startAfterCooldown(now: number): boolean {
    if (this.#options.clock.schedule === undefined) return false
    // Sooner than what is planned: nothing is due before the cool-down is over.
    this.#plan(within(0, this.#startedAt + cooldownMs - now, cooldownMs), () => this.#start())
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#takeBack?.()
    this.#abort?.abort()
  }

  #start(): void {
    this.#takeBack?.()
    this.#attempts += 1
    this.#startedAt = this.#options.clock.now()
    this.#underWay = this.#attempt(this.#startedAt)
  }

  async #attempt(startedAt: number): Promise<void> {
    const { clock, read, accept, landed, retryAfter = backoffAfter } = this.#options
    let delayMs: number
    // Of its own: a signal that outlives the attempt would keep something of each, which adds up where files are read all day.
    const abort = (this.#abort = new AbortController())
    AbortSignal.timeout(deadlineMs).addEventListener('abort', () => abort.abort(), { once: true })
    try {
      const { signal } = abort
      // Whatever a fetch does, it may not keep the next one from being made, nor be heard after it.
      const reading = await Promise.race([read(signal), whenAborted(signal)])
      const now = clock.now()
      const intervalMs = accept(reading, now)
      // Counted from the beginning, since an answer is as old as the question, unless the clock was set back meanwhile.
      delayMs = Math.min(startedAt + intervalMs - now, intervalMs)
      this.#failures = 0
      this.#problem = undefined
    } catch (error) {
      this.#failures += 1
      this.#problem = error instanceof Error ? error.message : 'unknown'
      delayMs = retryAfter(this.#failures)
    }
    this.#underWay = undefined
    if (this.#isClosed) return
    this.#planNext(delayMs)
    landed()
  }

  #planNext(delayMs: number): void {
    this.#dueAt = this.#options.clock.now() + delayMs
    // Where a guard was dropped without being closed, its keys are not fetched for ever.
    const self = new WeakRef(this)
    this.#plan(delayMs, () => {
      const refresher = self.deref()
      if (refresher !== undefined) refresher.#start()
    })
  }

  #plan(delayMs: number, task: () => void): void {
    this.#takeBack?.()
    this.#takeBack = this.#options.clock.schedule?.(task, Math.max(0, delayMs))
  }
}

/** An attempt that is later than this was slept through: longer than one lasts, shorter than two are apart. */
const graceMs = 30_000
