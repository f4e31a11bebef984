import { ConfigurationError } from '@countersign/core'
import { joinPlacements, type Guard, type Placement } from '@countersign/core/adapter'
import type { FastifyInstance } from 'fastify'

/** What `everyRoute` says in a context. */
interface Around {
  readonly placement: Placement
  readonly declaredAt: string | null
}

const guards = new WeakMap<object, Guard>()
const guarded = new WeakSet<object>()
const said = new WeakMap<object, readonly Around[]>()

/** Puts a guard before a context and all below it. False where it stands there already. */
export function standBefore(context: FastifyInstance, guard: Guard): boolean {
  const standing = guards.get(context)
  if (standing !== undefined && standing !== guard) throw twoGuards()
  guards.set(context, guard)
  for (const each of lineOf(context)) guarded.add(each)
  return standing === undefined
}

/** True if a guard stands before a context or one below it. */
export const isGuarded = (context: FastifyInstance): boolean => guarded.has(context)

/** The guard that stands before a context. Throws a ConfigurationError where there are two: they would disagree about who calls. */
export function guardOf(context: FastifyInstance): Guard | undefined {
  const [nearest, ...others] = lineOf(context).flatMap((each) => guards.get(each) ?? [])
  if (others.some((other) => other !== nearest)) throw twoGuards()
  return nearest
}

export const twoGuards = (): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    'two guards saw one request: register one guard, or give both the same',
  )

/** Says something of every route of a context and of those below it. */
export function sayAround(context: FastifyInstance, around: Around): void {
  said.set(context, [...(said.get(context) ?? []), around])
}

/** All that is said around a context as one, and where the nearest of it was said. */
export function aroundOf(context: FastifyInstance): Partial<Around> {
  const all = lineOf(context).flatMap((each) => said.get(each) ?? [])
  const placement = joinPlacements(all.map((each) => each.placement).toReversed())
  return { ...all[0], ...(placement && { placement }) }
}

// A context inherits from the one that it was registered in, up to the application itself.
function lineOf(context: object): readonly object[] {
  const above: object | null = Object.getPrototypeOf(context)
  return above === null ? [context] : [context, ...lineOf(above)]
}
