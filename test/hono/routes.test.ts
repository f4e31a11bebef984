import {
  authenticated,
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  decisionOf,
  requireCaller,
  requireScopes,
  requires,
  unprotected,
  type Guard,
} from '@countersign/hono'
import type { TestIssuer } from '@countersign/testing'
import type { Context, Hono as App, Next } from 'hono'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, honoVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(honoVersions)('%s', (_name, Hono) => {
  let app: App
  let guard: Guard
  let served: ServedApp
  /** Handlers that ran, in order: a refusal must come before any of them. */
  let ran: string[]
  const handler = (name: string) => (c: Context) => {
    ran.push(name)
    return c.text(name)
  }
  const passing = (name: string) => async (_c: Context, next: Next) => {
    ran.push(name)
    await next()
  }

  beforeEach(async () => {
    ran = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = new Hono()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  test('lets a caller with the scope through, and tells the handler who it is', async () => {
    app.use(countersign(guard))
    app.get('/orders/:id', requireScopes('orders:read'), (c) =>
      c.json({
        id: c.var.caller.id,
        same: callerOf(c) === c.get('caller') && requireCaller(c) === c.var.caller,
        outcome: decisionOf(c)?.outcome,
        order: c.req.param('id'),
      }),
    )
    const answer = await served.call('/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      id: 'https://issuer.test#client=checkout',
      same: true,
      outcome: 'allow',
      order: '7',
    })
    expect(answer.events.map(({ route, outcome, code }) => [route, outcome, code])).toEqual([
      ['GET /orders/:id', 'allow', null],
    ])
  })

  test('refuses who presents nothing with a bare challenge that names the scope, before any handler', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await served.call('/orders')
    expect(answer.code).toBe('credential_missing')
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign", scope="orders:read"')
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(JSON.parse(answer.body)).toEqual({
      title: 'Unauthorized',
      status: 401,
      detail: 'a credential is required',
      decision: answer.events[0]?.id,
    })
    expect(ran).toEqual([])
  })

  test('refuses a caller without the scope as forbidden, and says which scope it takes', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read', 'orders:list'), handler('orders'))
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.status, answer.code]).toEqual([403, 'scope_missing'])
    expect(answer.headers['www-authenticate']).toContain('scope="orders:read orders:list"')
    expect(ran).toEqual([])
  })

  test('refuses a repeated Authorization field, which Fetch would show as one', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const { authorization } = await bearer(issuer, 'orders:read')
    const answer = await served.call('/orders', {
      headers: { authorization: [authorization, authorization] },
    })
    expect([answer.status, answer.code]).toEqual([400, 'credential_duplicated'])
    expect(ran).toEqual([])
  })

  test('refuses a route that says nothing, before its handler runs', async () => {
    app.use(countersign(guard))
    app.get('/orders', handler('orders'))
    app.all('/any', handler('any'))
    app.use('/below/*', async (c) => handler('below')(c))
    for (const path of ['/orders', '/any', '/below/it']) {
      const answer = await served.call(path, { headers: await bearer(issuer, 'orders:read') })
      expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    }
    expect(ran).toEqual([])
  })

  test('knows what answers from what stands on the way, where both are for every method', async () => {
    app.use(countersign(guard))
    app.all('/bare', () => {
      ran.push('bare')
      return new Response('secret')
    })
    app.use('/wrapped/*', (...all: [Context, Next]) => passing('wrapped')(...all))
    app.get('/wrapped/it', requireScopes('orders:read'), handler('it'))
    expect((await served.call('/bare')).code).toBe('route_undeclared')
    expect((await served.call('/wrapped/it', { headers: await bearer(issuer, 'orders:read') })).body).toBe(
      'it',
    )
    expect(ran).toEqual(['wrapped', 'it'])
  })

  test('leaves it to Hono to say that a handler has answered nothing', async () => {
    app.use(countersign(guard))
    app.use('/silent', async (_c, _next) => {})
    app.onError((error, c) => c.text(error.message, 500))
    const answer = await served.call('/silent')
    expect([answer.status, answer.code]).toEqual([500, undefined])
    expect(answer.body).toContain('Context is not finalized')
  })

  test('keeps nothing of an answer that a route had given before it passed the request on', async () => {
    app.use(countersign(guard))
    app.get('/orders', unprotected('passes on'), async (c, next) => {
      c.res = new Response('first', { headers: { 'x-first': '1' } })
      await next()
    })
    app.get('/:any', requireScopes('orders:read'), handler('second'))
    const answer = await served.call('/orders')
    expect([answer.status, answer.headers['x-first']]).toEqual([401, undefined])
  })

  test('refuses an undeclared route that takes `next` before it runs, whatever is declared behind it', async () => {
    app.use(countersign(guard))
    app.get('/admin', passing('admin'))
    app.get('*', unprotected('pages'), handler('pages'))
    expect((await served.call('/admin')).code).toBe('route_undeclared')
    expect(ran).toEqual([])
  })

  test('holds undeclared routes to the requirement that the guard has for them', async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, undeclared: authenticated() })
    app.use(countersign(guard))
    app.get('/orders', handler('orders'))
    expect((await served.call('/orders')).code).toBe('credential_missing')
    expect((await served.call('/orders', { headers: await bearer(issuer) })).body).toBe('orders')
  })

  test('holds an undeclared route behind an unprotected one to that requirement when it comes to it', async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, undeclared: authenticated() })
    app.use(countersign(guard))
    app.get('/orders', unprotected('passes on'), passing('first'))
    app.get('/healthz', unprotected('a probe'), handler('ok'))
    app.get('*', handler('rest'))
    expect((await served.call('/orders')).code).toBe('credential_missing')
    expect((await served.call('/healthz')).body).toBe('ok')
    expect((await served.call('/orders', { headers: await bearer(issuer) })).body).toBe('rest')
    expect(ran).toEqual(['first', 'ok', 'first', 'rest'])
  })

  test('lets everybody call an unprotected route, reads no credential there, and has no caller', async () => {
    app.use(countersign(guard))
    app.get('/healthz', unprotected('liveness probe'), (c) => {
      expect(callerOf(c)).toBeUndefined()
      expect(c.get('caller')).toBeUndefined()
      expect(() => requireCaller(c)).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
      return c.text('ok')
    })
    const answer = await served.call('/healthz', { headers: { authorization: 'Bearer rubbish' } })
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
  })

  test('verifies what is presented where a caller is optional, and never takes an invalid one for nobody', async () => {
    app.use(countersign(guard))
    const shop = (c: Context) => c.text(callerOf(c)?.id ?? 'nobody')
    app.get('/shop', callerOptional('prices differ for known callers'), shop)
    app.use('/files/*', callerOptional('the same'), (c, _next) => Promise.resolve(shop(c)))
    for (const path of ['/shop', '/files/a']) {
      expect((await served.call(path)).body).toBe('nobody')
      expect((await served.call(path, { headers: await bearer(issuer) })).body).toBe(
        'https://issuer.test#client=checkout',
      )
      const broken = await issuer.broken('forged-signature', 'checkout', { audience: 'orders' })
      const answer = await served.call(path, { headers: { authorization: `Bearer ${broken}` } })
      expect([answer.status, answer.code]).toEqual([401, 'signature_invalid'])
    }
  })

  test('holds every route of a sub-application to its floor, routes only add, and records one decision', async () => {
    app.use(countersign(guard))
    const admin = new Hono()
    admin.use(requireScopes('admin:write'))
    for (let i = 0; i < 2; i += 1) admin.use((_c, next) => next())
    admin.get('/panel', handler('panel'))
    admin.get('/keys', requireScopes('keys:read'), handler('keys'))
    admin.get('/open', unprotected('cannot undo the floor'), handler('open'))
    app.route('/admin', admin)
    expect((await served.call('/admin/panel', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect((await served.call('/admin/keys', { headers: await bearer(issuer, 'keys:read') })).code).toBe(
      'scope_missing',
    )
    expect((await served.call('/admin/open')).code).toBe('credential_missing')
    const lacking = await served.call('/admin/keys', { headers: await bearer(issuer, 'admin:write') })
    expect([lacking.code, lacking.events.length]).toEqual(['scope_missing', 1])
    expect(ran).toEqual([])
    const allowed = await served.call('/admin/keys', {
      headers: await bearer(issuer, 'admin:write', 'keys:read'),
    })
    expect(allowed.events.map(({ requirement }) => requirement)).toEqual([
      'allOf(scopes(admin:write), scopes(keys:read))',
    ])
    expect(allowed.body).toBe('keys')
    expect((await served.call('/admin/panel', { headers: await bearer(issuer, 'admin:write') })).body).toBe(
      'panel',
    )
  })

  test('takes a requirement of one method without a handler for a floor of that method', async () => {
    app.use(countersign(guard))
    app.get('/admin/*', requireScopes('admin:read'))
    app.get('/admin/panel', unprotected('cannot undo the floor'), handler('panel'))
    app.post('/admin/panel', requireScopes('admin:write'), handler('write'))
    expect((await served.call('/admin/panel')).code).toBe('credential_missing')
    expect((await served.call('/admin/panel', { headers: await bearer(issuer, 'admin:read') })).body).toBe(
      'panel',
    )
    expect(
      (await served.call('/admin/panel', { method: 'POST', headers: await bearer(issuer, 'admin:write') }))
        .body,
    ).toBe('write')
  })

  test('keeps what was asked for every method, also where that answered by itself', async () => {
    app.use(countersign(guard))
    app.use('/admin/*', requireScopes('admin:write'), async function disguised(_c: Context) {
      // It takes `next` where nobody sees it.
      await (arguments[1] as Next)()
    } as never)
    app.get('/admin/panel', unprotected('cannot undo the floor'), handler('panel'))
    expect((await served.call('/admin/panel')).code).toBe('credential_missing')
    expect((await served.call('/admin/panel', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect((await served.call('/admin/panel', { headers: await bearer(issuer, 'admin:write') })).body).toBe(
      'panel',
    )
  })

  test('keeps the framework’s own 404 for a path that nothing matches, credential or not', async () => {
    app.use(countersign(guard))
    app.post('/orders', requireScopes('orders:write'), handler('create'))
    for (const [path, method] of [
      ['/nothing', 'GET'],
      ['/orders', 'GET'],
      ['/orders', 'HEAD'],
    ] as const) {
      const answer = await served.call(path, { method })
      expect([answer.status, answer.events]).toEqual([404, []])
    }
  })

  test('below a floor, a path that nothing matches is answered as the floor answers', async () => {
    app.use(countersign(guard))
    app.use('/admin/*', requireScopes('admin:read'))
    expect((await served.call('/admin/nothing')).code).toBe('credential_missing')
    const answer = await served.call('/admin/nothing', { headers: await bearer(issuer, 'admin:read') })
    expect(answer.status).toBe(404)
  })

  test('T47 answers HEAD by what GET declares', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const refused = await served.call('/orders', { method: 'HEAD' })
    expect([refused.status, refused.body, refused.events[0]?.route]).toEqual([401, '', 'HEAD /orders'])
    expect(refused.headers['www-authenticate']).toContain('Bearer')
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/orders', { method: 'HEAD', headers })).status).toBe(200)
  })

  test('keeps the methods of one path apart', async () => {
    app.use(countersign(guard))
    app
      .get('/orders', unprotected('a public list'), handler('list'))
      .post('/orders', requireScopes('orders:write'), handler('create'))
      .put('/orders', handler('undeclared'))
      .on('PURGE', '/orders', requireScopes('orders:purge'), handler('purge'))
    const headers = await bearer(issuer, 'orders:write')
    expect((await served.call('/orders')).body).toBe('list')
    expect((await served.call('/orders', { method: 'POST' })).code).toBe('credential_missing')
    expect((await served.call('/orders', { method: 'PUT', headers })).code).toBe('route_undeclared')
    const purged = await served.call('/orders', { method: 'PURGE', headers })
    expect([purged.code, purged.events[0]?.route]).toEqual(['scope_missing', 'PURGE /orders'])
    expect(ran).toEqual(['list'])
  })

  test('adds up all declarations of a route, however they are mixed', async () => {
    app.use(countersign(guard))
    app.all(
      '/both',
      unprotected('undone by its neighbour'),
      requireScopes('a:b'),
      requires(callerIs('https://issuer.test#client=*')),
      handler('both'),
    )
    expect((await served.call('/both')).code).toBe('credential_missing')
    expect((await served.call('/both', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect(
      (await served.call('/both', { method: 'DELETE', headers: await bearer(issuer, 'a:b') })).body,
    ).toBe('both')
  })

  test('refuses a route that says too late who may call it', async () => {
    app.use(countersign(guard))
    app.get('/orders', handler('too early'), requireScopes('orders:read'))
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.status, answer.code]).toEqual([500, 'declaration_misplaced'])
    expect(ran).toEqual([])
  })

  test('decides anew for each route that a request goes on to', async () => {
    app.use(countersign(guard))
    app.get('/orders', unprotected('passes on'), passing('first'))
    app.get('/:any', requireScopes('orders:read'), handler('second'))
    expect((await served.call('/orders')).code).toBe('credential_missing')
    expect(ran).toEqual(['first'])
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.events.map(({ route }) => route)).toEqual(['GET /orders', 'GET /:any'])
    expect(answer.body).toBe('second')
  })

  test('tells each route its own caller', async () => {
    app.use(countersign(guard))
    const seen: unknown[] = []
    const look = async (c: Context, next: Next) => {
      seen.push(c.get('caller')?.id, callerOf(c)?.id)
      await next()
    }
    app.get('/orders', requireScopes('orders:read'), look)
    app.get('/:any', unprotected('has none'), look, handler('any'))
    await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    const id = 'https://issuer.test#client=checkout'
    expect(seen).toEqual([id, id, undefined, undefined])
  })

  test('covers the handler in the same `use`, and no route behind it', async () => {
    app.use(countersign(guard))
    app.use('/files/*', unprotected('public assets'), (c, next) =>
      c.req.path === '/files/a.txt' ? Promise.resolve(c.text('a')) : next(),
    )
    app.use('/reports/*', requireScopes('reports:read'), async (c, _next) => c.text('report'))
    app.get('/files/secret', handler('secret'))
    expect((await served.call('/files/a.txt')).body).toBe('a')
    expect((await served.call('/files/secret')).code).toBe('route_undeclared')
    expect((await served.call('/reports/q1')).code).toBe('credential_missing')
    const allowed = await served.call('/reports/q1', { headers: await bearer(issuer, 'reports:read') })
    expect([allowed.body, allowed.events.length, allowed.code]).toEqual(['report', 1, null])
  })

  test('lets a public `use` answer before a route that asks for a caller', async () => {
    app.use(countersign(guard))
    app.use('/files/*', unprotected('public assets'), async (c, _next) => c.text('a'))
    app.get('*', requireScopes('pages:read'), handler('page'))
    expect((await served.call('/files/a.txt')).body).toBe('a')
    expect((await served.call('/other')).code).toBe('credential_missing')
  })

  test('opens no handler behind an unprotected one that passes the request on', async () => {
    app.use(countersign(guard))
    app.use(unprotected('public assets'), passing('assets'))
    app.use(async (c, _next) => c.text('graphql'))
    const answer = await served.call('/graphql')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('graphql')
  })

  test('ends what a route was allowed where the route passes the request on', async () => {
    app.use(countersign(guard))
    app.get('*', unprotected('counts requests'), passing('counts'))
    app.use('/graphql', async (c, _next) => c.text('graphql'))
    expect((await served.call('/graphql')).code).toBe('route_undeclared')
  })

  test('speaks for all handlers of a method, and where every method is meant, for the next one alone', async () => {
    app.use(countersign(guard))
    app.post('/hook', unprotected('signed by its sender'), passing('parse'), handler('hook'))
    // It may as well have come in two calls: the second one says nothing.
    app.all('/graphql', unprotected('CORS'), passing('cors'), handler('graphql'))
    app.all('/asked', requireScopes('a:b'), passing('parse'), handler('asked'))
    expect((await served.call('/hook', { method: 'POST' })).body).toBe('hook')
    expect((await served.call('/graphql')).code).toBe('route_undeclared')
    expect((await served.call('/asked')).code).toBe('credential_missing')
    expect(ran).toEqual(['parse', 'hook', 'cors'])
    const asked = await served.call('/asked', { headers: await bearer(issuer, 'a:b') })
    expect([asked.body, asked.events.map(({ route }) => route)]).toEqual(['asked', ['GET /asked']])
  })

  test('refuses an `unprotected` that stands alone: it would open nothing, or everything', async () => {
    app.use(countersign(guard))
    app.use('/a/*', unprotected('all of it'))
    app.get('/a/orders', handler('orders'))
    app.get('/b', unprotected('nothing beside it'))
    app.get('/:any', handler('any'))
    for (const path of ['/a/orders', '/b']) {
      const answer = await served.call(path)
      expect([answer.status, answer.code]).toEqual([500, 'declaration_misplaced'])
    }
    expect(ran).toEqual([])
  })

  test('T46 names a route as it was written, never as a caller filled it in', async () => {
    app.use(countersign(guard))
    const tenant = new Hono()
    tenant.get('/:id{[0-9]+}', requireScopes('tenant:read'), handler('one'))
    tenant.get('/list/:page?', requireScopes('tenant:read'), handler('list'))
    app.basePath('/v1').route('/tenants/:tenant', tenant)
    expect((await served.call('/v1/tenants/attacker-text/1')).events[0]?.route).toBe(
      'GET /v1/tenants/:tenant/:id{[0-9]+}',
    )
    for (const path of ['list', 'list/2']) {
      expect((await served.call(`/v1/tenants/x/${path}`)).events[0]?.route).toBe(
        'GET /v1/tenants/:tenant/list/:page?',
      )
    }
  })

  test.each([
    ['text', (c: Context) => c.text('secret')],
    ['a header', (c: Context) => (c.header('x-secret', '1'), c.body(null, 204))],
    ['a response of its own', () => new Response('secret', { headers: { 'x-secret': '1' } })],
    ['setting the response', (c: Context) => void (c.res = new Response('secret'))],
    ['a stream', () => new Response(new Blob(['secret']).stream())],
    ['a redirect', (c: Context) => c.redirect('/secret')],
  ])('replaces what an undeclared `use` handler answers by %s', async (_how, reply) => {
    app.use(countersign(guard))
    app.use(async (c, _next) => reply(c))
    const answer = await served.call('/anything')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('secret')
    expect(answer.headers).not.toHaveProperty('x-secret')
    expect(answer.headers).not.toHaveProperty('location')
  })

  test('replaces what an undeclared handler puts in the place of a 404 behind it', async () => {
    app.use(countersign(guard))
    app.use(async (c, next) => {
      await next()
      c.res = new Response('secret')
    })
    app.notFound((c) => c.text('secret page', 200))
    expect((await served.call('/anything')).code).toBe('route_undeclared')
  })

  test('replaces a page that answers for whatever nothing matches, and an error page that is none', async () => {
    app.use(countersign(guard))
    app.use('/fails', async (_c, _next) => {
      throw new Error('the application’s own')
    })
    app.notFound((c) => c.text('secret'))
    app.onError((_error, c) => c.text('secret'))
    for (const path of ['/anything', '/fails']) {
      const answer = await served.call(path)
      expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
      expect(answer.body).not.toContain('secret')
    }
  })

  test('never lets a declaration pass where no guard saw the request', async () => {
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    app.get('/healthz', unprotected('a probe'), handler('healthz'))
    for (const path of ['/orders', '/healthz']) expect((await served.call(path)).status).toBe(500)
    expect(ran).toEqual([])
  })

  test('takes being mounted twice with one guard, and refuses two guards', async () => {
    app.use(countersign(guard), countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    app.use('/other', countersign({ audience: 'orders', issuers: [issuer], log: false }))
    app.get('/other', unprotected('x'), handler('other'))
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.body, answer.events.length]).toEqual(['orders', 1])
    expect((await served.call('/other')).status).toBe(500)
    expect(ran).toEqual(['orders'])
  })

  test('leaves errors of handlers, bodies and streams to the application', async () => {
    app.use(countersign(guard))
    app.post('/echo', requireScopes('a:b'), (c) => new Response(c.req.raw.body))
    app.get('/fails', unprotected('fails'), () => {
      throw new Error('the application’s own')
    })
    app.onError((error, c) => c.text(error.message))
    const body = 'x'.repeat(200_000)
    expect(
      (await served.call('/echo', { method: 'POST', body, headers: await bearer(issuer, 'a:b') })).body,
    ).toBe(body)
    expect(await served.call('/fails')).toMatchObject({ status: 200, body: 'the application’s own' })
  })

  test('leaves errors to the sub-application, and its refusals to nobody', async () => {
    app.use(countersign(guard))
    const orders = new Hono().onError((_error, c) => c.text('swallowed'))
    orders.use(requireScopes('orders:read'))
    orders.get('/one', handler('one'))
    orders.get('/late', handler('too early'), requireScopes('orders:read'))
    orders.get('/fails', () => {
      throw new Error('its own')
    })
    app.route('/orders', orders)
    app.onError((_error, c) => c.text('swallowed'))
    app.notFound((c) => c.text('swallowed'))
    expect((await served.call('/orders/one')).status).toBe(401)
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/orders/one', { headers })).body).toBe('one')
    expect((await served.call('/orders/late', { headers })).code).toBe('declaration_misplaced')
    expect((await served.call('/orders/fails', { headers })).body).toBe('swallowed')
    expect(ran).toEqual(['one'])
  })

  test('deletes identity headers that no trusted proxy sent, also where somebody has read them before', async () => {
    app.use('/read/*', async (c, next) => {
      c.req.raw.headers.get('client-cert')
      c.req.header()
      await next()
    })
    app.use(countersign(guard))
    app.get('*', unprotected('shows headers'), (c: Context) =>
      c.json([
        c.req.header(),
        c.env.incoming.headers,
        c.env.incoming.rawHeaders,
        c.req.header('client-cert'),
      ]),
    )
    for (const path of ['/seen', '/read/seen']) {
      const { body } = await served.call(path, {
        headers: {
          'X-Forwarded-Client-Cert': 'URI=spiffe://prod.example/admin',
          'Client-Cert': [':AAAA:', ':BBBB:'],
          x_forwarded_client_cert: 'URI=spiffe://prod.example/admin',
          'x-request-id': 'kept',
        },
      })
      expect(body).not.toMatch(/client.cert/i)
      expect(body).toContain('kept')
    }
  })

  test('keeps the headers of others beside a refusal, and puts its own before theirs', async () => {
    app.use(countersign(guard))
    app.use(async (c, next) => {
      c.header('x-request-id', '7')
      c.header('cache-control', 'public')
      await next()
    })
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const { headers } = await served.call('/orders')
    expect(headers).toMatchObject({ 'x-request-id': '7', 'cache-control': 'no-store' })
  })

  test('T52 takes no requirement that a function calls for a declaration, and asks it all the same', async () => {
    const either = async (c: Context, next: Next) => requireScopes('a:b')(c, next)
    app.use(countersign(guard))
    app.get('/declared', requireScopes('c:d'), either, handler('declared'))
    app.get('/undeclared', either, handler('undeclared'))
    app.use('/used/*', either)
    app.use('/open/*', async (c, next) => unprotected('why')(c, next))
    app.get('/open/it', requireScopes('c:d'), handler('open'))
    const headers = await bearer(issuer, 'c:d')
    expect((await served.call('/declared', { headers })).code).toBe('scope_missing')
    expect((await served.call('/undeclared', { headers })).code).toBe('route_undeclared')
    expect((await served.call('/used/it', { headers })).code).toBe('scope_missing')
    expect((await served.call('/open/it', { headers })).code).toBe('declaration_misplaced')
    expect(ran).toEqual([])
    const all = await bearer(issuer, 'a:b', 'c:d')
    expect((await served.call('/declared', { headers: all })).body).toBe('declared')
  })
})
