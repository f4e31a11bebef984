import type { Clock } from '../../clock/clock.ts'

/** Lets requests wait for what somebody else has to say: not long, and not too many at a time. */
export class Patience {
  readonly #clock: Clock
  #waiting = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the help, which never rejects, is there, or when it took too long. Undefined where nobody can wait any more. */
  wait(help: Promise<unknown>): Promise<void> | undefined {
    const hasRoom = this.#clock.schedule !== undefined && this.#waiting < maxWaiting
    return hasRoom ? this.#wait(help) : undefined
  }

  async #wait(help: Promise<unknown>): Promise<void> {
    this.#waiting += 1
    const late = Promise.withResolvers<void>()
    const takeBack = this.#clock.schedule?.(late.resolve, patienceMs)
    await Promise.race([help, late.promise])
    takeBack?.()
    this.#waiting -= 1
  }
}

const patienceMs = 2000
/** More connections than one process opens in two seconds. */
const maxWaiting = 2048
