import type { Decision } from '@countersign/core'
import { Refusal, type RequestContext, answer, contextOf } from '@countersign/core/adapter'
import type { Request, RequestHandler } from 'express'
import type { Route } from './framework.ts'
import { gateOf, mountPointOf, rememberGate } from './request-context.ts'
import { readDeclared, type Declared } from './route-declarations.ts'
import { boundHandler, boundRouters } from './scopes.ts'
import type { Way } from './way.ts'
import { waysBy, waysTo } from './ways-to-route.ts'

/** What a route declares, by each way that the request may have come. There are several only for one that could not be followed. */
type Declarations = readonly [Declared, ...Declared[]]

/** What is known of a route that has a gate. */
interface ProtectedRoute {
  readonly gate: RequestHandler
  /** Handlers may still be added, so what was read is good for one length of the stack only. */
  length: number
  /** What it declares by mount point and method. A router that is mounted twice has routes with two names and two floors. */
  byPoint: WeakMap<object, Map<string, Declarations | null>>
}

const protectedRoutes = new WeakMap<Route, ProtectedRoute>()

/** The gate of a route, once it has one. */
export const gateIn = (route: Route): object | undefined => protectedRoutes.get(route)?.gate

/**
 * Puts a gate before the first handler of a route: there the decision falls, with all that the route and the routers
 * before it declare. Done when Express has chosen the route and not yet entered it, so a route that is registered
 * late, nested or mounted is as protected as any.
 */
export function protectRoute(route: Route, router: object | undefined): void {
  if (protectedRoutes.has(route) || route.stack.length === 0) return
  const gate: RequestHandler = function countersignGate(request, response, next) {
    const context = contextOf(request)
    const declared = declaredFor(request, route)
    // Not of this guard, or a HEAD request to a route that answers neither HEAD nor GET: Express goes on to its 404.
    if (context === undefined || declared === undefined) next()
    else if (isPlainPreflight(declared, context)) next()
    else {
      rememberGate(request, declared[0])
      answer(decide(declared, context, request), response, next)
    }
  }
  // Known only once it stands there: else the next request would go by.
  insertFirst(route, gate)
  protectedRoutes.set(route, { gate, length: 0, byPoint: new WeakMap() })
  boundRouters(router)
  // A router that is called, not mounted, has no layer to be found. Express 5 asks the route itself to run.
  if (waysTo(route, router).length === 0) route.dispatch = boundHandler(route.dispatch)
}

/** True if the gate of the route that is running has decided with this declaration, which belongs to the route. */
export const isDecidedByRoute = (request: Request, declaration: object): boolean =>
  gateOf(request)?.handlers.has(declaration) === true

const isPlainPreflight = (declared: Declarations, context: RequestContext): boolean =>
  declared.every(({ isPlainOptions, registered }) => isPlainOptions && context.isPreflightFor(registered))

/** INVARIANT: nothing is allowed that one of the ways forbids, since the request may have come by any of them. */
function decide(
  declared: Declarations,
  context: RequestContext,
  request: Request,
  i = 0,
): Decision | Promise<Decision> {
  const { placement, name, registered, isBelowFloor, isMisplaced } = declared[i] ?? declared[0]
  if (isMisplaced) return context.refuse(misplaced, name)
  const decision = context.decide(placement, name, isBelowFloor, request.params, registered)
  if (i >= declared.length - 1) return decision
  const goOn = (settled: Decision): Decision | Promise<Decision> =>
    settled.outcome === 'allow' ? decide(declared, context, request, i + 1) : settled
  return decision instanceof Promise ? decision.then(goOn) : goOn(decision)
}

function declaredFor(request: Request, route: Route): Declarations | undefined {
  const known = protectedRoutes.get(route)
  if (known === undefined) return undefined
  if (known.length !== route.stack.length) {
    known.byPoint = new WeakMap()
    known.length = route.stack.length
  }
  const point = mountPointOf(request)
  let byMethod = known.byPoint.get(point ?? nowhere)
  // What stands for the method may be a caller's text.
  if (byMethod === undefined || byMethod.size > maxMethods) {
    known.byPoint.set(point ?? nowhere, (byMethod = new Map()))
  }
  const { method } = request
  let declared = byMethod.get(method)
  if (declared === undefined) {
    // Should it have come through a router that was mounted only now, the next one is followed there.
    boundRouters(point?.root)
    declared = readDeclarations(route, method, waysBy(point, route), known.gate)
    byMethod.set(method, declared)
  }
  return declared ?? undefined
}

function readDeclarations(
  route: Route,
  method: string,
  ways: readonly Way[],
  gate: object,
): Declarations | null {
  const [first, ...others] = ways.flatMap((way) => readDeclared(route, method, way, gate) ?? [])
  return first === undefined ? null : [first, ...others]
}

const nowhere = {}
const maxMethods = 64

// `route.all` alone would make the route answer methods that it does not have, so the gate borrows one it has.
function insertFirst(route: Route, gate: RequestHandler): void {
  const [method = '_all'] = Object.keys(route.methods)
  const verb = method === '_all' ? 'all' : method
  ;(route as unknown as Record<string, (handler: RequestHandler) => unknown>)[verb]?.(gate) // a verb that the route has
  const layer = route.stack.at(-1)
  if (layer?.handle !== gate) {
    throw new Error('this release of Express adds the handlers of a route in another way')
  }
  layer.method = undefined
  route.stack.unshift(...route.stack.splice(-1))
}

const misplaced = new Refusal('declaration_misplaced', {
  expected: 'what says who may call first on the route',
  actual: 'a handler before it',
  advice:
    "write app.get(path, requireScopes('…'), handler): the declaration comes before every other handler",
})
