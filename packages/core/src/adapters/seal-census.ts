import { listed, spelled, type CensusEntry } from '../census.ts'
import { ConfigurationError } from '../configuration-error.ts'
import type { Guard } from '../guard.ts'

/** What to write, in the words of a framework. */
export interface SealAdvice {
  /** Such as `write app.get(path, requireScopes('…'), handler)`. */
  readonly misplaced: string
  readonly undeclared: string
  readonly unguarded: string
}

/**
 * Checks the routes of an application before it listens. Throws a ConfigurationError that names every declaration that comes too late
 * and, under `undeclared: 'fail-start'`, every route of which nobody says who may call it; otherwise those are told to the log.
 * `alone`: declarations that stand beside no handler.
 */
export function sealCensus(
  guard: Guard,
  routes: readonly CensusEntry[],
  advice: SealAdvice,
  alone: readonly string[] = [],
): void {
  const spelledWith = (status: CensusEntry['status']): readonly string[] =>
    routes.filter((route) => route.status === status).map(spelled)
  const misplaced = [...spelledWith('misplaced'), ...alone]
  const undeclared = problem(
    spelledWith('undeclared'),
    (names) => `nobody says who may call ${names}: ${advice.undeclared}`,
  )
  const unguarded = problem(
    spelledWith('unguarded'),
    (names) => `no guard stands before ${names}: ${advice.unguarded}`,
  )
  const problems = [
    ...problem(
      misplaced,
      (names) =>
        `a handler comes before what says who may call, or there is none behind it, at ${names}: ${advice.misplaced}`,
    ),
    ...(guard.failsStart ? [...undeclared, ...unguarded] : []),
  ]
  if (problems.length > 0) throw new ConfigurationError(misplaced[0] ?? 'undeclared', problems.join('; '))
  reportUndeclared(guard, routes)
  // One guard may serve applications that are sealed later: so what a document says in vain stops no start.
  const unknown = problem(
    guard.unknownRoutes([...guard.census(), ...routes]),
    (names) =>
      `the policy document speaks of ${names}, and no route so far is spelled so: guard.census() has the spelling`,
  )
  for (const text of [...unguarded, ...unknown]) guard.reportServing(text)
}

/** Tells the operator which routes are refused, where the first request came before the application was sealed. */
export function reportUnsealed(guard: Guard, routes: readonly CensusEntry[], howToSeal: string): void {
  if (guard.failsStart) {
    guard.reportServing(
      `\`undeclared: 'fail-start'\` has stopped nothing: write \`${howToSeal}\` before the application listens`,
    )
  }
  reportUndeclared(guard, routes)
}

function reportUndeclared(guard: Guard, routes: readonly CensusEntry[]): void {
  guard.reportUndeclared(routes.filter(({ status }) => status === 'undeclared'))
}

const problem = (routes: readonly string[], tell: (names: string) => string): readonly string[] =>
  routes.length === 0 ? [] : [tell(listed(routes))]
