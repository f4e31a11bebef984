import { createServer, type RequestListener } from 'node:http'
import type { Guard } from '@countersign/core'
import { callerOf, countersign, everyRoute, requires, sealRoutes } from '@countersign/fastify'
import { fastify as newest, type FastifyInstance, type RouteHandlerMethod } from 'fastify'
import { fastify as oldest } from 'fastify50'
import type { Built, Handle, Service, ServiceRoute, HttpSubject } from '../subject.ts'

type Fastify = typeof newest

const subjectOf = (name: string, fastify: Fastify): HttpSubject => ({
  name,
  adapter: '@countersign/fastify',
  lacks: {
    'declarations behind a handler are refused':
      'what a route of Fastify says has no place in the order of its handlers',
  },
  build: (guard, service) => build(fastify, guard, service),
})

export const fastifySubjects: readonly HttpSubject[] = [
  subjectOf('Fastify 5.12', newest),
  subjectOf('Fastify 5.0', oldest as unknown as Fastify), // its interface is that of the newest as far as tests go
]

async function build(fastify: Fastify, guard: Guard, { routes, floor, stray }: Service): Promise<Built> {
  let listener: RequestListener | undefined
  const app = fastify({
    serverFactory: (handler) => {
      listener = handler
      return createServer()
    },
  })
  // Bodies go to handlers as they come.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  await app.register(countersign(guard))
  const isBelow = ({ path }: ServiceRoute): boolean =>
    floor !== undefined && path.startsWith(`${floor.prefix}/`)
  for (const route of routes) if (!isBelow(route)) place(app, route)
  if (floor !== undefined) {
    await app.register(
      async (below) => {
        await below.register(everyRoute(floor.requirement))
        for (const route of routes) {
          if (isBelow(route)) place(below, { ...route, path: route.path.slice(floor.prefix.length) })
        }
      },
      { prefix: floor.prefix },
    )
  }
  if (stray !== undefined) {
    const answer = answering(stray.handle)
    app.setNotFoundHandler((request, reply) =>
      request.url === stray.path ? answer.call(app, request, reply) : reply.callNotFound(),
    )
  }
  return {
    listener: (request, response) => {
      void app.ready().then(() => listener?.(request, response))
    },
    seal: () => sealRoutes(app),
    close: async () => app.close(),
  }
}

function place(app: FastifyInstance, { method, path, placement, handle }: ServiceRoute): void {
  const said = placement === undefined ? {} : requires(placement)
  app.route({
    ...said,
    method,
    url: path,
    handler: answering(handle ?? (() => ({ body: `${method} ${path}` }))),
  })
}

function answering(handle: Handle): RouteHandlerMethod {
  return (request, reply) => {
    const found = handle({
      caller: callerOf(request.raw),
      requireCaller: () => request.caller,
      params: request.params as Readonly<Record<string, string>>, // of its own router
      headerNames: [
        ...Object.keys(request.headers),
        ...request.raw.rawHeaders.filter((_, i) => i % 2 === 0),
      ].map((name) => name.toLowerCase()),
      body: request.raw,
    })
    const send = ({ status = 200, headers = {}, body }: Awaited<typeof found>): unknown =>
      reply.code(status).headers(headers).send(body)
    return found instanceof Promise ? found.then(send) : send(found)
  }
}
