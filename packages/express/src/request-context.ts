import type { Caller, Decision } from '@countersign/core'
import { CallerUnavailableError } from '@countersign/core'
import type { RequestContext } from '@countersign/core/adapter'
import type { Request } from 'express'
import type { Route } from './framework.ts'
import type { MountPoint } from './mount-point.ts'
import type { Declared } from './route-declarations.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who calls, verified. Throws `caller_unavailable` where the route has no caller. */
      readonly caller: Caller
    }
  }
}

/** A request, as far as this adapter is concerned: anything that a context can be attached to. */
interface Carrier {
  [attached]?: RequestContext
  [resolved]?: Route
  [mounted]?: MountPoint | undefined
  [gated]?: { readonly declared: Declared; readonly params: unknown }
}

const attached = Symbol('countersign context')
const resolved = Symbol('countersign route')
const mounted = Symbol('countersign mount point')
const gated = Symbol('countersign gate')

/** The context that `countersign()` attached; undefined where the request did not come through it. */
export const contextOf = (request: object): RequestContext | undefined => (request as Carrier)[attached] // ours alone: the symbol is not exported

export function attachContext(request: object, context: RequestContext): void {
  ;(request as Carrier)[attached] = context
}

/** The route that Express chose last. */
export const routeOf = (request: object): Route | undefined => (request as Carrier)[resolved]

export function rememberRoute(request: object, route: Route): void {
  ;(request as Carrier)[resolved] = route
}

/** The router that the request is in, and the way by which it came there; undefined as long as nobody has noted it. */
export const mountPointOf = (request: object): MountPoint | undefined => (request as Carrier)[mounted]

export function rememberMountPoint(request: object, point: MountPoint | undefined): void {
  ;(request as Carrier)[mounted] = point
}

/** Notes that the gate of a route has been reached, and what the route declares. */
export function rememberGate(request: Request, declared: Declared): void {
  ;(request as Carrier)[gated] = { declared, params: request.params }
}

/**
 * What is declared by the route whose gate was reached and that is still running. Express gives `params` anew with each layer that it enters,
 * so a request that has gone on, past whatever callback or error, does not pass for one that is still in the route.
 */
export function gateOf(request: Request): Declared | undefined {
  const gate = (request as Carrier)[gated]
  return gate !== undefined && gate.params === request.params ? gate.declared : undefined
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
