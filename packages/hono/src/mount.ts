import { contextOf, type MountableRoute, type Mounter } from '@countersign/core/adapter'
import type { Context, Handler, Hono, Next } from 'hono'
import { declaring } from './declarations.ts'
import { everyMethod } from './framework.ts'
import { noGuard } from './mistakes.ts'

/** Places the routes of a controller on a Hono application. */
export const honoMounter: Mounter = {
  framework: 'hono',
  recognises: isHono,
  mount(app, routes) {
    if (!isHono(app)) return
    for (const route of routes) place(app, route)
  },
}

function place(app: Hono, { method, path, placement, handler }: MountableRoute): void {
  // It names one parameter, as what answers does: without a declaration of its own, the route is left to the guard.
  const answer: Handler = (c: Context, ...[next]: readonly Next[]) => {
    if (contextOf(c) === undefined) throw noGuard('mount(app, …)')
    return handler(c, next) as Response // it takes Hono's own handler arguments, and answers as they do
  }
  const handlers = placement === undefined ? [answer] : [declaring(placement, null), answer]
  app.on(method === 'all' ? everyMethod : method.toUpperCase(), [path], ...handlers)
}

function isHono(app: unknown): app is Hono {
  return (
    typeof app === 'object' &&
    app !== null &&
    ['fetch', 'on', 'routes', 'basePath', 'notFound'].every((name) => name in app)
  )
}
