import { CallerUnavailableError } from '../caller-unavailable-error.ts'
import type { RequestContext } from '../context.ts'
import type { Decision } from '../decision/decision.ts'
import type { Caller } from '../identity/caller.ts'

/** What a context is attached to: the object that a framework hands around for one request. */
interface Carrier {
  [attached]?: RequestContext
}

const attached = Symbol('countersign context')

/** The context that an adapter attached; undefined where the request did not come through a guard. */
export const contextOf = (request: object): RequestContext | undefined => (request as Carrier)[attached] // ours alone: the symbol is not exported

export function attachContext(request: object, context: RequestContext): void {
  ;(request as Carrier)[attached] = context
}

/** Who calls, or undefined on a route that may have no caller. */
export function callerOf(request: object): Caller | undefined {
  const decision = contextOf(request)?.decision
  return decision?.outcome === 'allow' ? decision.caller : undefined
}

/**
 * What was decided for a request, allowed or refused, such as for `guard.explain(decision)` when its response has ended. Undefined
 * where nothing was decided yet, or no guard saw it.
 */
export const decisionOf = (request: object): Decision | undefined => contextOf(request)?.decision

/** Who calls. Throws a CallerUnavailableError where nobody was identified. */
export function requireCaller(request: object): Caller {
  const caller = callerOf(request)
  if (caller === undefined) throw new CallerUnavailableError()
  return caller
}
