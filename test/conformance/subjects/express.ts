import type { Guard } from '@countersign/core'
import { callerOf, countersign, requires, sealRoutes } from '@countersign/express'
import type { IRouter, Request, RequestHandler, Response } from 'express'
import express5 from 'express'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of Express 5 as far as tests go
import express4 from 'express4'
import type { Built, Handle, Service, ServiceRoute, HttpSubject } from '../subject.ts'

type Express = typeof express5

const subjectOf = (name: string, express: Express): HttpSubject => ({
  name,
  adapter: '@countersign/express',
  lacks: { 'HTTP/2': 'Express serves HTTP/1 only' },
  build: async (guard, service) => build(express, guard, service),
  buildMisplaced: async (guard, path, placement) => {
    const app = express().use(countersign(guard))
    app.get(
      path,
      (_request, _response, next) => next(),
      requires(placement),
      answering(() => ({ body: 'late' })),
    )
    return built(app)
  },
})

export const expressSubjects: readonly HttpSubject[] = [
  subjectOf('Express 5', express5),
  subjectOf('Express 4', express4),
]

function build(express: Express, guard: Guard, { routes, floor, stray }: Service): Built {
  const app = express().use(countersign(guard))
  const below = express.Router()
  if (floor !== undefined) app.use(floor.prefix, requires(floor.requirement), below)
  for (const route of routes) {
    if (floor !== undefined && route.path.startsWith(`${floor.prefix}/`)) {
      place(below, { ...route, path: route.path.slice(floor.prefix.length) })
    } else place(app, route)
  }
  if (stray !== undefined) app.use(stray.path, answering(stray.handle))
  return built(app)
}

function place(router: IRouter, { method, path, placement, handle }: ServiceRoute): void {
  const verb = method.toLowerCase() as 'get' // and the others, which are alike
  const handler = answering(handle ?? (() => ({ body: `${method} ${path}` })))
  if (placement === undefined) router[verb](path, handler)
  else router[verb](path, requires(placement), handler)
}

const built = (app: ReturnType<Express>): Built => ({ listener: app, seal: () => sealRoutes(app) })

function answering(handle: Handle): RequestHandler {
  return (request: Request, response: Response, next) => {
    const reply = async (): Promise<void> => {
      const { status = 200, headers = {}, body } = await handled
      response.status(status).set(headers)
      if (typeof body === 'string') response.end(body)
      else body.pipe(response)
    }
    // Called at once, as a handler of Express would be; Express 4 does not wait for promises.
    let handled: ReturnType<Handle>
    try {
      handled = handle({
        caller: callerOf(request),
        requireCaller: () => request.caller,
        params: request.params,
        headerNames: [
          ...Object.keys(request.headers),
          ...request.rawHeaders.filter((_, i) => i % 2 === 0),
        ].map((name) => name.toLowerCase()),
        body: request,
      })
    } catch (error) {
      next(error)
      return
    }
    reply().catch(next)
  }
}
