import { setTimeout as wait } from 'node:timers/promises'
import { Load, type Figures } from '../../issuers/support/load.ts'
import type { Service } from '../../issuers/support/service.ts'

/** Callers who call one after the other without end, each with the newest token that it could get. */
export class SteadyLoad {
  readonly #load: Load
  readonly #newToken: () => Promise<string>
  readonly #callers: Promise<void>[]
  readonly #renewal: Promise<void>
  #token: string
  #isOver = false

  private constructor(service: Service, first: string, newToken: () => Promise<string>) {
    this.#load = new Load(service, callers)
    this.#newToken = newToken
    this.#token = first
    this.#callers = Array.from({ length: callers }, (_, caller) => this.#callOn(caller))
    this.#renewal = this.#renew()
  }

  static async start(service: Service, newToken: () => Promise<string>): Promise<SteadyLoad> {
    return new SteadyLoad(service, await newToken(), newToken)
  }

  /** One call more, with this token. */
  async call(token: string): Promise<string> {
    return this.#load.call(0, token)
  }

  get figures(): Figures {
    return this.#load.figures
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#callers, this.#renewal])
    this.#load.close()
  }

  async #callOn(caller: number): Promise<void> {
    while (!this.#isOver) {
      await this.#load.call(caller, this.#token)
      await wait(pauseMs)
    }
  }

  // As clients do: where none can be had, the one at hand is good for a while yet.
  async #renew(): Promise<void> {
    while (!this.#isOver) {
      await wait(renewalMs)
      this.#token = await this.#newToken().catch(() => this.#token)
    }
  }
}

const callers = 8
const pauseMs = 20
const renewalMs = 1000
