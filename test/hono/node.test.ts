// What only Node has: connections, certificates, HTTP/2, WebSockets, and answers that are written past Hono.
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import { Agent as TlsAgent, request as requestByTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  createAdaptorServer,
  getRequestListener,
  upgradeWebSocket,
  type HttpBindings,
} from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import {
  callerOf,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  unprotected,
  type Guard,
} from '@countersign/hono'
import { createTestCa, createTestIssuer, type TestIssuer } from '@countersign/testing'
import type { Context, Hono as AnyHono } from 'hono'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ServedApp, bearer, honoVersions, testIssuer } from './served-app.ts'

type NodeEnv = { Bindings: HttpBindings }

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(honoVersions)('%s on Node', (_name, Hono) => {
  let app: AnyHono<NodeEnv>
  let guard: Guard
  const closing: (() => unknown)[] = []

  beforeEach(() => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    closing.push(() => guard.close())
    app = new Hono<NodeEnv>()
  })
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function serve(): Promise<ServedApp> {
    const served = await ServedApp.start(app)
    closing.push(() => served.close())
    return served
  }

  test('keeps back what an undeclared handler writes past Hono, and lets through what was allowed', async () => {
    app.use(countersign(guard))
    app.get('/declared', requireScopes('a:b'), (c) => {
      c.env.outgoing.writeHead(200, { 'x-raw': '1' }).end('declared')
      return RESPONSE_ALREADY_SENT
    })
    app.use('/undeclared', async (c, _next) => {
      c.env.outgoing.writeHead(200, { 'x-raw': '1' }).end('secret')
      return RESPONSE_ALREADY_SENT
    })
    const served = await serve()
    const refused = await served.call('/undeclared')
    expect(refused.events).toHaveLength(1)
    expect([refused.status, refused.code, refused.headers['x-raw']]).toEqual([
      403,
      'route_undeclared',
      undefined,
    ])
    expect(refused.body).not.toContain('secret')
    const allowed = await served.call('/declared', { headers: await bearer(issuer, 'a:b') })
    expect([allowed.status, allowed.body, allowed.headers['x-raw']]).toEqual([200, 'declared', '1'])
  })

  test('serves requests that are pipelined or share a connection, and mixes no callers among many at once', async () => {
    app.use(countersign(guard))
    app.use('/orders/*', requireScopes('orders:read'))
    app.get('/orders/:id', async (c) => {
      const before = callerOf(c)?.id
      await new Promise((resolve) => setImmediate(resolve))
      return c.text(`${c.req.param('id')} ${before} ${c.var.caller.id}`)
    })
    const served = await serve()
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    closing.push(() => agent.destroy())
    const names = Array.from({ length: 200 }, (_, i) => `client-${i % 20}`)
    const answers = await Promise.all(
      names.map(async (name, i) => {
        const headers = { ...(await issuer.headersFor(name, { scopes: ['orders:read'] })) }
        const sent = get({ port: served.port, host: '127.0.0.1', path: `/orders/${i}`, agent, headers })
        const [response] = await once(sent, 'response')
        return Buffer.concat(await response.toArray()).toString()
      }),
    )
    expect(answers).toEqual(
      names.map((name, i) => {
        const id = `https://issuer.test#client=${name}`
        return `${i} ${id} ${id}`
      }),
    )
  })

  test('works over HTTP/2: deletes identity headers, reads tokens, and keeps back what nobody declared', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), (c) =>
      c.json([c.var.caller.id, c.req.header(), c.env.incoming.rawHeaders, c.env.incoming.headers]),
    )
    app.use('/raw', async (c, _next) => {
      c.env.outgoing.writeHead(200).end('secret')
      return RESPONSE_ALREADY_SENT
    })
    app.use('/use', async (c, _next) => c.text('secret'))
    const server = createHttp2Server(getRequestListener((...args) => app.fetch(...args)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    closing.push(() => (session.close(), server.close()))
    const ask = async (path: string, headers = {}): Promise<{ status: number | undefined; body: string }> => {
      const stream = session.request({ ':path': path, ...headers })
      const [answered] = await once(stream, 'response')
      return { status: answered[':status'], body: Buffer.concat(await stream.toArray()).toString() }
    }
    expect((await ask('/orders')).status).toBe(401)
    const forged = { 'client-cert': ':AAAA:', 'x-forwarded-client-cert': 'URI=spiffe://a/b', 'x-kept': '1' }
    const { status, body } = await ask('/orders', { ...(await bearer(issuer, 'orders:read')), ...forged })
    expect([status, body]).toEqual([200, expect.stringContaining('#client=checkout')])
    expect(body).toContain('x-kept')
    expect(body).not.toContain('client-cert')
    for (const path of ['/raw', '/use']) {
      expect(await ask(path)).toEqual({ status: 403, body: expect.not.stringContaining('secret') })
    }
  })

  test('knows a caller by its certificate, on a server that asks for those its guard trusts', async () => {
    const ca = await createTestCa()
    const trusting = createGuard({
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      grants: { 'spiffe://test.example/checkout': ['orders:read'] },
      log: false,
    })
    app.use(countersign(trusting))
    app.get('/orders', requireScopes('orders:read'), (c) => c.text(c.var.caller.id))
    const { cert, key } = await ca.serverCertificate()
    const server = createTlsServer(
      getRequestListener((...args) => app.fetch(...args)),
      { cert, key, guard: trusting },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => trusting.close())
    const ask = async (identity: object) => {
      const agent = new TlsAgent({ keepAlive: true, ca: ca.bundle, ...identity })
      const { port } = server.address() as AddressInfo
      const answers: string[] = []
      for (let i = 0; i < 2; i += 1) {
        const sent = requestByTls({ host: 'localhost', port, path: '/orders', agent }).end()
        const [response] = await once(sent, 'response')
        answers.push(
          `${response.statusCode} ${Buffer.concat(await response.toArray())
            .toString()
            .slice(0, 31)}`,
        )
      }
      agent.destroy()
      return answers
    }
    const checkout = await ca.svid('/checkout')
    const other = await ca.svid('/other')
    const stranger = await (await createTestCa()).svid('/checkout')
    const allowed = '200 spiffe://test.example/checkout'
    expect(await ask({ cert: checkout.cert, key: checkout.key })).toEqual([
      expect.stringContaining(allowed),
      expect.stringContaining(allowed),
    ])
    for (const identity of [other, stranger]) {
      const answers = await ask({ cert: identity.cert, key: identity.key })
      expect(answers).toEqual([expect.stringMatching(/^403 /), expect.stringMatching(/^403 /)])
    }
    expect((await ask({}))[0]).toMatch(/^403 /)
    server.close()
  })

  describe('WebSockets', () => {
    async function open(): Promise<(path: string, headers?: Record<string, string>) => Promise<string>> {
      const server = createAdaptorServer({
        fetch: (...args) => app.fetch(...args),
        websocket: { server: new WebSocketServer({ noServer: true }) as never }, // typed for other releases of `ws`
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      closing.push(() => server.close())
      const { port } = server.address() as AddressInfo
      return (path, headers = {}) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
          socket.on('unexpected-response', (_request, response) => {
            resolve(`refused ${response.statusCode}`)
            socket.terminate()
          })
          socket.on('message', (message) => {
            resolve(Buffer.isBuffer(message) ? message.toString() : 'another kind of message')
            socket.close()
          })
          socket.on('error', () => resolve('error'))
          socket.on('close', () => resolve('closed'))
        })
    }
    const greet = upgradeWebSocket((c: Context) => ({
      onOpen: (_event, socket) => socket.send(`${callerOf(c)?.id} ${c.req.header('client-cert')}`),
    }))

    test('are opened for who may, and refused before anything of them runs', async () => {
      app.use(countersign(guard))
      app.get('/feed', requireScopes('feed:read'), greet)
      app.get('/forgotten', greet)
      const call = await open()
      expect(await call('/feed')).toBe('refused 401')
      expect(await call('/feed', await bearer(issuer))).toBe('refused 403')
      expect(await call('/forgotten')).toBe('refused 403')
      const headers = { ...(await bearer(issuer, 'feed:read')), 'client-cert': ':AAAA:' }
      expect(await call('/feed', headers)).toBe('https://issuer.test#client=checkout undefined')
    })

    test('are not opened by a handler that nobody declared, whatever it has promised', async () => {
      app.use(countersign(guard))
      app.use('/feed', greet)
      const call = await open()
      expect(await call('/feed')).toBe('error')
    })
  })

  test('decides for each of two applications, of which one calls the other with the same request', async () => {
    const key = { audience: 'orders', issuers: [issuer], log: false } as const
    const inner = new Hono<NodeEnv>()
    inner.use(countersign(guard))
    inner.get('/orders', requireScopes('orders:read'), (c) => c.text(`inner ${c.var.caller.id}`))
    inner.get('/forgotten', (c) => c.text('secret'))
    const strange = new Hono<NodeEnv>()
    strange.use(countersign({ ...key }))
    strange.get('/', unprotected('another guard'), (c) => c.text('secret'))
    app.use(countersign(guard))
    app.use('/v1/*', unprotected('it decides itself'))
    app.mount('/v1', (request, env) => inner.fetch(request, env))
    app.mount('/v2', (request, env) => inner.fetch(request, env))
    app.use('/v3/*', unprotected('it decides itself'))
    app.mount('/v3', (request, env) => strange.fetch(request, env))
    app.use('/v4/*', requireScopes('v4:use'))
    app.mount('/v4', (request, env) => inner.fetch(request, env))
    const served = await serve()
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/v1/orders')).status).toBe(401)
    expect((await served.call('/v1/orders', { headers })).body).toBe(
      'inner https://issuer.test#client=checkout',
    )
    const forgotten = await served.call('/v1/forgotten', { headers })
    expect([forgotten.status, forgotten.events[0]?.code]).toEqual([403, 'route_undeclared'])
    expect((await served.call('/v2/orders', { headers })).code).toBe('route_undeclared')
    expect((await served.call('/v3/', { headers })).status).toBe(500)
    expect((await served.call('/v4/orders', { headers })).code).toBe('scope_missing')
    const both = await bearer(issuer, 'orders:read', 'v4:use')
    expect((await served.call('/v4/orders', { headers: both })).body).toContain('inner')
  })

  test('mixes no decisions of calls that a handler makes at once with its own request', async () => {
    app.use(countersign(guard))
    app.get('/open', unprotected('open'), async (c) => {
      await new Promise((resolve) => setImmediate(resolve))
      return c.text(String(callerOf(c)?.id))
    })
    app.use('/closed/*', requireScopes('closed:read'))
    app.get('/closed/it', unprotected('cannot undo the floor'), (c) => c.text('secret'))
    app.get('/batch', unprotected('asks for several'), async (c) => {
      const paths = ['/open', '/closed/it', '/open', '/closed/it']
      const answers = await Promise.all(paths.map(async (path) => app.request(path, {}, c.env)))
      return c.json([...answers.map(({ status }) => status), callerOf(c)?.id ?? null])
    })
    const answer = await (await serve()).call('/batch', { headers: await bearer(issuer) })
    expect(JSON.parse(answer.body)).toEqual([200, 403, 200, 403, null])
  })
})

test('a first request that nobody has verified yet is decided before its handler, cold and cached callers alike', async () => {
  const own = await createTestIssuer()
  const [[, Hono] = []] = honoVersions
  if (Hono === undefined) throw new Error('expected a release')
  const guard = createGuard({ audience: 'orders', issuers: [own], log: false })
  const app = new Hono()
  const order: string[] = []
  app.use(countersign(guard))
  app.get('/orders', requireScopes('orders:read'), (c) => {
    order.push('handler')
    return c.text('orders')
  })
  const headers = await bearer(own, 'orders:read')
  const server = createServer(getRequestListener((...args) => app.fetch(...args)))
  server.close()
  await app.request('/orders', { headers })
  order.length = 0
  const answer = app.request('/orders', { headers })
  order.push('caller')
  expect((await answer).status).toBe(200)
  // What is remembered needs no promise: the handler has run before `request` came back.
  expect(order).toEqual(['handler', 'caller'])
  guard.close()
})
