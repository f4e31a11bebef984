import type { Clock } from '../../clock/clock.ts'
import { statusOf, type Live, type LiveState } from './live.ts'
import { Refresher } from './refresher.ts'

export interface LiveValueOptions<Reading, Value> {
  readonly clock: Clock
  /** Reads once. `last` is the reading that is in use. Rejects with a sentence for the operator. */
  readonly read: (last: Reading | undefined, signal: AbortSignal) => Promise<Reading>
  readonly areSame: (one: Reading, other: Reading) => boolean
  /** True for what may be read while it is being written, as files are. */
  readonly isWrittenInPlace?: boolean
  /** What a reading means, all of it or nothing. Throws a sentence for the operator. */
  readonly parse: (reading: Reading, previous: Value | undefined) => Value
  /** Milliseconds after which to read again. */
  readonly intervalOf: (reading: Reading, value: Value) => number
  /** Milliseconds from a failure to the next attempt. Default: longer each time, as is fair to a network. */
  readonly retryAfter?: ((failures: number) => number) | undefined
  /** How long a value goes on serving after the time at which it should have been read again. */
  readonly maxStaleMs: number
  /** What was read when the process started, so that nobody waits. Left out: there is no value before the first attempt ends. */
  readonly initial?: { readonly reading: Reading; readonly value: Value; readonly at: number }
  /** Told of the end of each attempt. `isReplaced`: the value is another one now. */
  readonly landed: (isReplaced: boolean) => void
}

/**
 * A value that comes from outside and may be replaced there at any time. It is read ahead of need, parsed before it is used, and
 * replaced as a whole; whatever cannot be used leaves the one before in place, up to a ceiling.
 * INVARIANT: what is written in place counts only when it is read the same way twice: a file that is just being written may end
 * where a shorter, valid one would.
 */
export class LiveValue<Reading, Value> implements Live<Value> {
  readonly #options: LiveValueOptions<Reading, Value>
  readonly #refresher: Refresher<Reading>
  #held: { readonly reading: Reading; readonly value: Value } | undefined
  /** What was read last. One that is not in use has to be seen again before it counts. */
  #last: Reading | undefined
  #readAt = -Infinity
  #intervalMs = 0
  #isReplaced = false

  constructor(options: LiveValueOptions<Reading, Value>) {
    this.#options = options
    const { clock, read, landed, initial, retryAfter } = options
    if (initial !== undefined) {
      this.#held = initial
      this.#readAt = initial.at
      this.#intervalMs = options.intervalOf(initial.reading, initial.value)
    }
    this.#refresher = new Refresher({
      clock,
      retryAfter,
      read: (signal) => {
        this.#isReplaced = false
        return read(this.#held?.reading, signal)
      },
      accept: (reading, now) => this.#accept(reading, now),
      landed: () => landed(this.#isReplaced),
      ...(initial === undefined ? {} : { firstAfterMs: this.#intervalMs }),
    })
  }

  current(now: number): Value | undefined {
    this.#refresher.startIfDue(now)
    return this.#isExpired(now) ? undefined : this.#held?.value
  }

  async prepared(): Promise<void> {
    if (this.#options.initial !== undefined) return
    if (this.#refresher.attempts === 0) this.#refresher.startIfPermitted(this.#options.clock.now())
    if (this.#refresher.attempts === 1) await this.#refresher.underWay
  }

  get underWay(): Promise<void> | undefined {
    return this.#refresher.underWay
  }

  get state(): LiveState {
    const { problem } = this.#refresher
    const readAt = this.#readAt === -Infinity ? undefined : this.#readAt
    const now = this.#options.clock.now()
    const serves = this.#held !== undefined && !this.#isExpired(now)
    const isFresh = problem === undefined && !this.#refresher.isOverdue(now)
    return { status: statusOf(readAt !== undefined, serves, isFresh), readAt, problem }
  }

  close(): void {
    this.#refresher.close()
  }

  #accept(reading: Reading, now: number): number {
    const held = this.#settle(reading)
    if (held === undefined) {
      this.#held = { reading, value: this.#options.parse(reading, this.#held?.value) }
      this.#isReplaced = true
    } else {
      this.#held = held
    }
    this.#readAt = now
    return (this.#intervalMs = this.#options.intervalOf(reading, this.#held.value))
  }

  /** What goes on being held; undefined where the reading is to replace it. */
  #settle(reading: Reading): { readonly reading: Reading; readonly value: Value } | undefined {
    const { areSame, isWrittenInPlace } = this.#options
    const held = this.#held
    const before = this.#last
    this.#last = reading
    if (held === undefined) return undefined
    // The headers of a confirmation replace those before.
    if (areSame(held.reading, reading)) return { reading, value: held.value }
    const isSettled = isWrittenInPlace !== true || (before !== undefined && areSame(before, reading))
    return isSettled ? undefined : held
  }

  #isExpired(now: number): boolean {
    return now - this.#readAt > this.#intervalMs + this.#options.maxStaleMs
  }
}
