import type { Clock } from '../../clock/clock.ts'
import { discover, type Discovery } from '../trust/discover.ts'
import type { FetchedDocument } from '../trust/fetch-document.ts'

interface EndpointOptions extends Omit<Discovery, 'member'> {
  readonly ask: (url: URL) => Promise<FetchedDocument>
  readonly clock: Clock
}

/** The introspection endpoint that an issuer's metadata names: asked for once, and anew in the background. */
export class DiscoveredEndpoint {
  readonly #options: EndpointOptions
  #endpoint: URL | undefined
  #triedAt = -Infinity
  #inFlight: Promise<URL> | undefined

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** Rejects with a sentence for the operator where there is none. That is not remembered: the next one asks again. */
  find(): URL | Promise<URL> {
    if (this.#endpoint === undefined) return this.#discover()
    const age = this.#options.clock.now() - this.#triedAt
    if (age > maxAgeMs || age < 0) void this.#discover().catch(() => undefined) // what is known goes on serving
    return this.#endpoint
  }

  #discover(): Promise<URL> {
    this.#triedAt = this.#options.clock.now()
    this.#inFlight ??= this.#read().finally(() => {
      this.#inFlight = undefined
    })
    return this.#inFlight
  }

  async #read(): Promise<URL> {
    const { ask, ...where } = this.#options
    this.#endpoint = await discover({ ...where, member: 'introspection_endpoint' }, ask)
    return this.#endpoint
  }
}

const maxAgeMs = 10 * 60_000
