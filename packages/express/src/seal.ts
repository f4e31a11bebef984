import { ConfigurationError } from '@countersign/core'
import {
  reportUnsealed as reportUnsealedRoutes,
  sealCensus,
  type Guard,
  type SealAdvice,
} from '@countersign/core/adapter'
import type { Application } from 'express'
import { routerOf } from './framework.ts'
import { installOn, isPartOfAnother } from './install.ts'
import { routeCensus } from './route-census.ts'
import { asks, walk } from './router-tree.ts'

/**
 * Checks the routes of an application before it listens: `await sealRoutes(app)`, when all of them are registered. Rejects with a
 * ConfigurationError that names every declaration that comes too late on its route and, under `undeclared: 'fail-start'`, every route
 * of which nobody says who may call it; otherwise those are told to the log. Routes that are added later are guarded as ever.
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
  const routes = routeCensus(app, guard)()
  sealCensus(guard, routes, advice, declarationsAlone(app))
}

/** Tells the operator which routes are refused, where the first request came before the application was sealed. */
export function reportUnsealed(app: Application, guard: Guard): void {
  if (isPartOfAnother(app, guard)) return
  reportUnsealedRoutes(guard, routeCensus(app, guard)(), 'await sealRoutes(app)')
}

function guardsOf(app: Application): ReadonlySet<Guard> {
  const guards = new Set<Guard>()
  walk(routerOf(app), {
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

// What asks nothing speaks for a handler beside it. Alone, it would open nothing, or everything.
function declarationsAlone(app: Application): readonly string[] {
  const paths: string[] = []
  walk(routerOf(app), {
    declaration(declaration, path, beside) {
      if (beside === undefined && !asks(declaration)) paths.push(`use ${path === '' ? '/' : path}`)
    },
  })
  return paths
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
