/** One route of a service, and who may call it. Plain data: `JSON.stringify(guard.census())` is a record of it. */
export interface CensusEntry {
  /** Upper-case, or `*` for every method that the route does not name. */
  readonly method: string
  /** As the framework registered it, such as `/orders/:id`. What the framework does not show is spelled `/…`. */
  readonly path: string
  /** What it asks of its caller in one line, routers before it included; null where nothing is asked and nobody gets in. */
  readonly requirement: string | null
  /** Every scope that is named in it. */
  readonly scopes: readonly string[]
  /**
   * `declared`: it, or a router before it, says who may call. `undeclared`: nobody says it, so it is refused, or held to the guard's
   * `undeclared`. `misplaced`: it says so behind another handler, and answers 500. `unguarded`: no guard stands before it.
   */
  readonly status: 'declared' | 'undeclared' | 'misplaced' | 'unguarded'
  /** Where the application says who may call, as `src/orders.ts:12`, below the working directory; null where that is not known. */
  readonly declaredAt: string | null
}

/** Lists the routes of an application as they are when it is asked. */
export type ListRoutes = () => readonly CensusEntry[]

/** The routes of all applications that adapters have put behind a guard. */
export class Census {
  readonly #lists = new Set<ListRoutes>()

  add(list: ListRoutes): void {
    this.#lists.add(list)
  }

  /** Two routes may be spelled alike, where a framework does not show all of a path: neither hides the other. */
  entries(): readonly CensusEntry[] {
    return Object.freeze([...this.#lists].flatMap((list) => list()))
  }

  /** Every scope that some route asks for. */
  scopes(): readonly string[] {
    return [...new Set(this.entries().flatMap(({ scopes }) => scopes))].toSorted()
  }
}

/** A route as people and policy documents spell it, such as `GET /orders/:id`. */
export const spelled = ({ method, path }: Pick<CensusEntry, 'method' | 'path'>): string => `${method} ${path}`

/** A bounded list of routes, for a message. */
export function listed(routes: readonly string[]): string {
  const shown = routes.slice(0, maxListed).map((route) => `\`${printable(route)}\``)
  const more = routes.length > maxListed ? ` and ${routes.length - maxListed} more` : ''
  return `${shown.join(', ')}${more}`
}

/**
 * A census as a table for people, one route a line: `console.log(formatCensus(guard.census()))`. For programs, the census itself is
 * plain data.
 */
export function formatCensus(entries: readonly CensusEntry[]): string {
  if (entries.length === 0) return 'no routes'
  const rows = entries.map((entry) => [entry.method, entry.path, asked(entry), entry.declaredAt ?? '-'])
  const table = [['METHOD', 'PATH', 'REQUIREMENT', 'DECLARED AT'], ...rows].map((row) => row.map(printable))
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function asked({ requirement, status }: CensusEntry): string {
  if (status === 'declared') return requirement ?? '-'
  return requirement === null ? `(${status})` : `${requirement} (${status})`
}

// A path or a reason may hold a line end, which would pass for another row.
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')

const maxListed = 20
