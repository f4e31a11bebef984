import { ConfigurationError } from '@countersign/core'
import {
  reportUnsealed as reportUnsealedRoutes,
  sealCensus,
  type Guard,
  type SealAdvice,
} from '@countersign/core/adapter'
import { walk } from './application-tree.ts'
import type { Application } from './framework.ts'
import { installOn } from './install.ts'
import { routeCensus } from './route-census.ts'

/**
 * Checks the routes of an application before it listens: `await sealRoutes(app)`, when all of them are registered. Rejects with a
 * ConfigurationError that names every declaration that comes too late on its route and, under `undeclared: 'fail-start'`, every route
 * of which nobody says who may call it; otherwise those are told to the log. Routes that are added later are guarded as ever, and so
 * are those of a router that stands behind a function, such as `mount(path, router.routes())`: they cannot be seen at the start.
 */
export function sealRoutes(app: Application): Promise<void> {
  return new Promise((resolve) => {
    const guards = guardsOf(app)
    if (guards.size === 0) throw notUsed()
    for (const guard of guards) seal(app, guard)
    resolve()
  })
}

/** The same at once, for one guard. Throws where the application does not use it, and would be open. */
export function seal(app: Application, guard: Guard): void {
  if (!guardsOf(app).has(guard)) throw notUsed()
  installOn(app, guard)
  const alone: string[] = []
  walk(app, { alone: () => void alone.push('use /') })
  sealCensus(guard, routeCensus(app, guard)(), advice, alone)
}

/** Tells the operator which routes are refused, where the first request came before the application was sealed. */
export const reportUnsealed = (app: Application, guard: Guard): void =>
  reportUnsealedRoutes(guard, routeCensus(app, guard)(), 'await sealRoutes(app)')

function guardsOf(app: Application): ReadonlySet<Guard> {
  const guards = new Set<Guard>()
  walk(app, {
    guard(guard, way) {
      guards.add(guard)
      if (way.guard === undefined || way.guard === guard) return
      throw new ConfigurationError(
        'countersign',
        'two guards stand on one way: mount one guard, or give both the same',
      )
    },
  })
  return guards
}

const notUsed = (): ConfigurationError =>
  new ConfigurationError(
    'guard',
    'the application does not use it: write app.use(countersign(guard)) before its routers',
  )

const advice: SealAdvice = {
  misplaced: "write router.get(path, requireScopes('…'), handler), and app.use(unprotected('why', handler))",
  undeclared: "put requireScopes('…') first on each, or unprotected('why') if everybody may call it",
  unguarded: 'put app.use(countersign(guard)) before every router',
}
