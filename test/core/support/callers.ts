// Clients that call a server again and again while something is replaced, and say how many of their calls failed.
import { EventEmitter, once } from 'node:events'
import { Agent, request } from 'node:https'

export interface CallerOptions {
  /** For the report. */
  readonly kind: string
  readonly host: string
  readonly port: number
  /** PEM of the authority behind the server's certificate. */
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly keepAlive: boolean
  /** The body of a call that did not fail. */
  readonly expected: string
}

export interface Tally {
  readonly kind: string
  calls: number
  /** What came instead of what was expected. */
  readonly failures: string[]
}

export class Callers {
  readonly #calling = new EventEmitter()
  readonly #tallies: Tally[] = []
  readonly #loops: Promise<void>[] = []
  readonly #left = new Set<Tally>()
  #isOver = false

  /** Lets one more client call, one call after the other. */
  add(options: CallerOptions): Tally {
    const tally: Tally = { kind: options.kind, calls: 0, failures: [] }
    this.#tallies.push(tally)
    this.#loops.push(this.#call(options, tally))
    return tally
  }

  /** This one calls no more. */
  leave(tally: Tally): void {
    this.#left.add(tally)
  }

  /** Resolves when each that still calls has done so so many times more. */
  async each(more: number): Promise<void> {
    const goals = new Map(this.#tallies.map((tally) => [tally, tally.calls + more]))
    const waits = (tally: Tally): boolean => !this.#left.has(tally) && tally.calls < (goals.get(tally) ?? 0)
    while (this.#tallies.some(waits)) await once(this.#calling, 'call')
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  /** What each has seen, for whoever reads the output of the tests. */
  get report(): string {
    return this.#tallies
      .map(({ kind, calls, failures }) => `${kind}: ${failures.length} of ${calls} calls failed`)
      .join('; ')
  }

  async #call(options: CallerOptions, tally: Tally): Promise<void> {
    const { host, port, ca, cert, key, keepAlive, expected } = options
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    while (!this.#isOver && !this.#left.has(tally)) {
      try {
        const sent = request({ host, port, family: 4, agent, ca, cert, key }).end()
        const [response] = await once(sent, 'response')
        const body = Buffer.concat(await response.toArray()).toString()
        if (body !== expected) tally.failures.push(body)
      } catch (error) {
        tally.failures.push(String(error))
      }
      tally.calls += 1
      this.#calling.emit('call')
    }
    agent.destroy()
  }
}
