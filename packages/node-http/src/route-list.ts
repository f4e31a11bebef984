import { ConfigurationError, type CensusEntry } from '@countersign/core'
import {
  censusEntry,
  reportUnsealed,
  sealCensus,
  type Guard,
  type KnownRoute,
} from '@countersign/core/adapter'

/** The routes of one `countersign(…)`, as its guard lists them. */
export class RouteList {
  readonly guard: Guard
  readonly #known: KnownRoute[] = []
  #entries: readonly CensusEntry[] = []
  #policy: object | undefined
  #isTold = false

  constructor(guard: Guard) {
    this.guard = guard
    guard.register(() => this.entries())
  }

  add(route: KnownRoute): void {
    this.#known.push(route)
  }

  /** Made anew only where routes were added or policy was replaced. */
  entries(): readonly CensusEntry[] {
    const { guard } = this
    if (this.#entries.length !== this.#known.length || guard.policyInForce !== this.#policy) {
      this.#entries = this.#known.map((route) => censusEntry(route, guard))
      this.#policy = guard.policyInForce
    }
    return this.#entries
  }

  seal(): void {
    this.#isTold = true
    sealCensus(this.guard, this.entries(), advice)
  }

  /** With the first request: tells the operator which routes are refused, where nobody has sealed them. */
  reportUnsealed(): void {
    if (this.#isTold) return
    this.#isTold = true
    reportUnsealed(this.guard, this.entries(), 'await sealRoutes(service)')
  }

  /** Makes something known as what these routes are behind. */
  mark<Made extends object>(made: Made): Made {
    lists.set(made, this)
    return made
  }

  /** Throws a ConfigurationError for what was not made by `countersign`: it would be open. */
  static of(made: object): RouteList {
    const list = lists.get(made)
    if (list !== undefined) return list
    throw new ConfigurationError(
      'guard',
      'no guard stands before this: write const service = countersign(guard), and service.listener(…) for a server',
    )
  }
}

const lists = new WeakMap<object, RouteList>()

const advice = {
  misplaced: "write service.route('GET /path', requireScopes('…'), handler)",
  undeclared:
    "write service.route('GET /path', requireScopes('…'), handler), or unprotected('why') if everybody may call it",
  unguarded: 'write service.route(…) with the service that countersign(guard) has made',
}
