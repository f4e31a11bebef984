import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Guard, Placement } from '@countersign/core'
import { Requirement, requireCaller } from '@countersign/core/adapter'
import { CallerOptional, CountersignModule, Requires, Unprotected, callerOf } from '@countersign/nest'
import { Controller, Delete, Get, Module, Options, Post, Put, Req, Res, type Type } from '@nestjs/common'
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import release from '@nestjs/core/package.json' with { type: 'json' }
import type { Built, Handle, Reply, Service, ServiceRoute, HttpSubject } from '../subject.ts'

/** Which release this is. */
export const major = release.version.split('.')[0] ?? ''

export const nestSubjects: readonly HttpSubject[] = [
  {
    name: `Nest ${major} on Express`,
    adapter: '@countersign/nest',
    lacks: { ...lacking(), 'HTTP/2': 'Express serves HTTP/1 only' },
    build: async (guard, service) => {
      const adapter = new ExpressAdapter()
      return build(guard, service, adapter, adapter.getInstance<RequestListener>())
    },
  },
  {
    name: `Nest ${major} on Fastify`,
    adapter: '@countersign/nest',
    lacks: lacking(),
    build: async (guard, service) => {
      const adapter = new FastifyAdapter()
      const fastify = adapter.getInstance()
      fastify.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      const built = await build(guard, service, adapter, (request, response) =>
        fastify.routing(request, response),
      )
      await fastify.ready()
      return built
    },
  },
]

function lacking(): NonNullable<HttpSubject['lacks']> {
  return {
    'routers with a floor': 'a floor of Nest is a class; an exemption below one does not start',
    'declarations behind a handler are refused': 'decorators stand at their method, in no order',
    'synchronous on a hit': 'Nest itself waits between its steps',
  }
}

async function build(
  guard: Guard,
  { routes, floor, stray }: Service,
  adapter: AbstractHttpAdapter,
  listener: RequestListener,
): Promise<Built> {
  class Root {}
  const isBelow = ({ path }: ServiceRoute): boolean =>
    floor !== undefined && path.startsWith(`${floor.prefix}/`)
  const controllers = [
    controllerOf(routes.filter((route) => !isBelow(route))),
    controllerOf(routes.filter(isBelow), floor?.requirement),
  ]
  Module({ imports: [CountersignModule.forRoot(guard)], controllers })(Root)
  const app = await NestFactory.create(Root, adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  })
  if (stray !== undefined) {
    app.use(stray.path, async (_request: IncomingMessage, response: ServerResponse) => {
      const { headers = {}, body } = await stray.handle(noCall)
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      response.end(body)
    })
  }
  await app.init()
  return { listener, seal: async () => undefined, close: () => app.close() }
}

/** A controller as its decorators would make it of a class: they are functions. */
function controllerOf(routes: readonly ServiceRoute[], floor?: Requirement): Type<unknown> {
  class Routes {}
  const { prototype } = Routes
  for (const [i, { method, path, placement, handle }] of routes.entries()) {
    const name = `route${i}`
    const value = answering(handle ?? (() => ({ body: `${method} ${path}` })))
    const descriptor = { value, configurable: true, writable: true }
    Object.defineProperty(prototype, name, descriptor)
    verbs[method](path)(prototype, name, descriptor)
    if (placement !== undefined) decoratorOf(placement)(prototype, name, descriptor)
    Req()(prototype, name, 0)
    Res()(prototype, name, 1)
  }
  if (floor !== undefined) Requires(floor)(Routes)
  Controller()(Routes)
  return Routes
}

/** The decorator that says it. */
export function decoratorOf(placement: Placement): ReturnType<typeof Unprotected> {
  if (placement instanceof Requirement) return Requires(placement)
  const exemption = placement.text.startsWith('unprotected') ? Unprotected : CallerOptional
  return exemption(placement.reason)
}

const verbs = { GET: Get, POST: Post, PUT: Put, DELETE: Delete, OPTIONS: Options }

/** As much of a request of either platform as is needed. */
interface PlatformRequest {
  readonly raw?: IncomingMessage
  readonly body?: unknown
  readonly params: Readonly<Record<string, unknown>>
}

/** Likewise, of the responses of both. */
interface PlatformResponse {
  readonly raw?: ServerResponse
  status(code: number): PlatformResponse
  send(body: Reply['body']): unknown
}

function answering(handle: Handle) {
  return async function (request: PlatformRequest, response: PlatformResponse): Promise<void> {
    const raw = request.raw ?? (request as unknown as IncomingMessage) // Express has Node's own
    const {
      status = 200,
      headers = {},
      body,
    } = await handle({
      caller: callerOf(request),
      requireCaller: () => requireCaller(request),
      params: request.params,
      headerNames: [...Object.keys(raw.headers), ...raw.rawHeaders.filter((_, i) => i % 2 === 0)].map(
        (name) => name.toLowerCase(),
      ),
      body: request.body instanceof Readable ? request.body : raw,
    })
    const answer = response.raw ?? (response as unknown as ServerResponse) // likewise
    for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value)
    response.status(status)
    if (typeof body === 'string' || response.raw !== undefined) response.send(body)
    else body.pipe(answer)
  }
}

const noCall: Parameters<Handle>[0] = {
  caller: undefined,
  requireCaller: () => {
    throw new Error('there is none')
  },
  params: {},
  headerNames: [],
  body: Readable.from([]),
}
