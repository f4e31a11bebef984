import type { MountableRoute, Mounter } from '@countersign/core/adapter'
import type { IRouter, RequestHandler } from 'express'
import { requires } from './declarations.ts'

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
  const verb = (
    router as unknown as Record<string, (path: string, ...handlers: RequestHandler[]) => unknown>
  )[method] // a verb of Express, checked by the decorators
  const declaration = placement === undefined ? [] : [requires(placement)]
  verb?.call(router, path, ...declaration, handler as RequestHandler) // it takes Express's own handler arguments
}

function isRouter(app: unknown): app is IRouter {
  return typeof app === 'function' && 'use' in app && 'route' in app && 'param' in app && 'get' in app
}
