import { ConfigurationError } from '@countersign/core'
import { joinPlacements, stripIdentityHeaders, type Guard } from '@countersign/core/adapter'
import type { Application, Request } from 'express'
import { isMountedAtRoot, layersOf, prototypesOf, routerOf, type Route } from './framework.ts'
import { installLatch } from './latch.ts'
import { rememberPath } from './paths.ts'
import { declarationsOf, protectRoute } from './protected-route.ts'
import { walk } from './router-tree.ts'
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
  takeCensus(router, guard)
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
      protectRoute(route, routerOf(this.app))
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
  walk(routerOf(app), {
    route(route, prefix) {
      for (const { method, isMisplaced } of declarationsOf(route)) {
        if (!isMisplaced) continue
        throw new ConfigurationError(
          `${method} ${prefix}${String(route.path)}`,
          "a handler comes before what says who may call: write app.get(path, requireScopes('…'), handler)",
        )
      }
    },
  })
}

function takeCensus(router: object | undefined, guard: Guard): void {
  walk(router, {
    route(route, prefix, floors) {
      const path = `${prefix}${String(route.path)}`
      rememberPath(route, path)
      for (const { method, placement } of declarationsOf(route)) {
        const effective = joinPlacements(placement === undefined ? floors : [...floors, placement])
        guard.declare({ method, path, requirement: effective?.text ?? null })
      }
    },
    declaration: rememberPath,
  })
  guard.reportUndeclared()
}
