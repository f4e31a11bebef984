/** One route of a service, and who may call it. */
export interface CensusEntry {
  /** Upper-case, or `*` for every method. */
  readonly method: string
  /** As the framework registered it, such as `/orders/:id`. */
  readonly path: string
  /** What it asks of its caller in one line; null where nothing was declared. */
  readonly requirement: string | null
  /** Every scope that is named in it. */
  readonly scopes: readonly string[]
}

/** The routes that adapters have seen. A route seen again takes the place of its earlier entry. */
export class Census {
  readonly #entries = new Map<string, CensusEntry>()

  record(entry: CensusEntry): void {
    if (this.#entries.size < maxRoutes) {
      this.#entries.set(`${entry.method} ${entry.path}`, Object.freeze({ ...entry }))
    }
  }

  entries(): readonly CensusEntry[] {
    return [...this.#entries.values()]
  }

  /** Every scope that some route asks for. */
  scopes(): readonly string[] {
    return [...new Set(this.entries().flatMap(({ scopes }) => scopes))].toSorted()
  }

  /** The routes that say nothing, as `GET /orders/:id`; undefined where there are none. */
  undeclared(): readonly string[] | undefined {
    const routes = this.entries().filter(({ requirement }) => requirement === null)
    return routes.length === 0 ? undefined : routes.map(({ method, path }) => `${method} ${path}`)
  }
}

const maxRoutes = 10_000
