import {
  authenticated,
  callerOptional,
  countersign,
  createGuard,
  requireScopes,
  requires,
  sealRoutes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/koa'
import { policyDocument } from '@countersign/policy'
import type { TestIssuer } from '@countersign/testing'
import type { Context } from 'koa'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  Served,
  bearer,
  koaVersions,
  mount,
  testIssuer,
  wrap,
  type App,
  type AppRouter,
} from './served-koa.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(koaVersions)('the census of %s', (_name, Koa, Router) => {
  let app: App
  let router: AppRouter
  let guard: Guard
  let told: string[]
  const served = new Served()
  const handler = (context: Context): void => {
    context.body = 'answered'
  }

  const start = (options: Partial<GuardOptions> = {}): void => {
    guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (line) => void told.push(line) },
      ...options,
    })
    app = new Koa()
    app.use(countersign(guard))
  }
  beforeEach(() => {
    told = []
    router = new Router()
    start()
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  /** `GET /orders: scopes(orders:read)`, and the status where it is another than `declared`. */
  const lines = (): readonly string[] =>
    guard
      .census()
      .map(
        ({ method, path, requirement, status }) =>
          `${method} ${path}: ${requirement ?? 'nothing'}${status === 'declared' ? '' : `, ${status}`}`,
      )

  test('shows every route, what it asks, and where that is said, before the first request', async () => {
    const inner = new Router()
    const line = Number(/:(\d+):\d+\)?$/m.exec(new Error('here').stack?.split('\n')[1] ?? '')?.[1])
    inner.get('/own', requireScopes('own:read'), handler)
    inner.use(requireScopes('inner:read'))
    inner.get('/:id/floor', handler)
    inner.post('/floor', unprotected('undoes nothing'), handler)
    router.use('/inner', inner.routes())
    router.use('/other', requireScopes('other:read'))
    router.get('/other/:id', handler)
    router.all('/every', requires(authenticated()), handler)
    router.register('/several', ['get', 'post'], [callerOptional('anybody'), handler])
    router.get('/undeclared', handler)
    app.use(router.routes())
    const covered = new Router()
    covered.get('/covered', handler)
    app.use(unprotected('public', covered.routes()))
    await sealRoutes(app)
    expect(lines()).toEqual([
      'GET /inner/own: scopes(own:read)',
      'GET /inner/:id/floor: scopes(inner:read)',
      'POST /inner/floor: scopes(inner:read)',
      'GET /other/:id: scopes(other:read)',
      '* /every: authenticated()',
      'GET /several: callerOptional(anybody)',
      'POST /several: callerOptional(anybody)',
      'GET /undeclared: nothing, undeclared',
      'GET /covered: unprotected(public)',
    ])
    const place = (below: number): string => `test/koa/census.test.ts:${line + below}`
    expect(guard.census().map(({ declaredAt }) => declaredAt)).toEqual([
      place(1),
      place(2),
      place(4),
      place(6),
      place(8),
      place(9),
      place(9),
      null,
      place(14),
    ])
    expect(told.join()).toContain('`GET /undeclared`')
    await sealRoutes(app)
    expect(lines()).toHaveLength(9)
  })

  test('names the same requirement as the event of the decision', async () => {
    const inner = new Router({ prefix: '/inner' })
    inner.use(requireScopes('inner:read'))
    inner.get('/own', requireScopes('own:read'), handler)
    inner.get('/floor', handler)
    router.use(requireScopes('outer:read'))
    router.use('/outer', inner.routes())
    app.use(requires(authenticated())).use(router.routes())
    await sealRoutes(app)
    const headers = await bearer(issuer, 'inner:read', 'own:read', 'outer:read')
    for (const { method, path, requirement } of guard.census()) {
      const { events } = await served.call(app, path, { method, headers })
      expect(events.map((event) => [event.route, event.requirement])).toEqual([
        [`${method} ${path}`, requirement],
      ])
    }
    expect(guard.census()).toHaveLength(2)
  })

  test('shows routes that come later, and routers behind functions once they had a request', async () => {
    const hidden = new Router()
    hidden.get('/hidden', requireScopes('a:b'), handler)
    app.use(router.routes()).use(mount('/deep', wrap(hidden)))
    await sealRoutes(app)
    expect(lines()).toEqual([])
    router.get('/late', handler)
    expect(lines()).toEqual(['GET /late: nothing, undeclared'])
    await served.call(app, '/deep/hidden')
    expect(lines()).toEqual(['GET /late: nothing, undeclared', 'GET /…/hidden: scopes(a:b)'])
    expect(guard.census()).toEqual(guard.census())
  })

  test('does not grow with routers that are made for each request', async () => {
    app.use((context, next) => {
      const made = new Router()
      made.get('/x', unprotected('open'), handler)
      return wrap(made)(context, next)
    })
    for (let i = 0; i < 120; i += 1) await served.call(app, '/x')
    expect(lines().length).toBe(100)
  })

  test('of an application that is mounted is that of the application', async () => {
    router.get('/orders', requireScopes('orders:read'), handler)
    app.use(router.routes())
    await sealRoutes(app)
    const outer = new Koa()
    outer.use(mount('/shop', app))
    const answer = await served.call(outer, '/shop/orders')
    expect([answer.code, answer.events[0]?.route]).toEqual(['credential_missing', 'GET /orders'])
    expect(lines()).toEqual(['GET /orders: scopes(orders:read)'])
  })

  test('tells routes apart that no guard stands before, where it stands in one router', async () => {
    const guarded = new Router()
    guarded.use(countersign(guard))
    guarded.get('/guarded', handler)
    router.get('/open', handler)
    app = new Koa()
    app.use(guarded.routes()).use(router.routes())
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /guarded: nothing, undeclared', 'GET /open: nothing, unguarded'])
    expect((await served.call(app, '/guarded')).code).toBe('route_undeclared')
    expect((await served.call(app, '/open')).body).toBe('answered')
  })

  test('stops the start under `fail-start`, with every route that says nothing', async () => {
    guard.close()
    start({ undeclared: 'fail-start' })
    router.get('/a', handler)
    router.get('/b', requireScopes('a:b'), handler)
    app.use(router.routes())
    await expect(sealRoutes(app)).rejects.toThrow(/nobody says who may call `GET \/a`: put requireScopes/)
    const unsealed = new Koa()
    unsealed.use(countersign(guard)).use(router.routes())
    expect((await served.call(unsealed, '/a')).code).toBe('route_undeclared')
    expect(told.join('\n')).toContain('write `await sealRoutes(app)` before the application listens')
  })

  test('is refused of an application that no guard stands in', async () => {
    await expect(sealRoutes(new Koa())).rejects.toThrow(
      'write app.use(countersign(guard)) before its routers',
    )
  })

  test('is the spelling of a policy document, which reads what the path says', async () => {
    guard.close()
    start({
      policy: policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /shop/orders/:id, requires: { scopes: [orders:read], when: 'resource.params.id == "1"' } }
  - { route: '* /shop/every', requires: { callers: [checkout] } }
  - { route: GET /several, requires: { callers: [checkout] } }
  - { route: POST /several, unprotected: open }
  - { route: GET /…/hidden, unprotected: probe }
  - { route: GET /not/there, requires: { authenticated: true } }
`),
    })
    const inner = new Router()
    inner.get('/orders/:id', handler)
    inner.all('/every', handler)
    inner.get('/silent', handler)
    router.use('/shop', inner.routes())
    router.register('/several', ['get', 'post'], [handler])
    const hidden = new Router()
    hidden.get('/hidden', handler)
    app.use(router.routes()).use(wrap(hidden))
    await sealRoutes(app)
    expect(told.join('\n')).toContain('GET /not/there')
    const headers = await bearer(issuer, 'orders:read')
    const call = (path: string, options = {}) => served.call(app, path, { headers, ...options })
    expect((await call('/shop/orders/1')).status).toBe(200)
    expect((await call('/shop/orders/1', { method: 'HEAD' })).status).toBe(200)
    expect((await call('/shop/orders/2')).code).toBe('requirement_unmet')
    expect((await call('/shop/orders/2', { method: 'HEAD' })).code).toBe('requirement_unmet')
    expect((await call('/shop/orders/1', { headers: {} })).code).toBe('credential_missing')
    expect((await call('/shop/every', { method: 'PUT' })).status).toBe(200)
    expect((await call('/shop/every', { method: 'PUT', headers: {} })).code).toBe('credential_missing')
    expect((await call('/shop/silent')).code).toBe('route_undeclared')
    expect((await call('/several', { method: 'POST', headers: {} })).status).toBe(200)
    expect((await call('/several', { headers: {} })).code).toBe('credential_missing')
    expect((await call('/several', { method: 'HEAD', headers: {} })).code).toBe('credential_missing')
    expect((await call('/several', { method: 'HEAD' })).status).toBe(200)
    expect((await call('/hidden', { headers: {} })).status).toBe(200)
  })

  test('a method that a middleware makes up is no name in events', async () => {
    router.all('/x', requireScopes('a:b'), handler)
    app
      .use((context, next) => {
        context.method = context.get('x-method') || context.method
        return next()
      })
      .use(router.routes())
    const answer = await served.call(app, '/x', { headers: { 'x-method': 'delete' } })
    const names = answer.events.map(({ route }) => route)
    // Router 12 does not match a method that is written so.
    expect(names).toEqual(answer.status === 404 ? [] : ['* /x'])
    expect((await served.call(app, '/x')).events[0]?.route).toBe('GET /x')
  })
})
