import { ConfigurationError, type CensusEntry, type Guard } from '@countersign/core'
import { listed, sealCensus, type ListRoutes, type SealAdvice } from '@countersign/core/adapter'
import type { FastifyInstance } from 'fastify'
import { guardOf, isGuarded } from './contexts.ts'
import type { DeclaredRoute } from './declared-route.ts'

/** What is known of an application while it is put together. */
export interface Application {
  readonly routes: readonly DeclaredRoute[]
  readonly guards: Set<Guard>
  /** True if routes were registered before anybody looked. */
  readonly hasUnseenRoutes: boolean
}

/**
 * Makes an application ready, which checks its routes: `await sealRoutes(app)`. `app.ready()` and `app.listen()` do the same. Rejects as
 * they do, with a ConfigurationError, and where the application uses no guard at all.
 */
export async function sealRoutes(app: FastifyInstance): Promise<void> {
  await app.ready()
  if (!isGuarded(app)) throw new ConfigurationError('guard', notUsed)
}

/**
 * Checks an application that is ready. Throws a ConfigurationError that names every route which says who may call it and has no guard
 * before it and, under `undeclared: 'fail-start'`, every route of which nobody says it; otherwise those are told to the log.
 */
export function seal({ routes, guards, hasUnseenRoutes }: Application): void {
  rejectWhere(routes, (route) => route.isDeclared && guardOf(route.context) === undefined, noGuard)
  rejectWhere(routes, (route) => !route.isKnown, replacedConfig)
  for (const guard of guards) {
    const listRoutes = routeCensus(routes, guard)
    guard.register(listRoutes)
    if (hasUnseenRoutes && guard.failsStart) throw new ConfigurationError('undeclared', unseen)
    sealCensus(guard, listRoutes(), advice)
    if (hasUnseenRoutes) guard.reportServing(unseen)
  }
}

/** Lists routes for their guard, and those that have none, anew only where policy was replaced. */
function routeCensus(routes: readonly DeclaredRoute[], guard: Guard): ListRoutes {
  let policy: object | undefined
  let entries: readonly CensusEntry[] | undefined
  return () => {
    if (entries === undefined || guard.policyInForce !== policy) {
      policy = guard.policyInForce
      entries = routes.flatMap((route) => {
        const standing = guardOf(route.context)
        return standing === undefined || standing === guard ? route.entries(standing) : []
      })
    }
    return entries
  }
}

function rejectWhere(
  routes: readonly DeclaredRoute[],
  isWrong: (route: DeclaredRoute) => boolean,
  [option, problem]: readonly [string, string],
): void {
  const wrong = routes.filter(isWrong).map(({ spelling }) => spelling)
  if (wrong.length > 0) throw new ConfigurationError(option, `${problem} (${listed(wrong)})`)
}

const noGuard = [
  'countersign',
  'a route says who may call it, and no guard stands before it: write await app.register(countersign({ … })) in its context or in one above; a plugin that registers it for others has to be made by fastify-plugin',
] as const
const notUsed =
  'the application does not use it: write await app.register(countersign(guard)) before its routes'
const replacedConfig = [
  'config',
  'an onRoute hook has put another object in its place: write routeOptions.config = { ...routeOptions.config, … }',
] as const
const unseen =
  "routes were registered before anybody looked, and are refused: import '@countersign/fastify' before fastify() is called, or register the guard before them"
const advice: SealAdvice = {
  misplaced: "write app.get(path, requireScopes('…'), handler)",
  undeclared:
    "write app.get(path, requireScopes('…'), handler), or unprotected('why') in its place if everybody may call it",
  unguarded: 'register countersign(guard) in a context that all of them are in or below',
}
