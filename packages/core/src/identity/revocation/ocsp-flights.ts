import type { Clock } from '../../clock/clock.ts'

interface Waiting {
  readonly key: string
  readonly work: () => Promise<void>
  readonly since: number
  readonly resolve: () => void
}

/**
 * Questions under way, bounded: one about a certificate at a time, however many need its status; only so many at once; only so many in
 * line, and for so long. A question that is dropped from the line was not asked, and nobody is told more than that it is over.
 */
export class OcspFlights {
  readonly #clock: Clock
  /** What runs or waits, by key. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #line: Waiting[] = []
  #running = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True where a question about this certificate runs or waits. */
  has(key: string): boolean {
    return this.#underWay.has(key)
  }

  /** The end of the question under way about this certificate, or of this one; undefined where there is no place for it. */
  run(key: string, work: () => Promise<void>): Promise<void> | undefined {
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const flight = Promise.withResolvers<void>()
    const waiting = { key, work, since: this.#clock.now(), resolve: flight.resolve }
    if (this.#running < maxRunning) this.#start(waiting)
    else if (this.#line.length < maxWaiting) this.#line.push(waiting)
    else return undefined
    this.#underWay.set(key, flight.promise)
    return flight.promise
  }

  /** Asks without anybody waiting for it, where there is nothing to wait for. */
  runAside(key: string, work: () => Promise<void>): void {
    if (this.#running < maxRunning) void this.run(key, work)
  }

  #start({ key, work, resolve }: Waiting): void {
    this.#running += 1
    const landed = (): void => {
      this.#running -= 1
      this.#end(key, resolve)
      this.#next()
    }
    void work().then(landed, landed)
  }

  #end(key: string, resolve: () => void): void {
    this.#underWay.delete(key)
    resolve()
  }

  // Those who waited too long are let go together, so that an outage does not make each wait for the one before.
  #next(): void {
    for (let first = this.#line.shift(); first !== undefined; first = this.#line.shift()) {
      if (this.#clock.now() - first.since <= maxWaitMs) {
        this.#start(first)
        return
      }
      this.#end(first.key, first.resolve)
    }
  }
}

const maxRunning = 64
/** Calls that wait for answers at a time, and questions in line. */
export const maxWaiting = 2048
/** For answers, and in line. */
export const maxWaitMs = 2000
