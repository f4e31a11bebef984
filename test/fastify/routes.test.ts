import {
  authenticated,
  callerOf,
  callerOptional,
  countersign,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Guard,
} from '@countersign/fastify'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
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
  /** Handlers that ran, in order: a refusal must come before any of them. */
  let ran: string[]
  const handler = (name: string) => async () => {
    ran.push(name)
    return name
  }

  beforeEach(async () => {
    ran = []
    opened = new Opened()
    app = opened.app(fastify())
    guard = opened.guard(issuer)
    await app.register(countersign(guard))
  })
  afterEach(() => opened.close())

  test('lets a caller with the scope through, and tells the handler who it is', async () => {
    app.get('/orders/:id', requireScopes('orders:read'), async (request) => ({
      id: request.caller.id,
      same: callerOf(request) === request.caller && callerOf(request.raw) === request.caller,
      order: request.params,
    }))
    const answer = await call(app, '/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      id: 'https://issuer.test#client=checkout',
      same: true,
      order: { id: '7' },
    })
    expect(answer.events.map(({ route, outcome, code }) => [route, outcome, code])).toEqual([
      ['GET /orders/:id', 'allow', null],
    ])
  })

  test('refuses who presents nothing with a bare challenge that names the scope, before any handler', async () => {
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await call(app, '/orders')
    expect([answer.code, answer.status]).toEqual(['credential_missing', 401])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign", scope="orders:read"')
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
    expect(JSON.parse(answer.body)).toEqual({
      title: 'Unauthorized',
      status: 401,
      detail: 'a credential is required',
      decision: answer.events[0]?.id,
    })
    expect(ran).toEqual([])
  })

  test('refuses a caller without the scope as forbidden, and says which scope it takes', async () => {
    app.get('/orders', requireScopes('orders:read', 'orders:list'), handler('orders'))
    const answer = await call(app, '/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.status, answer.code]).toEqual([403, 'scope_missing'])
    expect(answer.headers['www-authenticate']).toContain('scope="orders:read orders:list"')
    expect(ran).toEqual([])
  })

  test('refuses a repeated Authorization field, which Node itself would not show', async () => {
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const { authorization } = await bearer(issuer, 'orders:read')
    const answer = await call(app, '/orders', { headers: { authorization: [authorization, authorization] } })
    expect([answer.status, answer.code]).toEqual([400, 'credential_duplicated'])
    expect(ran).toEqual([])
  })

  test('refuses a route that says nothing, before its handler, its hooks and its body', async () => {
    app.post(
      '/orders',
      {
        onRequest: async () => void ran.push('onRequest'),
        preParsing: async () => void ran.push('preParsing'),
        preHandler: async () => void ran.push('preHandler'),
      },
      handler('orders'),
    )
    const answer = await call(app, '/orders', {
      method: 'POST',
      headers: { ...(await bearer(issuer, 'orders:read')), 'content-type': 'application/json' },
      body: '{ broken',
    })
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(ran).toEqual([])
  })

  test('runs no hook that was added behind the guard for who is refused', async () => {
    app.addHook('onRequest', async () => void ran.push('onRequest'))
    app.addHook('preValidation', async () => void ran.push('preValidation'))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    expect((await call(app, '/orders')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    await call(app, '/orders', { headers: await bearer(issuer, 'orders:read') })
    expect(ran).toEqual(['onRequest', 'preValidation', 'orders'])
  })

  test('holds undeclared routes to the requirement that the guard has for them', async () => {
    const held = opened.app(fastify())
    await held.register(countersign(opened.guard(issuer, { undeclared: authenticated() })))
    held.get('/orders', handler('orders'))
    expect((await call(held, '/orders')).code).toBe('credential_missing')
    expect((await call(held, '/orders', { headers: await bearer(issuer) })).body).toBe('orders')
  })

  test('lets everybody call an unprotected route, reads no credential there, and has no caller', async () => {
    app.get('/healthz', unprotected('liveness probe'), async (request) => {
      expect(callerOf(request)).toBeUndefined()
      expect(() => request.caller).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
      return 'ok'
    })
    const answer = await call(app, '/healthz', { headers: { authorization: 'Bearer rubbish' } })
    expect([answer.status, answer.body, answer.code]).toEqual([200, 'ok', null])
  })

  test('verifies what is presented where a caller is optional, and never takes an invalid one for nobody', async () => {
    app.get('/shop', callerOptional('prices differ'), async (request) => callerOf(request)?.id ?? 'nobody')
    expect((await call(app, '/shop')).body).toBe('nobody')
    expect((await call(app, '/shop', { headers: await bearer(issuer) })).body).toBe(
      'https://issuer.test#client=checkout',
    )
    const broken = await issuer.broken('forged-signature', 'checkout', { audience: 'orders' })
    const answer = await call(app, '/shop', { headers: { authorization: `Bearer ${broken}` } })
    expect([answer.status, answer.code]).toEqual([401, 'signature_invalid'])
  })

  test('takes a requirement in `config`, and as one of the options of `route`', async () => {
    app.get('/config', { config: { requires: scopes('a:b') } }, handler('config'))
    app.route({ method: 'GET', url: '/route', ...requires(scopes('a:b')), handler: handler('route') })
    for (const path of ['/config', '/route']) {
      expect((await call(app, path)).code).toBe('credential_missing')
      expect((await call(app, path, { headers: await bearer(issuer) })).code).toBe('scope_missing')
      expect((await call(app, path, { headers: await bearer(issuer, 'a:b') })).status).toBe(200)
    }
    expect(ran).toEqual(['config', 'route'])
  })

  test('loses no declaration beside which another `config` or another hook stands, and adds up several', async () => {
    const other = { config: { rateLimit: 10 } }
    app.get('/config', { ...requireScopes('a:b'), ...other }, handler('config'))
    app.get('/hook', { ...requireScopes('a:b'), onRequest: async () => undefined }, handler('hook'))
    const { onRequest } = requireScopes('a:b')
    const both = { ...requireScopes('c:d'), onRequest: [async () => undefined, onRequest] }
    app.get('/both', both, handler('both'))
    for (const path of ['/config', '/hook', '/both']) {
      expect((await call(app, path, { headers: await bearer(issuer) })).code).toBe('scope_missing')
    }
    const lacking = await call(app, '/both', { headers: await bearer(issuer, 'c:d') })
    expect([lacking.code, lacking.events.length]).toEqual(['scope_missing', 1])
    expect(ran).toEqual([])
    expect((await call(app, '/both', { headers: await bearer(issuer, 'a:b', 'c:d') })).body).toBe('both')
    expect((await call(app, '/config', { headers: await bearer(issuer, 'a:b') })).body).toBe('config')
  })

  test('keeps the framework’s own 404 for a path that nothing matches, credential or not', async () => {
    app.post('/orders', requireScopes('orders:write'), handler('create'))
    for (const [path, method] of [
      ['/nothing', 'GET'],
      ['/orders', 'GET'],
      ['/orders', 'HEAD'],
      ['/orders', 'OPTIONS'],
    ] as const) {
      const answer = await call(app, path, { method })
      expect([answer.status, answer.events]).toEqual([404, []])
    }
  })

  test('keeps the framework’s own 400 for a path that cannot be decoded', async () => {
    app.get('/orders/:id', requireScopes('orders:read'), handler('orders'))
    const answer = await call(app, '/orders/%zz')
    expect([answer.status, answer.events]).toEqual([400, []])
    expect(answer.body).toContain('FST_ERR_BAD_URL')
  })

  test('T47 answers HEAD by what GET declares, below a prefix with a slash and without', async () => {
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    await app.register(
      async (shop) => {
        shop.get('/', requireScopes('orders:read'), handler('shop'))
      },
      { prefix: '/shop' },
    )
    const allowed = await bearer(issuer, 'orders:read')
    for (const path of ['/orders', '/shop', '/shop/']) {
      expect((await call(app, path, { method: 'HEAD' })).code).toBe('credential_missing')
      const answer = await call(app, path, { method: 'HEAD', headers: allowed })
      expect([answer.status, answer.events.map(({ method }) => method)]).toEqual([200, ['HEAD']])
    }
    expect(guard.census().map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /orders',
      'GET /shop',
    ])
  })

  test('T47 holds HEAD to GET where a hook declares for GET alone', async () => {
    app.addHook('onRoute', (route) => {
      if (route.method === 'GET') route.config = { ...route.config, requires: scopes('a:b') }
    })
    app.get('/orders', handler('orders'))
    expect((await call(app, '/orders', { method: 'HEAD' })).code).toBe('credential_missing')
    expect((await call(app, '/orders', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect(ran).toEqual([])
  })

  test('keeps the methods of one path apart, and holds a list of methods to one declaration', async () => {
    app.get('/orders', unprotected('a public list'), handler('list'))
    app.post('/orders', requireScopes('orders:write'), handler('create'))
    app.route({
      method: ['PUT', 'PATCH'],
      url: '/orders',
      ...requireScopes('a:b'),
      handler: handler('change'),
    })
    app.delete('/orders', handler('undeclared'))
    expect((await call(app, '/orders')).body).toBe('list')
    expect((await call(app, '/orders', { method: 'POST' })).code).toBe('credential_missing')
    for (const method of ['PUT', 'PATCH']) {
      expect((await call(app, '/orders', { method })).code).toBe('credential_missing')
    }
    const headers = await bearer(issuer, 'orders:write')
    expect((await call(app, '/orders', { method: 'DELETE', headers })).code).toBe('route_undeclared')
    expect(ran).toEqual(['list'])
  })

  test('T46 decides for the route that Fastify has chosen, however its path was written', async () => {
    const loose = opened.app(
      fastify({
        caseSensitive: false,
        ignoreDuplicateSlashes: true,
        ignoreTrailingSlash: true,
        useSemicolonDelimiter: true,
        rewriteUrl: (request: IncomingMessage) => (request.url ?? '').replace(/^\/v1/, ''),
      }),
    )
    await loose.register(countersign(guard))
    loose.get('/admin/panel', requireScopes('admin:read'), handler('panel'))
    loose.get('/files/*', requireScopes('admin:read'), handler('files'))
    loose.get('/at/:hour(^\\d+)h:minute(^\\d+)m', requireScopes('admin:read'), handler('at'))
    for (const path of [
      '/ADMIN/panel',
      '/admin//panel',
      '//admin/panel/',
      '/admin/panel;x=1',
      '/%61dmin/panel',
      '/v1/admin/panel',
      '/admin/panel?a=/healthz',
      '/files/..%2fhealthz',
      '/at/10h30m',
    ]) {
      expect([path, (await call(loose, path)).code]).toEqual([path, 'credential_missing'])
    }
    expect((await call(loose, 'http://other/admin/panel')).status).not.toBe(200)
    expect(ran).toEqual([])
  })

  test('names no method that a hook has put in place of the one that was routed', async () => {
    const strange = opened.app(fastify())
    strange.addHook('onRequest', async ({ headers, raw }) => void (raw.method = String(headers['x-method'])))
    await strange.register(countersign(guard))
    strange.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await call(strange, '/orders', { headers: { 'x-method': 'EVIL text' } })
    expect(answer.events.map(({ route, code }) => [route, code])).toEqual([
      ['* /orders', 'credential_missing'],
    ])
  })

  test('decides for the constraint that a request meets', async () => {
    app.get('/orders', { constraints: { version: '1.0.0' }, ...unprotected('the old list') }, handler('one'))
    app.get('/orders', { constraints: { version: '2.0.0' }, ...requireScopes('a:b') }, handler('two'))
    expect((await call(app, '/orders', { headers: { 'accept-version': '1.x' } })).body).toBe('one')
    expect((await call(app, '/orders', { headers: { 'accept-version': '2.x' } })).code).toBe(
      'credential_missing',
    )
    expect(ran).toEqual(['one'])
  })

  test('deletes headers that claim an identity before any hook or handler behind it reads them', async () => {
    app.get('/seen', unprotected('for this test'), async ({ headers, raw }) => ({
      headers: headers['x-forwarded-client-cert'] ?? null,
      distinct: raw.headersDistinct['x-forwarded-client-cert'] ?? null,
      raw: raw.rawHeaders.filter((text) => /forwarded/i.test(text)),
    }))
    const answer = await call(app, '/seen', { headers: { 'X-Forwarded-Client-Cert': 'By=spiffe://x' } })
    expect(JSON.parse(answer.body)).toEqual({ headers: null, distinct: null, raw: [] })
  })

  test('decides for requests that are injected: tokens count, and nobody has a certificate', async () => {
    app.get('/orders', requireScopes('orders:read'), async (request) => request.caller.id)
    expect((await app.inject('/orders')).statusCode).toBe(401)
    const headers = await bearer(issuer, 'orders:read')
    for (let i = 0; i < 2; i += 1) {
      const answer = await app.inject({ url: '/orders', headers })
      expect([answer.statusCode, answer.body]).toEqual([200, 'https://issuer.test#client=checkout'])
    }
  })

  test('comes to the handler in the same tick where the caller is known', async () => {
    const order: string[] = []
    app.get('/orders', requireScopes('orders:read'), async () => {
      order.push('handler')
      return 'ok'
    })
    app.addHook('onRequest', (_request, _reply, done) => {
      order.push('behind the guard')
      done()
    })
    await app.ready()
    const headers = await bearer(issuer, 'orders:read')
    await app.inject({ url: '/orders', headers })
    const routing = app.routing.bind(app)
    order.length = 0
    await new Promise<void>((resolve) => {
      app.server.removeAllListeners('request')
      app.server.on('request', (request, response) => {
        routing(request, response)
        order.push('routing is over')
        response.on('finish', resolve)
      })
      void call(app, '/orders', { headers })
    })
    expect(order).toEqual(['behind the guard', 'handler', 'routing is over'])
  })

  test('mixes no callers of requests that come at once', async () => {
    app.get('/me', requireScopes('orders:read'), async (request, reply) => {
      await new Promise((resolve) => setImmediate(resolve))
      return reply.send(request.caller.id)
    })
    const names = Array.from({ length: 60 }, (_, i) => `service-${i % 20}`)
    const answers = await Promise.all(
      names.map(async (name) => {
        const headers = await issuer.headersFor(name, { scopes: ['orders:read'] })
        return (await call(app, '/me', { headers })).body
      }),
    )
    expect(answers).toEqual(names.map((name) => `https://issuer.test#client=${name}`))
  })
})
