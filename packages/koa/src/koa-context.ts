import type { Caller, Decision } from '@countersign/core'
import * as attached from '@countersign/core/adapter'
import type { Context } from 'koa'

declare module 'koa' {
  interface DefaultContext {
    /** Who calls, verified. Throws `caller_unavailable` where the route has no caller. */
    readonly caller: Caller
  }
}

/** Any context of Koa or of its routers. */
type OfRequest = Pick<Context, 'req'>

/** Who calls, or undefined on a route that may have no caller. */
export const callerOf = ({ req }: OfRequest): Caller | undefined => attached.callerOf(req)

/**
 * What was decided for a request, allowed or refused, such as for `guard.explain(decision)` when its response has ended. Undefined
 * where nothing was decided yet, or no guard saw it.
 */
export const decisionOf = ({ req }: OfRequest): Decision | undefined => attached.decisionOf(req)
