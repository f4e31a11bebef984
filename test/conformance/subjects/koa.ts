import type { Guard } from '@countersign/core'
import { callerOf, countersign, requires, sealRoutes } from '@countersign/koa'
import Router15 from '@koa/router'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of router 15 as far as tests go
import Router12 from '@koa/router12'
import Koa3, { type Middleware, type ParameterizedContext } from 'koa'
// @ts-expect-error -- the same of Koa 2
import Koa2 from 'koa2'
import type { Built, Handle, Service, ServiceRoute, HttpSubject } from '../subject.ts'

type Koa = typeof Koa3
type Router = typeof Router15

const subjectOf = (name: string, Koa: Koa, Router: Router): HttpSubject => ({
  name,
  adapter: '@countersign/koa',
  build: async (guard, service) => build(Koa, Router, guard, service),
  buildMisplaced: async (guard, path, placement) => {
    const app = new Koa().use(countersign(guard))
    const router = new Router()
    router.get(
      path,
      (_context, next) => next(),
      requires(placement),
      answering(() => ({ body: 'late' })),
    )
    app.use(router.routes())
    return built(app)
  },
})

export const koaSubjects: readonly HttpSubject[] = [
  subjectOf('Koa 3', Koa3, Router15),
  subjectOf('Koa 2', Koa2, Router12),
]

function build(Koa: Koa, Router: Router, guard: Guard, { routes, floor, stray }: Service): Built {
  const app = new Koa().use(countersign(guard))
  const router = new Router()
  const below = new Router()
  if (floor !== undefined) below.use(requires(floor.requirement))
  for (const route of routes) {
    if (floor !== undefined && route.path.startsWith(`${floor.prefix}/`)) {
      place(below, { ...route, path: route.path.slice(floor.prefix.length) })
    } else place(router, route)
  }
  if (floor !== undefined) router.use(floor.prefix, below.routes())
  app.use(router.routes()).use(router.allowedMethods())
  if (stray !== undefined) {
    const answer = answering(stray.handle)
    app.use((context, next) =>
      context.path === stray.path ? answer(context as ParameterizedContext, next) : next(),
    )
  }
  return built(app)
}

function place(router: Router15, { method, path, placement, handle }: ServiceRoute): void {
  const verb = method.toLowerCase() as 'get' // and the others, which are alike
  const handler = answering(handle ?? (() => ({ body: `${method} ${path}` })))
  if (placement === undefined) router[verb](path, handler)
  else router[verb](path, requires(placement), handler)
}

function built(app: Koa3): Built {
  // Errors of handlers are part of what is tested.
  app.silent = true
  return { listener: app.callback(), seal: () => sealRoutes(app) }
}

function answering(handle: Handle): Middleware {
  return (context: ParameterizedContext) => {
    const {
      request,
      req,
      res: _response,
      params = {},
    } = context as ParameterizedContext & { params?: Record<string, string> }
    const reply = handle({
      caller: callerOf(context),
      requireCaller: () => context['caller'],
      params,
      headerNames: [...Object.keys(request.headers), ...req.rawHeaders.filter((_, i) => i % 2 === 0)].map(
        (name) => name.toLowerCase(),
      ),
      body: req,
    })
    const send = ({ status = 200, headers = {}, body }: Awaited<typeof reply>): void => {
      context.status = status
      context.set(headers)
      context.body = body
    }
    return reply instanceof Promise ? reply.then(send) : send(reply)
  }
}
