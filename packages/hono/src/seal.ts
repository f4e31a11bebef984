import { type Guard, type SealAdvice, listed, sealCensus } from '@countersign/core/adapter'
import { ConfigurationError } from '@countersign/core'
import type { Application } from './framework.ts'
import { twoGuards } from './mistakes.ts'
import { isRequirement, type Part, partsOf, spellingOf } from './parts.ts'
import { isOnTheWay, routeCensus } from './route-census.ts'

/** The guards whose applications are known, with the routes of each. */
const known = new WeakMap<Guard, WeakSet<object>>()

/** True if an application of the guard was sealed. */
export const isSealed = (guard: Guard): boolean => known.has(guard)

/**
 * Makes the routes of an application known to the census and checks them, before it listens: `await sealRoutes(app)`, when all of them
 * are registered. Rejects with a ConfigurationError that names every declaration that comes too late on its route and, under
 * `undeclared: 'fail-start'`, every route of which nobody says who may call it; otherwise those are told to the log. Routes that are
 * added later are guarded as ever.
 */
export function sealRoutes(app: Application): Promise<void> {
  return new Promise((resolve) => {
    const parts = partsOf(app.routes)
    const guards = guardsOf(parts)
    if (guards.size === 0) throw notUsed()
    const beside = parts.some(({ ownGuard }) => ownGuard !== undefined) ? besideGuarded(parts) : undefined
    if (beside !== undefined) throw new ConfigurationError('guardHandlers', beside)
    for (const guard of guards) seal(app, guard, parts)
    resolve()
  })
}

/** What stands in an application beside handlers that ask their guard themselves: nobody would be asked there. */
export function besideGuarded(parts: readonly Part[]): string | undefined {
  const others = parts.filter(({ ownGuard }) => ownGuard === undefined).map(spellingOf)
  return others.length === 0
    ? undefined
    : `${listed(others)} is open: make every handler with guardHandlers(app, guard), or put app.use(countersign(guard)) before all and requireScopes('…') on each route`
}

function seal(app: Application, guard: Guard, parts: readonly Part[]): void {
  const listRoutes = routeCensus(app, guard)
  const sealed = known.get(guard) ?? new WeakSet()
  known.set(guard, sealed)
  if (!sealed.has(app.routes)) guard.register(listRoutes)
  sealed.add(app.routes)
  // What asks nothing speaks for a handler beside it. Alone, it would open nothing, or everything.
  const alone = parts.filter(
    ({ placement, hasHandler }) => placement !== undefined && !hasHandler && !isRequirement(placement),
  )
  sealCensus(guard, listRoutes(), advice, alone.map(spellingOf))
}

function guardsOf(parts: readonly Part[]): ReadonlySet<Guard> {
  const standing = parts.filter(({ guard }) => guard !== undefined)
  const isSecond = standing.some((part, i) =>
    standing.slice(0, i).some((earlier) => earlier.guard !== part.guard && isOnTheWay(earlier, part)),
  )
  if (isSecond) throw twoGuards()
  return new Set(parts.flatMap(({ guard, ownGuard }) => guard ?? ownGuard ?? []))
}

const notUsed = (): ConfigurationError =>
  new ConfigurationError(
    'guard',
    'the application does not use it: write app.use(countersign(guard)) before its routes',
  )

const advice: SealAdvice = {
  misplaced: "write app.get(path, requireScopes('…'), handler)",
  undeclared: "put requireScopes('…') first on each, or unprotected('why') if everybody may call it",
  unguarded: 'put app.use(countersign(guard)) before every route',
}
