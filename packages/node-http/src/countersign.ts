import { ConfigurationError, type GuardOptions } from '@countersign/core'
import { declaredAtOf, placementOf, requireGuard, type Guard } from '@countersign/core/adapter'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { admit } from './admit.ts'
import type { Middleware, Next, NodeRequest, NodeResponse, RequestWithCaller } from './messages.ts'
import { RouteList } from './route-list.ts'
import { RouteName } from './route-name.ts'
import { guardedRoute, type Params, type RouteHandler } from './route.ts'

/** What stands before a server. It is a middleware itself: `app.use(service)` puts it first in a connect application. */
export interface GuardedService extends Middleware {
  /**
   * Puts the guard before all that a server hands to its listener: `createServer(service.listener(app))`. Nothing is decided here. An
   * answer below 400 that no route and no declaration has allowed is replaced by the refusal `route_undeclared`.
   */
  listener<Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
    app: (request: Request, response: Response) => unknown,
  ): (request: Request, response: Response) => void
  /**
   * Makes a route of a handler: `service.route('GET /orders/:id', requireScopes('orders:read'), handler)`. Whatever dispatches requests
   * calls the result, with request and response, and the path's parameters or connect's `next`. It decides, and runs the handler for whom
   * it allows; other methods than its own are answered 405, or passed on. Without a declaration, the policy document or the guard's
   * `undeclared` speaks for it. It returns what the handler returns, behind a promise where the decision was one. Throws a
   * ConfigurationError for a name that is none, and for anything in place of the declaration that is none.
   */
  route: MakeRoute
}

interface MakeRoute {
  <
    Request extends NodeRequest = IncomingMessage,
    Response extends NodeResponse = ServerResponse,
    Given extends Next | Params = Next | Params,
  >(
    name: string,
    declaration: Middleware,
    handler: (request: RequestWithCaller<Request>, response: Response, given: Given) => unknown,
  ): (request: Request, response: Response, given?: Given) => unknown
  <
    Request extends NodeRequest = IncomingMessage,
    Response extends NodeResponse = ServerResponse,
    Given extends Next | Params = Next | Params,
  >(
    name: string,
    handler: (request: RequestWithCaller<Request>, response: Response, given: Given) => unknown,
  ): (request: Request, response: Response, given?: Given) => unknown
}

/**
 * Puts a plain Node server behind a guard: `const service = countersign({ audience, issuers })`. Takes the guard's options, or a guard
 * that is shared. Throws a ConfigurationError that names a wrong option.
 */
export function countersign(optionsOrGuard: GuardOptions | Guard): GuardedService {
  const guard = requireGuard(optionsOrGuard)
  const routes = new RouteList(guard)
  const service: Middleware = (request, response, next) => admit(routes, request, response, () => next())
  const listener = (app: Listener): Listener =>
    routes.mark((request, response) => admit(routes, request, response, () => app(request, response)))
  const route = (
    spelling: string,
    ...said: readonly [RouteHandler] | readonly [Middleware, RouteHandler]
  ) => {
    const name = RouteName.parse(spelling)
    const [declaration, handler] = said.length === 1 ? [undefined, said[0]] : said
    requireHandlers(spelling, declaration, handler)
    const known = {
      own: declaration && placementOf(declaration),
      declaredAt: declaration && declaredAtOf(declaration),
    }
    routes.add({ method: name.method, path: name.path, own: known.own, declaredAt: known.declaredAt ?? null })
    return guardedRoute(routes, name, known.own, handler)
  }
  // Each handler is called with what its server, or the application itself, calls it with.
  const members = { listener, route } as unknown as Pick<GuardedService, 'listener' | 'route'>
  return routes.mark(Object.assign(service, members))
}

type Listener = (request: NodeRequest, response: NodeResponse) => unknown

function requireHandlers(spelling: string, declaration: Middleware | undefined, handler: unknown): void {
  if (declaration !== undefined && placementOf(declaration) === undefined) {
    throw new ConfigurationError(
      spelling,
      "write what says who may call before the handler: route('GET /path', requireScopes('…'), handler)",
    )
  }
  if (typeof handler !== 'function' || placementOf(handler) !== undefined) {
    throw new ConfigurationError(spelling, 'write the handler last: nothing would answer here')
  }
}
