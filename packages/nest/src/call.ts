import type { Allow, Decision, Deny, Placement } from '@countersign/core'
import { Refusal, Requirement, spelled, type Guard, type RequestContext } from '@countersign/core/adapter'
import type { Spelling } from './entry-points.ts'

/** What is asked about. */
export interface Asked {
  readonly context: RequestContext
  /** What its path has in place of the names in it. */
  readonly params?: Readonly<Record<string, unknown>>
  /** The method as events name it, where that is not the registered one. Never a caller's text. */
  readonly method?: string
  /** Why nobody can tell who calls, whatever was sent. What asks for a caller is refused then. */
  readonly hindrance?: Refusal
  /** Why it is refused, whatever its handler says. */
  readonly end?: Refusal
  /** By which of the names of its handler it was called; all that it may have been by where that cannot be told. */
  narrow?(spellings: readonly Spelling[]): readonly Spelling[]
}

/** A call on its way to a handler, whatever it came by. */
export interface Call extends Asked {
  /** The handler is about to run. */
  allow(decision: Allow): void
  /** Ends the call: it throws, or what it returns never settles. It never lets the handler run. */
  refuse(decision: Deny): Promise<never>
}

/** What is known of the handler of a call. */
export interface Declared {
  readonly placement: Placement | undefined
  readonly spellings: readonly Spelling[]
}

/**
 * Decides for the handler of a call. INVARIANT: where nobody can tell by which of its names it was called, nothing is allowed that one
 * of them forbids.
 */
export function decide(
  call: Asked,
  { placement, spellings }: Declared,
  guard: Guard,
): Decision | Promise<Decision> {
  const names = spellings.length > 1 ? (call.narrow?.(spellings) ?? spellings) : spellings
  const [first, ...others] = names
  return others.length === 0 && first !== undefined
    ? decideAs(first, call, placement, guard)
    : decideAll(call, [{ placement, spellings: names }], guard)
}

/** The same for all of several, each by all of its names: the first refusal counts. */
export function decideAll(
  call: Asked,
  declared: readonly Declared[],
  guard: Guard,
): Decision | Promise<Decision> {
  const all = declared.flatMap(({ placement, spellings }) => spellings.map((name) => ({ placement, name })))
  const from = (i: number): Decision | Promise<Decision> => {
    const each = all[i]
    if (each === undefined) return call.context.refuse(nameless, 'a handler without a name')
    const decision = decideAs(each.name, call, each.placement, guard)
    if (i === all.length - 1) return decision
    const goOn = (settled: Decision): Decision | Promise<Decision> =>
      settled.outcome === 'allow' ? from(i + 1) : settled
    return decision instanceof Promise ? decision.then(goOn) : goOn(decision)
  }
  return from(0)
}

function decideAs(
  name: Spelling,
  { context, params, method, hindrance, end }: Asked,
  placement: Placement | undefined,
  guard: Guard,
): Decision | Promise<Decision> {
  const registered = spelled(name)
  const route = method === undefined ? registered : spelled({ ...name, method })
  if (end !== undefined) return context.refuse(end, route)
  if (hindrance !== undefined) {
    const asked = placement ?? guard.documentOf(registered)?.placement ?? guard.undeclared
    if (asked instanceof Requirement) return context.refuse(hindrance, route)
  }
  return context.decide(placement, route, false, params, registered)
}

const nameless = new Refusal('route_undeclared', {
  expected: 'a handler that Nest had when the application was put together',
  actual: 'one that nobody has seen',
  advice:
    'put its controller into the `controllers` of a module that the application imports, not one that is loaded later',
})
