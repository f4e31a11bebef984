import { type Guard, attachContext, contextOf, installLatch, requireCaller } from '@countersign/core/adapter'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { floorsPassedBy, guardOfAll } from './application-tree.ts'
import type { Application, RoutedContext, Router } from './framework.ts'
import { protectRoute, rememberArrival } from './protected-route.ts'
import { isInView, noteHidden, routeCensus } from './route-census.ts'

/** The guards that applications were prepared for. */
const installed = new WeakMap<Application, Set<Guard>>()

/** Prepares an application once: makes its routes known to the census, and has each router protected that takes a request of it. */
export function installOn(app: Application, guard: Guard): boolean {
  const guards = installed.get(app)
  if (guards?.has(guard) === true) return false
  guard.register(routeCensus(app, guard))
  if (guards === undefined) {
    installed.set(app, new Set([guard]))
    // What the contexts of an application inherit from, which Koa documents as the place for additions.
    Object.defineProperties(app.context, members)
  } else guards.add(guard)
  return true
}

/** Takes away what could pass for an identity, and opens the undecided context. */
export function admit({ req, res, originalUrl }: Context, guard: Guard): void {
  // What is mounted gets a shorter `url`, and a DPoP proof is made for the whole. Another framework before Koa may have kept that.
  const known: IncomingMessage & { originalUrl?: string } = req
  known.originalUrl ??= originalUrl
  attachContext(req, guard.admit(req))
  installLatch(res)
}

const chosen = Symbol('countersign router')
interface Carrier {
  [chosen]?: Router | undefined
}

const members: PropertyDescriptorMap & ThisType<RoutedContext & Carrier> = {
  caller: {
    configurable: true,
    get() {
      return requireCaller(this.req)
    },
  },
  router: {
    configurable: true,
    enumerable: true,
    get() {
      return this[chosen]
    },
    // A router sets this when it has matched the request, before it takes the handlers of any layer, wherever it is mounted.
    set(router: Router | undefined) {
      this[chosen] = router
      enterRouter(this, router)
    },
  },
}

function enterRouter(context: RoutedContext, router: Router | undefined): void {
  const { req, app } = context
  // Something else may go by that name.
  const stack = Array.isArray(router?.stack) ? router.stack : []
  const matched = context.matched?.filter((layer) => stack.includes(layer)) ?? []
  const routes = matched.filter(({ methods }) => methods.includes(context.method.toUpperCase()))
  if (router === undefined || routes.length === 0) return
  const covering = contextOf(req) === undefined ? guardOfAll(app) : undefined
  if (covering !== undefined) admit(context, covering)
  const prefix = isInView(app, router) ? '' : '/…'
  const access = contextOf(req)
  if (prefix !== '' && access !== undefined) noteHidden(app, router)
  const leave = access?.begin(router)
  for (const layer of routes) {
    protectRoute(layer)
    const floors = floorsPassedBy(router, layer, matched)
    rememberArrival(req, layer, { prefix, floors, leave: layer === routes.at(-1) ? leave : undefined })
  }
}
