import { ConfigurationError } from '@countersign/core'
import { Requirement, joinPlacements, type Guard } from '@countersign/core/adapter'
import type { Application, Request } from 'express'
import { isMountedAtRoot, layersOf, pathText, prototypesOf, routerOf, type Route } from './framework.ts'
import { installLatch } from './latch.ts'
import { rememberPath } from './paths.ts'
import { declarationsOf, protectRoute } from './protected-route.ts'
import { boundRouters, walk } from './router-tree.ts'
import { handlerOf } from './scopes.ts'
import { attachContext, rememberRoute, requireCaller, routeOf } from './request-context.ts'

/** The middlewares that put a guard before an application. */
export const guardMiddlewares = new WeakMap<object, Guard>()

const installed = new WeakSet<object>()

/** Prepares an application once: takes the census, and bounds what is allowed in its routers to them. */
export function installOn(app: Application, guard: Guard): void {
  if (installed.has(app)) return
  installed.add(app)
  boundRouters(routerOf(app))
  takeCensus(app, guard)
  Object.defineProperty(prototypesOf(app).request, 'route', {
    configurable: true,
    get: () => undefined,
    // Mounted at the root, the guard covers every route: one that was registered before it is held to it all the same.
    set(this: Request, route: Route) {
      if (coversAll(app, guard)) admit(this, guard)
      else Object.defineProperty(this, 'route', { configurable: true, writable: true })
      this.route = route
    },
  })
}

/**
 * Takes away what could pass for an identity, and opens the undecided context. What tells the chosen route, who calls,
 * and keeps an answer back belongs to this request alone, whichever applications and routers it goes through.
 */
export function admit(request: Request, guard: Guard): void {
  attachContext(request, guard.admit(request))
  Object.defineProperties(request, members)
  if (request.res !== undefined) installLatch(request.res)
}

const members: PropertyDescriptorMap & ThisType<Request> = {
  caller: {
    configurable: true,
    get() {
      return requireCaller(this)
    },
  },
  route: {
    configurable: true,
    get() {
      return routeOf(this)
    },
    // Express sets this when it has chosen a route, before it runs a handler of it.
    set(route: Route) {
      rememberRoute(this, route)
      protectRoute(route, routerOf(this.app))
    },
  },
}

const coversAll = (app: Application, guard: Guard): boolean =>
  layersOf(routerOf(app)).some(
    (layer) => guardMiddlewares.get(handlerOf(layer)) === guard && isMountedAtRoot(layer),
  )

/** Throws a ConfigurationError where the guard is nowhere in the application, which would then be open. */
export function requireGuarded(app: Application, guard: Guard): void {
  let isGuarded = false
  walk(routerOf(app), { handler: (handler) => (isGuarded ||= guardMiddlewares.get(handler) === guard) })
  if (isGuarded) return
  throw new ConfigurationError(
    'guard',
    'the application does not use it: write app.use(countersign(guard)) before its routes',
  )
}

/** Throws a ConfigurationError for the first declaration that does not come first on its route. */
export function requireDeclarationsFirst(app: Application): void {
  walk(routerOf(app), {
    route(route, prefix) {
      for (const { method, isMisplaced } of declarationsOf(route)) {
        if (!isMisplaced) continue
        throw new ConfigurationError(
          `${method} ${prefix}${pathText(route.path)}`,
          "a handler comes before what says who may call: write app.get(path, requireScopes('…'), handler)",
        )
      }
    },
  })
}

function takeCensus(app: Application, guard: Guard): void {
  walk(routerOf(app), {
    route(route, prefix, floors) {
      const path = `${prefix}${pathText(route.path)}`
      rememberPath(route, path)
      for (const { method, placement } of declarationsOf(route)) {
        const effective = joinPlacements(placement === undefined ? floors : [...floors, placement])
        guard.declare({
          method,
          path,
          requirement: effective?.text ?? null,
          scopes: effective instanceof Requirement ? effective.scopes : [],
        })
      }
    },
    declaration: rememberPath,
  })
  if (coversAll(app, guard)) guard.reportUndeclared()
}
