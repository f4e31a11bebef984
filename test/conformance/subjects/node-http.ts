import type { Guard } from '@countersign/core'
import { callerOf, countersign, requires, sealRoutes, type GuardedService } from '@countersign/node-http'
import { requireCaller } from '@countersign/core/adapter'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Built, Handle, Reply, Service, ServiceRoute, HttpSubject } from '../subject.ts'
import { paramsIn } from './params-in.ts'

export const nodeHttpSubject: HttpSubject = {
  name: 'node:http',
  adapter: '@countersign/node-http',
  lacks: {
    'declarations behind a handler are refused':
      'a route of `node:http` takes one handler, behind its declaration',
    'routers with a floor': '`node:http` has no routers; connect has',
  },
  build: async (guard, service) => build(guard, service),
}

function build(guard: Guard, { routes, stray }: Service): Built {
  const service = countersign(guard)
  const handlers = routes.map((route) => ({ route, handler: made(service, route) }))
  // What a service without a framework does: look for what fits, and call it with what the path has in place of the names.
  const listener = service.listener((request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    if (stray !== undefined && path === stray.path) return answering(stray.handle)(request, response)
    const fitting = handlers.filter(({ route }) => paramsIn(route.path, path) !== undefined)
    const found =
      fitting.find(({ route }) => route.method === request.method) ??
      fitting.find(({ route }) => request.method === 'HEAD' && route.method === 'GET')
    if (found !== undefined) return found.handler(request, response, paramsIn(found.route.path, path) ?? {})
    response.statusCode = fitting.length > 0 ? 405 : 404
    return response.end()
  })
  return { listener, seal: () => sealRoutes(service) }
}

type Route = (
  request: IncomingMessage,
  response: ServerResponse,
  params: Readonly<Record<string, string>>,
) => unknown

function made(service: GuardedService, { method, path, placement, handle }: ServiceRoute): Route {
  const name = `${method} ${path}`
  const handler = answering(handle ?? (() => ({ body: name })))
  return placement === undefined
    ? service.route(name, handler)
    : service.route(name, requires(placement), handler)
}

function answering(handle: Handle) {
  return (request: IncomingMessage, response: ServerResponse, params: unknown = {}): unknown => {
    const fail = (): void => {
      response.statusCode = 500
      response.end('a mistake of the application')
    }
    const send = ({ status = 200, headers = {}, body }: Reply): void => {
      response.writeHead(status, headers)
      if (typeof body === 'string') response.end(body)
      else body.pipe(response)
    }
    try {
      const reply = handle({
        caller: callerOf(request),
        requireCaller: () => requireCaller(request),
        params: params as Readonly<Record<string, unknown>>, // as the dispatcher above gives them
        headerNames: [
          ...Object.keys(request.headers),
          ...request.rawHeaders.filter((_, i) => i % 2 === 0),
        ].map((name) => name.toLowerCase()),
        body: request,
      })
      return reply instanceof Promise ? reply.then(send).catch(fail) : send(reply)
    } catch {
      return fail()
    }
  }
}
