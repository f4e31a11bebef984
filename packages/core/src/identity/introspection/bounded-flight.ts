import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../refusal.ts'

interface BoundedFlightOptions {
  /** Whose server does the work. */
  readonly issuer: string
  /** How many pieces of work run at a time. */
  readonly maxConcurrent: number
  readonly clock: Clock
}

interface Waiting<T> {
  readonly work: () => Promise<T>
  readonly resolve: (result: Promise<T> | Refusal) => void
  readonly since: number
}

/**
 * Work that strangers can cause, bounded: the same piece runs once, however many ask for it at a time, only so many
 * pieces run at once, and only so many wait for so long. Nothing is remembered: a piece that has ended can begin anew.
 */
export class BoundedFlight<T> {
  readonly #options: BoundedFlightOptions
  readonly #overloaded: Refusal
  /** What runs or waits, by key. */
  readonly #underWay = new Map<string, Promise<T | Refusal>>()
  readonly #line: Waiting<T>[] = []
  #running = 0

  constructor(options: BoundedFlightOptions) {
    this.#options = options
    this.#overloaded = new Refusal('issuer_overloaded', {
      issuer: options.issuer,
      expected: `at most ${options.maxConcurrent} unknown tokens being checked, and ${maxWaiting} waiting for ${maxWaitMs} ms`,
      actual: 'more',
    })
  }

  /** The result of the work under way with this key, or of this; `issuer_overloaded` where there is no place for it. */
  run(key: string, work: () => Promise<T>): Promise<T | Refusal> {
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    if (this.#running < this.#options.maxConcurrent) return this.#keep(key, this.#start(work))
    if (this.#line.length >= maxWaiting) return Promise.resolve(this.#overloaded)
    const { promise, resolve } = Promise.withResolvers<T | Refusal>()
    this.#line.push({ work, resolve, since: this.#options.clock.now() })
    return this.#keep(key, promise)
  }

  #keep(key: string, result: Promise<T | Refusal>): Promise<T | Refusal> {
    this.#underWay.set(key, result)
    const forget = (): void => void this.#underWay.delete(key)
    void result.then(forget, forget)
    return result
  }

  async #start(work: () => Promise<T>): Promise<T> {
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
      this.#next()
    }
  }

  // Those who waited too long are answered together, so that an outage does not make each wait for the one before.
  #next(): void {
    const { clock } = this.#options
    for (let first = this.#line.shift(); first !== undefined; first = this.#line.shift()) {
      if (clock.now() - first.since <= maxWaitMs) {
        first.resolve(this.#start(first.work))
        return
      }
      first.resolve(this.#overloaded)
    }
  }
}

const maxWaiting = 128
const maxWaitMs = 5000
