import { ConfigurationError, type Placement } from '@countersign/core'
import { Requirement, joinPlacements, stripIdentityHeaders, type Guard } from '@countersign/core/adapter'
import type { Application, Request } from 'express'
import {
  isMountedAlike,
  isMountedAtRoot,
  layersOf,
  prototypesOf,
  routerOf,
  type Route,
  type RouterLayer,
} from './framework.ts'
import { installLatch } from './latch.ts'
import { placementOf } from './placements.ts'
import { declarationsOf, protectRoute } from './protected-route.ts'
import { attachContext, contextOf, rememberRoute, requireCaller, routeOf } from './request-context.ts'

/** The middlewares that put a guard before an application. */
export const guardMiddlewares = new WeakMap<object, Guard>()

const installed = new WeakSet<object>()

/**
 * Prepares an application once: its requests learn who calls and tell which route was chosen, its responses get the
 * latch. Both live on the prototypes that Express makes for each application, and nowhere else.
 */
export function installOn(app: Application, guard: Guard): void {
  if (installed.has(app)) return
  installed.add(app)
  const router = routerOf(app)
  const prototypes = prototypesOf(app)
  const prefixes = new Map<Route, string>()
  takeCensus(router, guard, prefixes)
  // Mounted at the root, the guard covers every route: those registered before it are held to it all the same.
  const coversAll = layersOf(router).some(
    (layer) => guardMiddlewares.get(layer.handle) === guard && isMountedAtRoot(layer),
  )
  Object.defineProperty(prototypes.request, 'caller', {
    configurable: true,
    get(this: Request) {
      return requireCaller(this)
    },
  })
  Object.defineProperty(prototypes.request, 'route', {
    configurable: true,
    get(this: Request) {
      return routeOf(this)
    },
    // Express sets this when it has chosen a route, before it runs a handler of it.
    set(this: Request, route: Route) {
      rememberRoute(this, route)
      if (coversAll && contextOf(this) === undefined) admit(this, guard)
      protectRoute(route, ({ baseUrl }) => `${prefixes.get(route) ?? baseUrl}${String(route.path)}`)
    },
  })
  installLatch(prototypes.response)
}

/** Takes away what could pass for an identity, and opens the undecided context. */
export function admit(request: Request, guard: Guard): void {
  stripIdentityHeaders(request)
  attachContext(request, guard.open(request))
}

/** Throws a ConfigurationError for the first declaration that does not come first on its route. */
export function requireDeclarationsFirst(app: Application): void {
  visitRoutes(routerOf(app), '', [], (route, prefix) => {
    for (const { method, isMisplaced } of declarationsOf(route)) {
      if (!isMisplaced) continue
      throw new ConfigurationError(
        `${method} ${prefix}${String(route.path)}`,
        "a handler comes before what says who may call: write app.get(path, requireScopes('…'), handler)",
      )
    }
  })
}

function takeCensus(router: object | undefined, guard: Guard, prefixes: Map<Route, string>): void {
  visitRoutes(router, '', [], (route, prefix, floors) => {
    prefixes.set(route, prefix)
    for (const { method, placement } of declarationsOf(route)) {
      const effective = joinPlacements(placement === undefined ? floors : [...floors, placement])
      guard.declare({ method, path: `${prefix}${String(route.path)}`, requirement: effective?.text ?? null })
    }
  })
}

type Visit = (route: Route, prefix: string, floors: readonly Placement[]) => void

/** Walks a router and those mounted in it, with what was asked in `use` before each route. */
function visitRoutes(
  router: object | undefined,
  prefix: string,
  inherited: readonly Placement[],
  visit: Visit,
): void {
  const floors: { readonly layer: RouterLayer; readonly placement: Placement }[] = []
  for (const layer of layersOf(router)) {
    const placement = layer.route === undefined ? placementOf(layer.handle) : undefined
    const holding = floors.filter(
      (floor) => isMountedAtRoot(floor.layer) || isMountedAlike(floor.layer, layer),
    )
    const asked = [...inherited, ...holding.map((floor) => floor.placement)]
    if (layer.route !== undefined) visit(layer.route, prefix, asked)
    // What asks nothing of its caller covers the handler beside it, and is no floor for routes.
    else if (placement === undefined) visitRoutes(layer.handle, prefix + mountPath(layer), asked, visit)
    else if (placement instanceof Requirement) floors.push({ layer, placement })
  }
}

// Releases that do not keep the path of a mounted router leave its place open.
const mountPath = (layer: RouterLayer): string =>
  isMountedAtRoot(layer) ? '' : layer.rawPath === undefined ? '/…' : String(layer.rawPath)
