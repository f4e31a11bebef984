import {
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  authenticated,
  requireScopes,
  requires,
  unprotected,
  type Guard,
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('%s', (_name, express) => {
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  /** Handlers that ran, in order: a refusal must come before any of them. */
  let ran: string[]
  const handler = (name: string) => (_request: unknown, response: { send(body: string): void }) => {
    ran.push(name)
    response.send(name)
  }

  beforeEach(async () => {
    ran = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = express()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  test('lets a caller with the scope through, and tells the handler who it is', async () => {
    app.use(countersign(guard))
    app.get('/orders/:id', requireScopes('orders:read'), (request, response) => {
      response.json({
        id: request.caller.id,
        same: callerOf(request) === request.caller,
        order: request.params['id'],
      })
    })
    const answer = await served.call('/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      id: 'https://issuer.test#client=checkout',
      same: true,
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
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
    expect(answer.headers['www-authenticate']).toContain('scope="orders:read orders:list"')
    expect(ran).toEqual([])
  })

  test('refuses a repeated Authorization field, which Node itself would not show', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const { authorization } = await bearer(issuer, 'orders:read')
    const answer = await served.call('/orders', {
      headers: { authorization: [authorization, authorization] },
    })
    expect([answer.status, answer.code]).toEqual([400, 'credential_duplicated'])
    expect(answer.headers['www-authenticate']).toContain('error="invalid_request"')
    expect(ran).toEqual([])
  })

  test('refuses a route that says nothing, before its handler runs', async () => {
    app.use(countersign(guard))
    app.get('/orders', handler('orders'))
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(ran).toEqual([])
  })

  test('holds undeclared routes to the requirement that the guard has for them', async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, undeclared: authenticated() })
    app.use(countersign(guard))
    app.get('/orders', handler('orders'))
    expect((await served.call('/orders')).code).toBe('credential_missing')
    expect((await served.call('/orders', { headers: await bearer(issuer) })).body).toBe('orders')
  })

  test('refuses a route that was registered before the guard as soon as the guard has seen a request', async () => {
    app.get('/early', handler('early'))
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    await served.call('/orders')
    expect((await served.call('/early')).code).toBe('route_undeclared')
    expect(ran).toEqual([])
  })

  test('refuses a route that is registered while the service runs', async () => {
    app.use(countersign(guard))
    app.get('/orders', unprotected('for this test'), handler('orders'))
    await served.call('/orders')
    app.get('/late', handler('late'))
    expect((await served.call('/late')).code).toBe('route_undeclared')
    expect(ran).toEqual(['orders'])
  })

  test('lets everybody call an unprotected route, reads no credential there, and has no caller', async () => {
    app.use(countersign(guard))
    app.get('/healthz', unprotected('liveness probe'), (request, response) => {
      expect(callerOf(request)).toBeUndefined()
      expect(() => request.caller).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
      response.send('ok')
    })
    const answer = await served.call('/healthz', { headers: { authorization: 'Bearer rubbish' } })
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
  })

  test('verifies what is presented where a caller is optional, and never takes an invalid one for nobody', async () => {
    app.use(countersign(guard))
    app.get('/shop', callerOptional('prices differ for known callers'), (request, response) => {
      response.send(callerOf(request)?.id ?? 'nobody')
    })
    expect((await served.call('/shop')).body).toBe('nobody')
    expect((await served.call('/shop', { headers: await bearer(issuer) })).body).toBe(
      'https://issuer.test#client=checkout',
    )
    const broken = await issuer.broken('forged-signature', 'checkout', { audience: 'orders' })
    const answer = await served.call('/shop', { headers: { authorization: `Bearer ${broken}` } })
    expect([answer.status, answer.code]).toEqual([401, 'signature_invalid'])
  })

  test('holds every route of a router to its floor, routes only add, and records one decision', async () => {
    app.use(countersign(guard))
    const admin = express.Router()
    admin.use(requireScopes('admin:write'))
    admin.get('/panel', handler('panel'))
    admin.get('/keys', requireScopes('keys:read'), handler('keys'))
    admin.get('/open', unprotected('cannot undo the floor'), handler('open'))
    app.use('/admin', admin)
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

  test('answers HEAD by what GET declares', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    expect((await served.call('/orders', { method: 'HEAD' })).status).toBe(401)
    expect(
      (await served.call('/orders', { method: 'HEAD', headers: await bearer(issuer, 'orders:read') })).status,
    ).toBe(200)
  })

  test('keeps the methods of one route apart', async () => {
    app.use(countersign(guard))
    app
      .route('/orders')
      .get(unprotected('a public list'), handler('list'))
      .post(requireScopes('orders:write'), handler('create'))
      .put(handler('undeclared'))
    expect((await served.call('/orders')).body).toBe('list')
    expect((await served.call('/orders', { method: 'POST' })).code).toBe('credential_missing')
    expect(
      (await served.call('/orders', { method: 'PUT', headers: await bearer(issuer, 'orders:write') })).code,
    ).toBe('route_undeclared')
    expect(ran).toEqual(['list'])
  })

  test('adds up all declarations of a route, however they are mixed', async () => {
    app.use(countersign(guard))
    app.all(
      '/both',
      [unprotected('undone by its neighbour'), requireScopes('a:b')],
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
    app.get('/orders', unprotected('passes on'), (_request, _response, next) => next('route'))
    app.get('/orders', requireScopes('orders:read'), handler('second'))
    expect((await served.call('/orders')).code).toBe('credential_missing')
    expect(ran).toEqual([])
  })

  test('covers the handler in the same `use`, and no route behind it', async () => {
    app.use(countersign(guard))
    app.use('/files', unprotected('public assets'), (request, response, next) => {
      if (request.path === '/a.txt') response.send('a')
      else next()
    })
    app.use('/reports', requireScopes('reports:read'), handler('report'))
    app.get('/files/secret', handler('secret'))
    expect((await served.call('/files/a.txt')).body).toBe('a')
    expect((await served.call('/files/secret')).code).toBe('route_undeclared')
    expect((await served.call('/reports/q1')).code).toBe('credential_missing')
    const allowed = await served.call('/reports/q1', { headers: await bearer(issuer, 'reports:read') })
    expect([allowed.body, allowed.events.length, allowed.code]).toEqual(['report', 1, null])
  })

  test('opens no handler behind an unprotected one that passes the request on', async () => {
    app.use(countersign(guard))
    app.use(unprotected('public assets'), (_request, _response, next) => next())
    app.use((_request, _response, next) => next())
    app.use('/graphql', handler('graphql'))
    const answer = await served.call('/graphql')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('graphql')
  })

  test('ends what a route was allowed where the route passes the request on', async () => {
    app.use(countersign(guard))
    app.all(/.*/, unprotected('counts requests'), (_request, _response, next) => next())
    app.use('/graphql', handler('graphql'))
    expect((await served.call('/graphql')).code).toBe('route_undeclared')
    app.all(/.*/, unprotected('counts requests'), (_request, _response, next) => next('route'))
    app.use('/rest', handler('rest'))
    expect((await served.call('/rest')).code).toBe('route_undeclared')
  })

  test('opens no handler at another path behind an `unprotected` that stands alone', async () => {
    app.use(countersign(guard))
    app.use('/a', unprotected('nothing beside it'))
    app.use('/b', handler('b'))
    app.use('/a', handler('a'))
    app.use('/c', unprotected('something beside it'), handler('c'))
    expect((await served.call('/b')).code).toBe('route_undeclared')
    expect((await served.call('/a')).code).toBe('declaration_misplaced')
    expect((await served.call('/c')).body).toBe('c')
  })

  test('opens the undeclared routes of a router that is mounted in the same `use` as unprotected', async () => {
    app.use(countersign(guard))
    const pages = express.Router()
    pages.get('/about', handler('about'))
    pages.get('/account', requireScopes('account:read'), handler('account'))
    app.use('/pages', unprotected('public pages'), pages)
    app.get('/pages/secret', handler('secret'))
    expect((await served.call('/pages/about')).body).toBe('about')
    expect((await served.call('/pages/account')).code).toBe('credential_missing')
    expect((await served.call('/pages/secret')).code).toBe('route_undeclared')
    expect(ran).toEqual(['about'])
    expect(guard.census().map(({ path }) => path)).toContain('/pages/secret')
  })

  test('refuses an `unprotected` that stands alone in a `use`: it would open nothing, or everything', async () => {
    app.use(countersign(guard))
    app.use(unprotected('all of it'))
    app.get('/orders', handler('orders'))
    const answer = await served.call('/orders')
    expect([answer.status, answer.code]).toEqual([500, 'declaration_misplaced'])
  })

  test('names a mounted path as it was written, never as a caller filled it in', async () => {
    app.use(countersign(guard))
    const tenant = express.Router({ mergeParams: true })
    tenant.use(requireScopes('tenant:read'))
    tenant.get('/:id', handler('one'))
    app.use('/tenants/:tenant', tenant)
    const answer = await served.call('/tenants/attacker-text/1')
    expect(answer.events[0]?.route).not.toContain('attacker-text')
  })

  test.each([
    ['send', (response: Response) => void response.send('secret')],
    [
      'writeHead and end',
      (response: Response) => void response.writeHead(200, { 'x-secret': '1' }).end('secret'),
    ],
    ['write', (response: Response) => void (response.write('secret'), response.end())],
    [
      'flushHeaders',
      (response: Response) =>
        void (response.setHeader('x-secret', '1'), response.flushHeaders(), response.end('secret')),
    ],
    ['redirect', (response: Response) => response.redirect('/secret')],
  ])('replaces what an undeclared `use` handler answers by %s', async (_how, reply) => {
    app.use(countersign(guard))
    app.use((_request, response) => reply(response))
    const answer = await served.call('/anything')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('secret')
    expect(answer.headers).not.toHaveProperty('x-secret')
    expect(answer.headers).not.toHaveProperty('location')
  })

  test('never lets a declaration pass where no guard saw the request', async () => {
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.status).toBe(500)
    expect(ran).toEqual([])
  })

  test('takes being mounted twice with one guard, and refuses two guards', async () => {
    app.use(countersign(guard), countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    expect((await served.call('/orders', { headers: await bearer(issuer, 'orders:read') })).body).toBe(
      'orders',
    )
    app.use(
      '/other',
      countersign({ audience: 'orders', issuers: [issuer] }),
      unprotected('x'),
      handler('other'),
    )
    expect((await served.call('/other')).status).toBe(500)
    expect(ran).toEqual(['orders'])
  })

  test('leaves errors of handlers, bodies and streams to the application', async () => {
    app.use(countersign(guard))
    app.post('/echo', requireScopes('a:b'), (request, response) => void request.pipe(response))
    app.get('/fails', unprotected('fails'), () => {
      throw new Error('the application’s own')
    })
    app.use((error: Error, _request: unknown, response: Response, _next: unknown) => {
      response.send(error.message)
    })
    const body = 'x'.repeat(200_000)
    expect(
      (await served.call('/echo', { method: 'POST', body, headers: await bearer(issuer, 'a:b') })).body,
    ).toBe(body)
    expect(await served.call('/fails')).toMatchObject({ status: 200, body: 'the application’s own' })
  })

  test('deletes identity headers that no trusted proxy sent, in whichever spelling', async () => {
    app.use(countersign(guard))
    app.get('/seen', unprotected('shows headers'), (request, response) => {
      response.json([request.headers, request.headersDistinct, request.rawHeaders])
    })
    const { body } = await served.call('/seen', {
      headers: {
        'X-Forwarded-Client-Cert': 'URI=spiffe://prod.example/admin',
        'Client-Cert': [':AAAA:', ':BBBB:'],
        x_forwarded_client_cert: 'URI=spiffe://prod.example/admin',
        'x-request-id': 'kept',
      },
    })
    expect(body).not.toMatch(/client.cert/i)
    expect(body).toContain('kept')
  })

  test('lists every route in the census with what it asks, floors included', async () => {
    app.use(countersign(guard))
    const admin = express.Router()
    admin.use(requireScopes('admin:write'))
    admin.get('/panel', handler('panel'))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    app.get('/forgotten', handler('forgotten'))
    app.use(admin)
    await served.call('/orders')
    expect(guard.census().map(({ declaredAt: _place, ...entry }) => entry)).toEqual([
      {
        method: 'GET',
        path: '/orders',
        requirement: 'scopes(orders:read)',
        scopes: ['orders:read'],
        status: 'declared',
      },
      { method: 'GET', path: '/forgotten', requirement: null, scopes: [], status: 'undeclared' },
      {
        method: 'GET',
        path: '/panel',
        requirement: 'scopes(admin:write)',
        scopes: ['admin:write'],
        status: 'declared',
      },
    ])
  })

  test('does not mix up callers that call at the same time', async () => {
    app.use(countersign(guard))
    app.get('/who', requires(authenticated()), (request, response) => {
      setImmediate(() => response.send(request.caller.id))
    })
    const names = Array.from({ length: 200 }, (_, i) => `caller-${i % 20}`)
    const answers = await Promise.all(
      names.map(async (name) => (await served.call('/who', { headers: await issuer.headersFor(name) })).body),
    )
    expect(answers).toEqual(names.map((name) => `https://issuer.test#client=${name}`))
  })
})
