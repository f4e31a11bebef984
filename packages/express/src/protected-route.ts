import type { Placement } from '@countersign/core'
import { Refusal, joinPlacements } from '@countersign/core/adapter'
import type { Request, RequestHandler } from 'express'
import { answer } from './answer.ts'
import type { Route } from './framework.ts'
import { routePath } from './paths.ts'
import { placementOf } from './placements.ts'
import { contextOf, gateOf, rememberGate } from './request-context.ts'
import { boundRouters, walk } from './router-tree.ts'
import { boundHandler } from './scopes.ts'

/** What one route declares for one method; undefined where it does not handle the method. */
interface Declared {
  /** Undefined where nothing was declared. */
  readonly placement: Placement | undefined
  readonly isMisplaced: boolean
  readonly handlers: ReadonlySet<object>
}

interface ProtectedRoute {
  readonly gate: RequestHandler
  /** Handlers may still be added, so what was read is good for one length of the stack only. */
  length: number
  readonly byMethod: Map<string, Declared | undefined>
}

const protectedRoutes = new WeakMap<Route, ProtectedRoute>()

/**
 * Puts a gate before the first handler of a route: there the decision falls, with all that the route and the routers
 * before it declare. Done when Express has chosen the route and not yet entered it, so a route that is registered
 * late, nested or mounted is as protected as any.
 */
export function protectRoute(route: Route, router: object | undefined): void {
  if (protectedRoutes.has(route) || route.stack.length === 0) return
  const place = findRoute(route, router)
  const gate: RequestHandler = function countersignGate(request, response, next) {
    const context = contextOf(request)
    const declared = declaredBy(route, request.method)
    // Not of this guard, or a HEAD request to a route that answers neither HEAD nor GET: Express goes on to its 404.
    if (context === undefined || declared === undefined) next()
    else {
      const name = `${request.method} ${routePath(route, request.baseUrl)}`
      rememberGate(request, route)
      answer(
        declared.isMisplaced
          ? context.refuse(misplaced, name)
          : context.decide(declared.placement, name, place.isBelowFloor, request.params),
        response,
        next,
      )
    }
  }
  protectedRoutes.set(route, { gate, length: 0, byMethod: new Map() })
  insertFirst(route, gate)
  boundRouters(router)
  // A router that is called, not mounted, has no layer to be found. Express 5 asks the route itself to run.
  if (!place.isFound) route.dispatch = boundHandler(route.dispatch)
}

function findRoute(route: Route, router: object | undefined): { isFound: boolean; isBelowFloor: boolean } {
  const place = { isFound: false, isBelowFloor: false }
  walk(router, {
    route(found, _prefix, floors) {
      if (found !== route) return
      place.isFound = true
      place.isBelowFloor ||= floors.length > 0
    },
  })
  return place
}

/** True if the gate of the route that is running has decided with this declaration, which belongs to the route. */
export function isDecidedByRoute(request: Request, declaration: object): boolean {
  const route = gateOf(request)
  return route !== undefined && declaredBy(route, request.method)?.handlers.has(declaration) === true
}

/** What a route declares for each of its methods, for the census. */
export function declarationsOf(route: Route): readonly {
  readonly method: string
  readonly placement: Placement | undefined
  readonly isMisplaced: boolean
}[] {
  return Object.keys(route.methods).flatMap((name) => {
    const method = name === '_all' ? '*' : name.toUpperCase()
    const declared = readDeclared(route, name === '_all' ? 'get' : name)
    return declared === undefined
      ? []
      : [{ method, placement: declared.placement, isMisplaced: declared.isMisplaced }]
  })
}

function declaredBy(route: Route, method: string): Declared | undefined {
  const known = protectedRoutes.get(route)
  if (known === undefined) return undefined
  if (known.length !== route.stack.length) {
    known.byMethod.clear()
    known.length = route.stack.length
  }
  if (!known.byMethod.has(method)) {
    known.byMethod.set(method, readDeclared(route, method.toLowerCase(), known.gate))
  }
  return known.byMethod.get(method)
}

function readDeclared(route: Route, lowerCaseMethod: string, gate?: object): Declared | undefined {
  // A HEAD request runs the GET handlers, so it is held to what GET declares.
  const method = lowerCaseMethod === 'head' && route.methods['head'] !== true ? 'get' : lowerCaseMethod
  const handlers = route.stack
    .filter((layer) => layer.handle !== gate && (layer.method === undefined || layer.method === method))
    .map(({ handle }) => handle)
  if (handlers.length === 0) return undefined
  const placements = handlers.map(placementOf)
  const firstHandler = placements.indexOf(undefined)
  return {
    placement: joinPlacements(placements.filter((placement) => placement !== undefined)),
    isMisplaced:
      firstHandler !== -1 && placements.slice(firstHandler).some((placement) => placement !== undefined),
    handlers: new Set(handlers),
  }
}

// `route.all` alone would make the route answer methods that it does not have, so the gate borrows one it has.
function insertFirst(route: Route, gate: RequestHandler): void {
  const [method = '_all'] = Object.keys(route.methods)
  const verb = method === '_all' ? 'all' : method
  ;(route as unknown as Record<string, (handler: RequestHandler) => unknown>)[verb]?.(gate) // a verb that the route has
  const layer = route.stack.pop()
  if (layer?.handle !== gate) {
    throw new Error('this release of Express adds the handlers of a route in another way')
  }
  layer.method = undefined
  route.stack.unshift(layer)
}

const misplaced = new Refusal('declaration_misplaced', {
  expected: 'what says who may call first on the route',
  actual: 'a handler before it',
  advice:
    "write app.get(path, requireScopes('…'), handler): the declaration comes before every other handler",
})
