import { ConfigurationError } from '@countersign/core'
import { listed, spelled, type Guard } from '@countersign/core/adapter'
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
  const undeclared = routes.filter(({ status }) => status === 'undeclared')
  const unguarded = routes.filter(({ status }) => status === 'unguarded')
  const misplaced = [
    ...routes.filter(({ status }) => status === 'misplaced').map(spelled),
    ...declarationsAlone(app),
  ]
  const problems = [
    ...misplacedProblem(misplaced),
    ...(guard.failsStart ? undeclaredProblem(undeclared.map(spelled)) : []),
    ...(guard.failsStart ? unguardedProblem(unguarded.map(spelled)) : []),
  ]
  if (problems.length > 0) throw new ConfigurationError(misplaced[0] ?? 'undeclared', problems.join('; '))
  guard.reportUndeclared(undeclared)
  for (const problem of [
    ...unguardedProblem(unguarded.map(spelled)),
    ...unknownProblem(guard.unknownRoutes([...guard.census(), ...routes])),
  ]) {
    guard.reportServing(problem)
  }
}

/** Tells the operator which routes are refused, where the first request came before the application was sealed. */
export function reportUnsealed(app: Application, guard: Guard): void {
  if (isPartOfAnother(app, guard)) return
  if (guard.failsStart) {
    guard.reportServing(
      "`undeclared: 'fail-start'` has stopped nothing: write `await sealRoutes(app)` before the application listens",
    )
  }
  guard.reportUndeclared(routeCensus(app, guard)().filter(({ status }) => status === 'undeclared'))
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

function misplacedProblem(places: readonly string[]): readonly string[] {
  if (places.length === 0) return []
  return [
    `a handler comes before what says who may call, or there is none behind it, at ${listed(places)}: write app.get(path, requireScopes('…'), handler)`,
  ]
}

function undeclaredProblem(routes: readonly string[]): readonly string[] {
  if (routes.length === 0) return []
  return [
    `nobody says who may call ${listed(routes)}: put requireScopes('…') first on each, or unprotected('why') if everybody may call it`,
  ]
}

function unguardedProblem(routes: readonly string[]): readonly string[] {
  if (routes.length === 0) return []
  return [`no guard stands before ${listed(routes)}: put app.use(countersign(guard)) before every route`]
}

// One guard may serve applications that are sealed later: so it stops no start.
function unknownProblem(routes: readonly string[]): readonly string[] {
  if (routes.length === 0) return []
  return [
    `the policy document speaks of ${listed(routes)}, and no route so far is spelled so: guard.census() has the spelling`,
  ]
}
