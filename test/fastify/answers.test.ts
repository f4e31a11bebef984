import { Readable } from 'node:stream'
import {
  countersign,
  createGuard,
  decisionOf,
  everyRoute,
  requireScopes,
  unprotected,
  type Guard,
} from '@countersign/fastify'
import { createTestClock, createTestIssuer, createTestProofKey, type TestIssuer } from '@countersign/testing'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Opened, bearer, call, fastifyVersions } from './served-fastify.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

describe.each(fastifyVersions)('%s', (_name, fastify) => {
  let opened: Opened
  let app: FastifyInstance
  let guard: Guard

  beforeEach(() => {
    opened = new Opened()
    app = opened.app(fastify())
    guard = opened.guard(issuer)
  })
  afterEach(() => opened.close())

  test('lets no hook and no error handler make an answer of a refusal', async () => {
    const ran: string[] = []
    app.addHook('onSend', async () => {
      ran.push('onSend')
      return 'secret'
    })
    app.addHook('preHandler', async (_request, reply) => reply.send('secret'))
    app.addHook('preSerialization', async () => 'secret')
    app.addHook('onError', async () => void ran.push('onError'))
    app.setErrorHandler((_error, _request, reply) => {
      ran.push('error handler')
      return reply.code(200).send('secret')
    })
    app.setReplySerializer(() => 'secret')
    await app.register(countersign(guard))
    app.get('/orders', { ...requireScopes('a:b'), onSend: async () => 'secret' }, async () => 'secret')
    app.get('/silent', async () => 'secret')
    for (const [path, code, status] of [
      ['/orders', 'credential_missing', 401],
      ['/silent', 'route_undeclared', 403],
    ] as const) {
      const answer = await call(app, path)
      expect([answer.code, answer.status]).toEqual([code, status])
      expect(JSON.parse(answer.body).decision).toBe(answer.events[0]?.id)
    }
    expect(ran).toEqual([])
  })

  test('runs onResponse hooks for a refusal, which see its status and what was decided', async () => {
    const seen: unknown[] = []
    app.addHook('onResponse', async (request, reply) => {
      const decision = decisionOf(request)
      seen.push([reply.statusCode, decision?.outcome === 'deny' && decision.refusal.code])
    })
    await app.register(countersign(guard))
    app.get('/orders', requireScopes('a:b'), async () => 'orders')
    await call(app, '/orders')
    await expect.poll(() => seen).toEqual([[401, 'credential_missing']])
  })

  test('keeps what hooks before the guard have set, such as CORS headers, and overrides none of its own', async () => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('access-control-allow-origin', 'https://shop.example')
      reply.header('content-type', 'text/html')
      reply.raw.setHeader('x-request-id', '7')
    })
    await app.register(countersign(guard))
    app.get('/orders', requireScopes('a:b'), async () => 'orders')
    const { status, headers } = await call(app, '/orders')
    expect(status).toBe(401)
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'content-type': 'application/problem+json',
      'x-request-id': '7',
    })
  })

  test('sets the headers of an allow on the answer, and holds a proof against the URL before it was rewritten', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const key = await createTestProofKey({ clock })
    const dpop = { externalUrl: 'https://api.example', nonces: true }
    const proving = createGuard({ audience: 'orders', issuers: [idp], dpop, log: false }, { clock })
    const rewritten = opened.app(fastify({ rewriteUrl: () => '/orders' }))
    await rewritten.register(countersign(proving))
    rewritten.get('/orders', requireScopes('a:b'), async () => 'orders')
    const bound = await idp.token('checkout', { scopes: ['a:b'], boundTo: key })
    const url = 'https://api.example/v1/orders'
    const first = await call(rewritten, '/v1/orders', { headers: await key.headersFor(bound, { url }) })
    expect(first.code).toBe('dpop_nonce_required')
    const nonce = String(first.headers['dpop-nonce'])
    clock.advance({ seconds: 250 })
    clock.advance({ seconds: 60 })
    const late = await call(rewritten, '/v1/orders', { headers: await key.headersFor(bound, { url, nonce }) })
    expect(late).toMatchObject({ status: 200, body: 'orders', headers: { 'cache-control': 'no-store' } })
    expect(late.headers['dpop-nonce']).not.toBe(nonce)
    proving.close()
  })

  test('replaces an answer that starts without an allow: a not-found handler, streams, raw writes', async () => {
    await app.register(countersign(guard))
    app.setNotFoundHandler((request, reply) => {
      if (request.url === '/stream') return reply.send(Readable.from(['sec', 'ret']))
      if (request.url === '/raw') {
        reply.hijack()
        reply.raw.writeHead(200, { 'x-secret': '1' })
        reply.raw.end('secret')
        return reply
      }
      if (request.url === '/gone') return reply.code(410).send('gone')
      return reply.code(200).header('x-secret', '1').send('secret')
    })
    for (const path of ['/page', '/stream', '/raw']) {
      const answer = await call(app, path)
      expect([answer.status, answer.code, answer.headers['x-secret']]).toEqual([
        403,
        'route_undeclared',
        undefined,
      ])
      expect(answer.body).not.toContain('sec')
    }
    expect((await call(app, '/gone')).body).toBe('gone')
  })

  test('lets the not-found handler answer for a route that was allowed and gives up', async () => {
    await app.register(countersign(guard))
    app.setNotFoundHandler(async (_request, reply) => reply.code(200).send('fallback'))
    app.get('/page', unprotected('a page'), (_request, reply) => reply.callNotFound())
    app.get('/private', requireScopes('a:b'), (_request, reply) => reply.callNotFound())
    expect((await call(app, '/page')).body).toBe('fallback')
    expect((await call(app, '/private')).code).toBe('credential_missing')
  })

  test('passes the errors of handlers on to the application’s own error handler', async () => {
    await app.register(countersign(guard))
    app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send(error.message))
    app.get('/orders', requireScopes('a:b'), async () => {
      throw new Error('own')
    })
    const answer = await call(app, '/orders', { headers: await bearer(issuer, 'a:b') })
    expect([answer.status, answer.body]).toEqual([418, 'own'])
  })

  test('lets a body parser run for who was allowed, and leaves the body to it', async () => {
    await app.register(countersign(guard))
    app.post('/orders', requireScopes('a:b'), async (request) => request.body)
    const headers = { ...(await bearer(issuer, 'a:b')), 'content-type': 'application/json' }
    const answer = await call(app, '/orders', { method: 'POST', headers, body: '{"tea":1}' })
    expect([answer.status, answer.body]).toEqual([200, '{"tea":1}'])
  })

  describe('a browser’s question whether it may send a request', () => {
    const asking = { origin: 'https://shop.example', 'access-control-request-method': 'GET' }
    const preflight = { method: 'OPTIONS', headers: asking }
    /** What `@fastify/cors` does. */
    function answerPreflights(context: FastifyInstance): void {
      context.addHook('onRequest', async (request, reply) => {
        if (request.method !== 'OPTIONS') return undefined
        return reply.headers({ 'access-control-allow-origin': '*', 'x-secret': '1' }).code(204).send()
      })
      context.options('*', (_request, reply) => reply.callNotFound())
    }

    test('is answered by a hook before the guard, which is asked nothing', async () => {
      answerPreflights(app)
      await app.register(countersign(opened.guard(issuer, { preflight: 'pass' })))
      app.get('/orders', requireScopes('a:b'), async () => 'orders')
      const answer = await call(app, '/orders', preflight)
      expect([answer.status, answer.events]).toEqual([204, []])
    })

    test('is passed on to a hook behind the guard, and says no more than what is allowed', async () => {
      await app.register(countersign(opened.guard(issuer, { preflight: 'pass' })))
      answerPreflights(app)
      app.get('/orders', requireScopes('a:b'), async () => 'orders')
      const answer = await call(app, '/orders', preflight)
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, '*'])
      expect([answer.headers['x-secret'], answer.code]).toEqual([undefined, null])
      expect((await call(app, '/orders', { method: 'OPTIONS' })).code).toBe('route_undeclared')
    })

    test('is a request like any other where the guard was not told to pass it', async () => {
      await app.register(countersign(guard))
      answerPreflights(app)
      expect((await call(app, '/orders', preflight)).code).toBe('route_undeclared')
    })

    test('is decided like any other request where a route for OPTIONS says who may call it', async () => {
      await app.register(countersign(opened.guard(issuer, { preflight: 'pass' })))
      app.options('/orders', requireScopes('a:b'), async () => 'orders')
      app.all('/all', requireScopes('a:b'), async () => 'orders')
      await app.register(async (admin) => {
        await admin.register(everyRoute(requireScopes('a:b')))
        admin.options('/admin', async () => 'admin')
      })
      expect((await call(app, '/admin', preflight)).code).toBe('credential_missing')
      expect((await call(app, '/orders', preflight)).code).toBe('credential_missing')
      expect((await call(app, '/all', preflight)).code).toBe('credential_missing')
    })

    test('is passed on to a route for OPTIONS that says nothing, and to no other', async () => {
      await app.register(countersign(opened.guard(issuer, { preflight: 'pass' })))
      app.options('/orders', (_request, reply) => reply.code(204).header('allow', 'GET').send())
      app.all('/all', async () => 'orders')
      const answer = await call(app, '/orders', preflight)
      expect([answer.status, answer.headers.allow, answer.code]).toEqual([204, 'GET', null])
      expect((await call(app, '/all', preflight)).code).toBe('route_undeclared')
    })
  })

  test.each([
    ['allowed', 'permit'],
    ['refused', 'forbid'],
  ] as const)(
    'runs no handler for a request whose time ran out before it was %s',
    async (_outcome, effect) => {
      const decided = Promise.withResolvers<{ effect: 'permit' | 'forbid' }>()
      const deciders = [{ name: 'slow', decide: () => decided.promise, timeoutMs: 10_000 }]
      let reply: FastifyReply | undefined
      app.addHook('onRequest', async (_request, given) => {
        reply = given
        setImmediate(() => void given.code(503).send('too late'))
      })
      await app.register(countersign(opened.guard(issuer, { deciders })))
      let ran = 0
      app.get('/orders', requireScopes('a:b'), async () => {
        ran += 1
        return 'orders'
      })
      const headers = await bearer(issuer, 'a:b')
      const answer = await call(app, '/orders', { headers })
      expect([answer.status, answer.body]).toEqual([503, 'too late'])
      decided.resolve({ effect })
      await expect
        .poll(() => reply && decisionOf(reply.request)?.outcome)
        .toBe(effect === 'permit' ? 'allow' : 'deny')
      await new Promise((resolve) => setImmediate(resolve))
      expect(ran).toBe(0)
    },
  )

  test('T52 refuses where what is asked about the caller fails, whatever the error handler makes of errors', async () => {
    const deciders = [{ name: 'broken', decide: () => Promise.reject(new Error('secret')) }]
    app.setErrorHandler((_error, _request, reply) => reply.code(200).send('secret'))
    await app.register(countersign(opened.guard(issuer, { deciders })))
    app.get('/orders', requireScopes('a:b'), async () => 'secret')
    const answer = await call(app, '/orders', { headers: await bearer(issuer, 'a:b') })
    expect([answer.status, answer.code]).toEqual([503, 'decider_unavailable'])
    expect(answer.body).not.toContain('secret')
  })
})
