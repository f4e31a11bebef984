import type { Context } from 'hono'
import { METHODS } from 'hono/router'
import type { H, RouterRoute } from 'hono/types'

/*
 * What this adapter looks at beyond Hono's documented API: the list of all that was matched for a request, from which Hono
 * takes one handler after the other. It has had this shape since Hono 4.8; the tests run on the first release and the last.
 */

/** A handler that was matched, and how it was registered. */
export type MatchedEntry = [entry: [handler: H, route: RouterRoute], params: unknown]

/** What was matched for a request, in the order in which it runs. Most routers make one list for all requests to a route. */
export function matchedList({ req }: Context): MatchedEntry[] {
  const known = matchedSymbol === undefined ? undefined : listBehind(req, matchedSymbol)
  if (known !== undefined) return known
  for (const symbol of Object.getOwnPropertySymbols(Object.getPrototypeOf(req))) {
    const list = listBehind(req, symbol)
    if (list === undefined) continue
    matchedSymbol = symbol
    return list
  }
  throw new Error('this release of Hono keeps what it has matched in another way')
}

/** Where it was found last: there is one such symbol for each copy of Hono. */
let matchedSymbol: symbol | undefined

function listBehind(req: Context['req'], symbol: symbol): MatchedEntry[] | undefined {
  const matched: unknown = Reflect.get(req, symbol)
  const list: unknown = Array.isArray(matched) ? matched[0] : undefined
  return Array.isArray(list) && typeof list[req.routeIndex]?.[0]?.[0] === 'function' ? list : undefined
}

/** What the path has in place of the names in it, for the handler that runs now. Hono decodes it anew each time, so whoever needs it asks. */
export function paramsOf({ req }: Context): () => Readonly<Record<string, string>> {
  const { routeIndex } = req
  return () => {
    const current = req.routeIndex
    req.routeIndex = routeIndex
    try {
      return req.param()
    } finally {
      req.routeIndex = current
    }
  }
}

/** What has routes, in the order in which they were registered. */
export interface Application {
  readonly routes: readonly RouterRoute[]
}

/** The method of what was registered for every method, by `all` and by `use`. */
export const everyMethod = 'ALL'

/** A path as a router sees it: `use(…)` without one is registered for all of them. */
export const endsInWildcard = (path: string): boolean => path.endsWith('*')

/** The method of a request, for events and logs: `*` where it is a caller's own text. */
export const knownMethod = (method: string): string => (known.has(method) ? method : '*')

const known: ReadonlySet<string> = new Set(['HEAD', ...METHODS.map((method) => method.toUpperCase())])
