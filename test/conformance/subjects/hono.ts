import { Readable } from 'node:stream'
import type { Guard } from '@countersign/core'
import { callerOf, countersign, requireCaller, requires, sealRoutes } from '@countersign/hono'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono as Newest, type Context, type Handler } from 'hono'
import { Hono as Oldest } from 'hono48'
import type { Built, Handle, Service, ServiceRoute, HttpSubject } from '../subject.ts'

type App = typeof Newest

const subjectOf = (name: string, Hono: App): HttpSubject => ({
  name,
  adapter: '@countersign/hono',
  build: async (guard, service) => build(Hono, guard, service),
  buildMisplaced: async (guard, path, placement) => {
    const app = new Hono().use(countersign(guard))
    app.get(
      path,
      (_context, next) => next(),
      requires(placement),
      answering(() => ({ body: 'late' })),
    )
    return built(app)
  },
})

export const honoSubjects: readonly HttpSubject[] = [
  subjectOf('Hono 4.13', Newest),
  subjectOf('Hono 4.8', Oldest as unknown as App), // an alias; its interface is the same as far as tests go
]

function build(Hono: App, guard: Guard, { routes, floor, stray }: Service): Built {
  const app = new Hono().use(countersign(guard))
  if (floor !== undefined) app.use(`${floor.prefix}/*`, requires(floor.requirement))
  for (const route of routes) place(app, route)
  if (stray !== undefined) app.use(stray.path, answering(stray.handle))
  return built(app)
}

function place(app: InstanceType<App>, { method, path, placement, handle }: ServiceRoute): void {
  const handler = answering(handle ?? (() => ({ body: `${method} ${path}` })))
  if (placement === undefined) app.on(method, path, handler)
  else app.on(method, path, requires(placement), handler)
}

const built = (app: InstanceType<App>): Built => ({
  listener: getRequestListener((request, bindings) => app.fetch(request, bindings)),
  seal: () => sealRoutes(app),
})

function answering(handle: Handle): Handler {
  return (context: Context<{ Bindings: HttpBindings }>) => {
    const { incoming } = context.env
    const found = handle({
      caller: callerOf(context),
      requireCaller: () => requireCaller(context),
      params: context.req.param(),
      headerNames: [
        ...context.req.raw.headers.keys(),
        ...incoming.rawHeaders.filter((_, i) => i % 2 === 0),
      ].map((name) => name.toLowerCase()),
      body: context.req.raw.body ?? Readable.from([]),
    })
    const send = ({ status = 200, headers = {}, body }: Awaited<typeof found>): Response =>
      new Response(typeof body === 'string' ? body : (Readable.toWeb(body) as ReadableStream), {
        status,
        headers,
      }) // the same stream in another type
    return found instanceof Promise ? found.then(send) : send(found)
  }
}
