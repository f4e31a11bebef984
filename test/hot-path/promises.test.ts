// What a request costs that presents a known token: counted, so that it is the same on every machine.
import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { Agent, createServer, request, type RequestListener } from 'node:http'
import * as onExpress from '@countersign/express'
import * as onFastify from '@countersign/fastify'
import * as onHono from '@countersign/hono'
import * as onKoa from '@countersign/koa'
import * as onNode from '@countersign/node-http'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import { getRequestListener } from '@hono/node-server'
import { Router } from '@koa/router'
import fastify, { type FastifyInstance } from 'fastify'
import { Hono, type Context } from 'hono'
import Koa from 'koa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expressVersions } from '../express/served-app.ts'

let issuer: TestIssuer
let guard: onExpress.Guard
beforeAll(async () => {
  issuer = await createTestIssuer()
  guard = onExpress.createGuard({ audience: 'orders', issuers: [issuer], log: false })
})
afterAll(() => guard.close())

/** What has happened between the moment when the framework was given a request, and its handler. */
interface Way {
  readonly promises: number
  /** True if the handler was called before the framework has returned, and so before any microtask. */
  readonly isSynchronous: boolean
}

type Serve = (reached: () => void) => RequestListener | Promise<RequestListener>

/** The ways of two requests whose token is known: to the connection that they come by, and to all. */
async function waysTo(serve: Serve): Promise<readonly Way[]> {
  let promises = 0
  let reached: number | undefined
  const hook = createHook({ init: (_id, type) => void (promises += type === 'PROMISE' ? 1 : 0) })
  const listener = await serve(() => {
    hook.disable()
    reached = promises
  })
  const ways: Way[] = []
  const server = createServer((incoming, outgoing) => {
    promises = 0
    reached = undefined
    hook.enable()
    listener(incoming, outgoing)
    const isSynchronous = reached !== undefined
    outgoing.once('finish', () => ways.push({ promises: reached ?? NaN, isSynchronous }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number } // listening on a port
  const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const agent of [keptAlive, keptAlive, false] as const) {
    const sent = request({ port, host: '127.0.0.1', path: '/orders', headers, agent }).end()
    const [response] = await once(sent, 'response')
    expect(response.statusCode).toBe(200)
    response.resume()
    await once(response, 'end')
  }
  keptAlive.destroy()
  server.close()
  await once(server, 'close')
  return ways.slice(1)
}

const ofFastify = async (app: FastifyInstance): Promise<RequestListener> => {
  await app.ready()
  return (incoming, outgoing) => app.routing(incoming, outgoing)
}

test.each<[name: string, serve: Serve]>([
  [
    'node:http',
    (reached) => {
      const service = onNode.countersign(guard)
      return service.listener(
        service.route('GET /orders', onNode.requireScopes('orders:read'), (_request, response) => {
          reached()
          response.end()
        }),
      )
    },
  ],
  ...expressVersions.map(([name, express]): [string, Serve] => [
    name,
    (reached) =>
      express()
        .use(onExpress.countersign(guard))
        .get('/orders', onExpress.requireScopes('orders:read'), (_request, response) => {
          reached()
          response.end()
        }),
  ]),
])(
  '%s: no promise is made, and no microtask runs, between a request and its handler',
  async (_name, serve) => {
    const straight = { promises: 0, isSynchronous: true }
    expect(await waysTo(serve)).toEqual([straight, straight])
  },
)

test.each<[name: string, guarded: Serve, empty: Serve]>([
  [
    'Koa',
    (reached) => {
      const router = new Router().get('/orders', onKoa.requireScopes('orders:read'), (context) => {
        reached()
        context.body = 'ok'
      })
      return new Koa().use(onKoa.countersign(guard)).use(router.routes()).callback()
    },
    (reached) => {
      const router = new Router().get(
        '/orders',
        (_context, next) => next(),
        (context) => {
          reached()
          context.body = 'ok'
        },
      )
      return new Koa()
        .use((_context, next) => next())
        .use(router.routes())
        .callback()
    },
  ],
  [
    'Fastify',
    async (reached) => {
      const app = fastify()
      await app.register(onFastify.countersign(guard))
      app.get('/orders', onFastify.requireScopes('orders:read'), (_request, reply) => {
        reached()
        return reply.send('ok')
      })
      return ofFastify(app)
    },
    (reached) => {
      const app = fastify()
      app.addHook('onRequest', (_request, _reply, done) => done())
      app.get('/orders', { onRequest: (_request, _reply, done) => done() }, (_request, reply) => {
        reached()
        return reply.send('ok')
      })
      return ofFastify(app)
    },
  ],
  [
    'Hono',
    (reached) => {
      const app = new Hono().use(onHono.countersign(guard))
      app.get('/orders', onHono.requireScopes('orders:read'), (c) => {
        reached()
        return c.text('ok')
      })
      return getRequestListener(app.fetch)
    },
    (reached) => {
      const app = new Hono().use(async (_c, next) => {
        await next()
      })
      app.get(
        '/orders',
        (_c, next) => next(),
        (c) => {
          reached()
          return c.text('ok')
        },
      )
      return getRequestListener(app.fetch)
    },
  ],
  [
    'Hono without middlewares',
    (reached) => {
      const app = new Hono()
      app.get(
        '/orders',
        onHono.guardHandlers(app, guard)(onHono.requireScopes('orders:read'), (c: Context) => {
          reached()
          return c.text('ok')
        }),
      )
      return getRequestListener(app.fetch)
    },
    (reached) => {
      const app = new Hono()
      app.get('/orders', (c) => {
        reached()
        return c.text('ok')
      })
      return getRequestListener(app.fetch)
    },
  ],
])('%s: no promise is made beyond those of empty middlewares', async (_name, guarded, empty) => {
  const ways = await waysTo(guarded)
  const theirs = await waysTo(empty)
  expect(ways.length).toBe(2)
  for (const [i, { promises, isSynchronous }] of ways.entries()) {
    expect(promises).toBeLessThanOrEqual(theirs[i]?.promises ?? NaN)
    expect(isSynchronous).toBe(theirs[i]?.isSynchronous)
  }
})
