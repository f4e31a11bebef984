import { Refusal } from '@countersign/core/adapter'
import type { Request, RequestHandler } from 'express'
import { answer } from './answer.ts'
import type { Route } from './framework.ts'
import type { MountPoint, Way } from './mount-point.ts'
import { contextOf, gateOf, mountPointOf, rememberGate } from './request-context.ts'
import { readDeclared, type Declared } from './route-declarations.ts'
import { boundRouters, walk } from './router-tree.ts'
import { boundHandler } from './scopes.ts'

/** What is known of a route that has a gate. */
interface ProtectedRoute {
  readonly gate: RequestHandler
  /** Handlers may still be added, so what was read is good for one length of the stack only. */
  length: number
  /** What it declares by mount point and method. A router that is mounted twice has routes with two names and two floors. */
  byPoint: WeakMap<object, Map<string, Declared | null>>
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
    else if (declared.isPlainOptions && context.isPreflight && context.decision === undefined) next()
    else {
      const { placement, name, registered, isBelowFloor, isMisplaced } = declared
      rememberGate(request, declared)
      answer(
        isMisplaced
          ? context.refuse(misplaced, name)
          : context.decide(placement, name, isBelowFloor, request.params, registered),
        response,
        next,
      )
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

function declaredFor(request: Request, route: Route): Declared | undefined {
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
    declared = readDeclared(route, method, wayTo(route, point), known.gate) ?? null
    byMethod.set(method, declared)
  }
  return declared ?? undefined
}

/**
 * The way by which a request came to a route. Where it was not followed, since the router was mounted only now, the way is the only
 * one that there is.
 */
function wayTo(route: Route, point: MountPoint | undefined): Way | undefined {
  const way = point?.wayTo((layer) => layer.route === route)
  if (way !== undefined) return way
  const ways = waysTo(route, point?.root)
  return ways.length === 1 ? ways[0] : undefined
}

function waysTo(route: Route, router: object | undefined): readonly Way[] {
  const ways: Way[] = []
  walk(router, { route: (found, way) => void (found === route && ways.push(way)) })
  return ways
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
