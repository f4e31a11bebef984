import type { MountableRoute, Mounter } from '@countersign/core/adapter'
import type { IRouter, RequestHandler } from 'express'
import { declaring, requireGuard } from './declarations.ts'

/** Places the routes of a controller on an Express application or router. */
export const expressMounter: Mounter = {
  framework: 'express',
  recognises: isRouter,
  mount(app, routes) {
    if (!isRouter(app)) return
    for (const route of routes) place(app, route)
  },
}

function place(router: IRouter, { method, path, placement, handler }: MountableRoute): void {
  const route = router.route(path)
  const verb = (route as unknown as Record<string, ((...handlers: RequestHandler[]) => unknown) | undefined>)[
    method
  ] // a verb, checked by the decorators
  // Without a declaration of its own, the route is left to the guard, so there has to be one.
  const first = placement === undefined ? requireGuard : declaring(placement, null)
  verb?.call(route, first, handler as RequestHandler) // it takes Express's own handler arguments
}

function isRouter(app: unknown): app is IRouter {
  return typeof app === 'function' && 'use' in app && 'route' in app && 'param' in app && 'get' in app
}
