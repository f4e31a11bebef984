import type { MountableRoute, Mounter } from '@countersign/core/adapter'
import { declaring, requireGuard } from './declarations.ts'
import type { Handler } from './framework.ts'

/** What this needs of a router of @koa/router. */
interface Mountable {
  register(path: string, methods: readonly string[], handlers: readonly Handler[]): unknown
}

/** Places the routes of a controller on a router of @koa/router. Koa itself has no routes. */
export const koaMounter: Mounter = {
  framework: 'koa',
  recognises: isRouter,
  mount(app, routes) {
    if (!isRouter(app)) return
    for (const route of routes) place(app, route)
  },
}

function place(router: Mountable, { method, path, placement, handler }: MountableRoute): void {
  // Without a declaration of its own, the route is left to the guard, so there has to be one.
  const first = placement === undefined ? requireGuard : (declaring(placement, null) as Handler)
  const methods = method === 'all' ? process.getBuiltinModule('node:http').METHODS : [method]
  router.register(path, methods, [first, handler]) // it takes Koa's own handler arguments
}

function isRouter(app: unknown): app is Mountable {
  return typeof app === 'object' && app !== null && 'register' in app && 'routes' in app && 'stack' in app
}
