import {
  type Guard,
  attachContext,
  installLatch,
  ownAccessor,
  requireCaller,
} from '@countersign/core/adapter'
import type { Application, Request } from 'express'
import { layersOf, parentOf, prototypesOf, routerOf, type Route } from './framework.ts'
import { guardOfAll } from './guard-middlewares.ts'
import { MountPoint } from './mount-point.ts'
import { rememberPath } from './paths.ts'
import { protectRoute } from './protected-route.ts'
import { mountPointOf, rememberMountPoint, rememberRoute, routeOf } from './request-context.ts'
import { routeCensus } from './route-census.ts'
import { walk } from './router-tree.ts'
import { boundRouters } from './scopes.ts'

/** The guards that applications were prepared for. */
const installed = new WeakMap<Application, Set<Guard>>()

/** How many layers an application had when its routers were bounded last. */
const bounded = new WeakMap<object, number>()

/** Bounds what was mounted in an application since. What was mounted deeper is found when a request comes to it. */
export function boundNewRouters(app: Application): void {
  const router = routerOf(app)
  const { length } = layersOf(router)
  if (router === undefined || bounded.get(router) === length) return
  bounded.set(router, length)
  boundRouters(router)
}

/**
 * Prepares an application once: makes its routes known to the census, and bounds what is allowed in its routers to them. True if
 * this has not been done before.
 */
export function installOn(app: Application, guard: Guard): boolean {
  const guards = installed.get(app)
  if (guards?.has(guard) === true) return false
  boundNewRouters(app)
  walk(routerOf(app), { declaration: rememberPath })
  const listRoutes = routeCensus(app, guard)
  // Behind the same guard, an application that it is mounted in lists its routes, with their whole paths.
  guard.register(() => (isPartOfAnother(app, guard) ? [] : listRoutes()))
  if (guards !== undefined) {
    guards.add(guard)
    return true
  }
  installed.set(app, new Set([guard]))
  Object.defineProperty(prototypesOf(app).request, 'route', {
    configurable: true,
    get: () => undefined,
    // Mounted at the root, a guard covers every route: one that was registered before it is held to it all the same.
    set(this: Request, chosen: Route) {
      const own = routerOf(app)
      const covering = guardOfAll(own)
      if (own !== undefined && covering !== undefined) admit(this, covering, MountPoint.rootOf(own))
      else Object.defineProperty(this, 'route', { configurable: true, writable: true })
      this.route = chosen
    },
  })
  return true
}

export function isPartOfAnother(app: Application, guard: Guard): boolean {
  const parent = parentOf(app)
  return (
    parent !== undefined && (installed.get(parent)?.has(guard) === true || isPartOfAnother(parent, guard))
  )
}

/**
 * Takes away what could pass for an identity, and opens the undecided context. What tells the chosen route, who calls,
 * and keeps an answer back belongs to this request alone, whichever applications and routers it goes through.
 */
export function admit(request: Request, guard: Guard, point: MountPoint | undefined): void {
  attachContext(request, guard.admit(request))
  if (mountPointOf(request) === undefined) rememberMountPoint(request, point)
  // One by one: it is done for every request, and `defineProperties` takes several times as long.
  Object.defineProperty(request, 'caller', caller)
  Object.defineProperty(request, 'route', route)
  if (request.res !== undefined) installLatch(request.res)
}

const caller = ownAccessor(function (this: Request) {
  return requireCaller(this)
})

const route = ownAccessor(
  function (this: Request) {
    return routeOf(this)
  },
  // Express sets this when it has chosen a route, before it runs a handler of it.
  function (this: Request, chosen: Route) {
    rememberRoute(this, chosen)
    protectRoute(chosen, mountPointOf(this)?.root)
  },
)
