import type { Decision, Placement } from '@countersign/core'
import { answer } from '@countersign/core/adapter'
import { admit } from './admit.ts'
import { runBounded } from './bounded.ts'
import { asServerResponse, type Next, type NodeRequest, type NodeResponse } from './messages.ts'
import type { RouteList } from './route-list.ts'
import type { RouteName } from './route-name.ts'

/** What a router found in place of the names in a path. */
export type Params = Readonly<Record<string, unknown>>

/** The handler of a route. `given`: whatever the route was called with behind request and response. */
export type RouteHandler = (request: NodeRequest, response: NodeResponse, given?: Next | Params) => unknown

/** A handler that runs for whom the guard allows it to, and for the methods of its route. */
export function guardedRoute(
  routes: RouteList,
  name: RouteName,
  own: Placement | undefined,
  handler: RouteHandler,
): RouteHandler {
  const { allowed, spelled } = name
  // A preflight is a question, not a call: where nobody declares OPTIONS, its handler may say which requests are allowed.
  const isPlainOptions = name.method === 'OPTIONS' && own === undefined
  return (request, response, given) => {
    const next = typeof given === 'function' ? given : undefined
    const { method = '' } = request
    if (allowed?.includes(method) === false) {
      return next === undefined ? refuseMethod(response, allowed) : next()
    }
    return admit(routes, request, response, (context) => {
      // Before the decision: what the route is allowed ends with it.
      const end = context.begin(handler)
      const run = (): unknown =>
        next === undefined
          ? handler(request, response, given)
          : runBounded(end, next, (passOn) => handler(request, response, passOn))
      if (isPlainOptions && context.isPreflightFor(spelled)) return run()
      const decision = context.decide(own, name.of(method), false, paramsOf(request, given), spelled)
      return runAllowed(decision, response, run, next)
    })
  }
}

/** What the handler returns and throws is for whoever called the route; behind a promise, what it throws is for connect, if there is one. */
function runAllowed(
  decision: Decision | Promise<Decision>,
  response: NodeResponse,
  run: () => unknown,
  next: Next | undefined,
): unknown {
  const settle = (settled: Decision): unknown => {
    let result: unknown
    answer(settled, asServerResponse(response), () => {
      result = run()
    })
    return result
  }
  if (!(decision instanceof Promise)) return settle(decision)
  return decision.then((settled) => {
    try {
      return settle(settled)
    } catch (error) {
      if (next === undefined) throw error
      return next(error)
    }
  })
}

// RFC 9110 §15.5.6.
function refuseMethod(response: NodeResponse, allowed: readonly string[]): void {
  asServerResponse(response)
    .writeHead(405, { allow: allowed.join(', ') })
    .end()
}

// find-my-way gives them, polka and its like put them on the request.
function paramsOf(request: NodeRequest, given: Next | Params | undefined): Params | undefined {
  if (typeof given === 'object') return given
  const { params } = request as { readonly params?: Params } // where no router has put them, there are none
  return params
}
