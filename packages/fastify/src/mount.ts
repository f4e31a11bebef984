import type { MountableRoute, Mounter } from '@countersign/core/adapter'
import type { FastifyInstance } from 'fastify'
import { declaring, requireGuard } from './declarations.ts'

/** Places the routes of a controller on a Fastify application, or in a context of one. */
export const fastifyMounter: Mounter = {
  framework: 'fastify',
  recognises: isContext,
  mount(app, routes) {
    if (!isContext(app)) return
    for (const route of routes) place(app, route)
  },
}

function place(context: FastifyInstance, { method, path, placement, handler }: MountableRoute): void {
  // Without a declaration of its own, the route is left to the guard, so there has to be one.
  const declaration =
    placement === undefined ? { onRequest: requireGuard('mount(app, …)') } : declaring(placement, null)
  context.route({
    ...declaration,
    method: method === 'all' ? context.supportedMethods : method.toUpperCase(),
    url: path,
    handler: (request, reply) => handler(request, reply),
  })
}

function isContext(app: unknown): app is FastifyInstance {
  return (
    typeof app === 'object' && app !== null && 'addHook' in app && 'route' in app && 'initialConfig' in app
  )
}
