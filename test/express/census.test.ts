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
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { Request, Response } from 'express'
import { routerOf } from '../../packages/express/src/framework.ts'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('the census of %s', (name, express) => {
  const is5 = name === 'Express 5'
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  const handler = (_request: Request, response: Response): void => void response.send('answered')

  beforeEach(async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = express()
    served = await ServedApp.start(app)
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

  test('is empty for a guard that no application uses', () => {
    expect(guard.census()).toEqual([])
  })

  test('is known before the first request where the application is sealed', async () => {
    app.use(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), handler)
    expect(lines()).toEqual([])
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /orders: scopes(orders:read)'])
    await sealRoutes(app)
    await served.call('/orders')
    expect(lines()).toEqual(['GET /orders: scopes(orders:read)'])
  })

  test('shows routes and handlers that are added later, also behind requests', async () => {
    app.use(countersign(guard))
    const route = app.route('/orders').get(requireScopes('orders:read'), handler)
    const inner = express.Router()
    app.use('/inner', inner)
    await served.call('/orders')
    route.post(handler)
    inner.get('/late', unprotected('late'), handler)
    expect(lines()).toEqual([
      'GET /orders: scopes(orders:read)',
      'POST /orders: nothing, undeclared',
      'GET /inner/late: unprotected(late)',
    ])
    expect(await served.call('/orders', { method: 'POST', headers: await bearer(issuer) })).toMatchObject({
      code: 'route_undeclared',
    })
    expect(guard.census()).toEqual(guard.census())
  })

  test('says where each route was declared: its own declaration, else the floor or cover before it', async () => {
    app.use(countersign(guard))
    const line = Number(/:(\d+):\d+\)?$/m.exec(new Error('here').stack?.split('\n')[1] ?? '')?.[1])
    app.get('/a', requireScopes('orders:read'), handler)
    app.get('/b', requires(authenticated()), handler)
    app.get('/c', unprotected('everybody'), handler)
    app.get('/d', callerOptional('anybody'), handler)
    app.get('/e', handler)
    const inner = express.Router().get('/', handler).post('/', requireScopes('orders:write'), handler)
    app.use('/f', requireScopes('orders:read'), inner)
    app.use('/g', unprotected('public'), inner)
    await sealRoutes(app)
    const place = (below: number): string => `test/express/census.test.ts:${line + below}`
    expect(guard.census().map(({ method, path, declaredAt }) => [method, path, declaredAt])).toEqual([
      ['GET', '/a', place(1)],
      ['GET', '/b', place(2)],
      ['GET', '/c', place(3)],
      ['GET', '/d', place(4)],
      ['GET', '/e', null],
      ['GET', '/f/', place(7)],
      ['POST', '/f/', place(6)],
      ['GET', '/g/', place(8)],
      ['POST', '/g/', place(6)],
    ])
  })

  test('shows what is really asked: the event of a decision names the same requirement', async () => {
    app.use(countersign(guard))
    app.use(requires(authenticated()))
    const outer = express.Router()
    const inner = express.Router()
    outer.use(requireScopes('outer:read'))
    inner.use(requireScopes('inner:read'))
    inner.get('/own', requireScopes('own:read'), handler)
    inner.get('/floor', handler)
    inner.get('/open', unprotected('undoes nothing'), handler)
    outer.use('/inner', inner)
    app.use('/outer', outer)
    await sealRoutes(app)
    const headers = await bearer(issuer, 'outer:read', 'inner:read', 'own:read')
    for (const { method, path, requirement, status } of guard.census()) {
      const answer = await served.call(path, { headers })
      expect(answer.body, path).toBe('answered')
      expect(answer.events.map((event) => event.requirement)).toEqual([requirement])
      expect(answer.events.map(({ route }) => route)).toEqual([`${method} ${path}`])
      expect(status).toBe('declared')
    }
    expect(guard.census().map(({ path, scopes }) => [path, scopes])).toEqual([
      ['/outer/inner/own', ['outer:read', 'inner:read', 'own:read']],
      ['/outer/inner/floor', ['outer:read', 'inner:read']],
      ['/outer/inner/open', ['outer:read', 'inner:read']],
    ])
  })

  test('shows a requirement in a `use` with a path for the routes that cannot be reached past it', async () => {
    app.use(countersign(guard))
    app.use('/admin', requireScopes('admin:read'))
    app.get('/admin/:id', requireScopes('own:read'), handler)
    app.get('/administration', requireScopes('own:read'), handler)
    app.get('/:area/x', requireScopes('own:read'), handler)
    app.get(['/admin/y', '/y'], requireScopes('own:read'), handler)
    await sealRoutes(app)
    expect(lines()).toEqual([
      'GET /admin/:id: allOf(scopes(admin:read), scopes(own:read))',
      'GET /administration: scopes(own:read)',
      'GET /:area/x: scopes(own:read)',
      'GET /admin/y, /y: scopes(own:read)',
    ])
    const headers = await bearer(issuer, 'own:read')
    expect((await served.call('/admin/7', { headers })).code).toBe('scope_missing')
    expect((await served.call('/admin/x', { headers })).code).toBe('scope_missing')
    expect((await served.call('/shop/x', { headers })).body).toBe('answered')
  })

  test('keeps a router that is mounted twice apart: two paths, two floors, two names', async () => {
    app.use(countersign(guard))
    const shared = express.Router()
    shared.get('/list', handler)
    shared.get('/own', requireScopes('own:read'), handler)
    app.use('/staff', requireScopes('staff:read'), shared)
    app.use('/public', unprotected('public'), shared)
    app.use('/bare', shared)
    await sealRoutes(app)
    expect(lines()).toEqual([
      'GET /staff/list: scopes(staff:read)',
      'GET /staff/own: allOf(scopes(staff:read), scopes(own:read))',
      'GET /public/list: unprotected(public)',
      'GET /public/own: scopes(own:read)',
      'GET /bare/list: nothing, undeclared',
      'GET /bare/own: scopes(own:read)',
    ])
    const seen = async (path: string): Promise<unknown> => {
      const { events } = await served.call(path)
      return events.map(({ route, code }) => [route, code])
    }
    expect(await seen('/public/list')).toEqual([['GET /public/list', null]])
    // Its floor refuses before any route is chosen.
    expect(await seen('/staff/list')).toEqual([['use /staff', 'credential_missing']])
    expect(await seen('/bare/list')).toEqual([['GET /bare/list', 'route_undeclared']])
    expect(await seen('/public/own')).toEqual([['GET /public/own', 'credential_missing']])
    expect(await seen('/bare/own')).toEqual([['GET /bare/own', 'credential_missing']])
  })

  test('lists the routes of mounted applications, with floors and paths before them', async () => {
    app.use(countersign(guard))
    const sub = express()
    const deep = express()
    sub.get('/own', requireScopes('own:read'), handler)
    sub.get('/floor', handler)
    deep.get('/x', handler)
    sub.use('/deep', deep)
    app.use('/sub', requireScopes('sub:read'), sub)
    app.use('/open', unprotected('public'), deep)
    await sealRoutes(app)
    expect(lines()).toEqual([
      'GET /sub/own: allOf(scopes(sub:read), scopes(own:read))',
      'GET /sub/floor: scopes(sub:read)',
      'GET /sub/deep/x: scopes(sub:read)',
      'GET /open/x: unprotected(public)',
    ])
    expect((await served.call('/open/x')).body).toBe('answered')
    expect((await served.call('/sub/deep/x')).code).toBe('credential_missing')
    const allowed = await served.call('/sub/deep/x', { headers: await bearer(issuer, 'sub:read') })
    expect(allowed.events.map(({ route }) => route)).toEqual(['GET /sub/deep/x'])
    expect(allowed.body).toBe('answered')
  })

  test('runs nothing of a mounted application to see its routes', async () => {
    app.use(countersign(guard))
    const ran: string[] = []
    const sub = express()
    sub.use((_request: Request, _response: Response, next: () => void) => {
      ran.push('use')
      next()
    })
    sub.use((_error: unknown, _request: Request, _response: Response, next: () => void) => {
      ran.push('error')
      next()
    })
    sub.all(/.*/, () => void ran.push('all'))
    app.use('/sub', sub)
    await sealRoutes(app)
    expect(lines()).toHaveLength(1)
    expect(ran).toEqual([])
  })

  test('lists an application once that is mounted in another behind the same guard', async () => {
    const sub = express()
    sub.use(countersign(guard))
    sub.get('/x', unprotected('open'), handler)
    await sealRoutes(sub)
    expect(lines()).toEqual(['GET /x: unprotected(open)'])
    app.use(countersign(guard))
    app.use('/sub', sub)
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /sub/x: unprotected(open)'])
    expect((await served.call('/sub/x')).events.map(({ route }) => route)).toEqual(['GET /sub/x'])
  })

  test('tells the methods of a route apart, `all` from each of them', async () => {
    app.use(countersign(guard))
    app.route('/x').get(requireScopes('get:it'), handler).all(handler)
    app.route('/y').all(requires(authenticated())).post(requireScopes('post:it'), handler)
    await sealRoutes(app)
    expect(lines()).toEqual([
      'GET /x: scopes(get:it)',
      '* /x: nothing, undeclared',
      '* /y: authenticated()',
      'POST /y: allOf(authenticated(), scopes(post:it))',
    ])
    await served.call('/x')
    expect(lines()).toHaveLength(4)
    expect((await served.call('/x', { method: 'PUT' })).code).toBe('route_undeclared')
    expect(lines()[0]).toBe('GET /x: scopes(get:it)')
    app.all('/z', requireScopes('all:of'), handler)
    const router = express.Router()
    router.all('/', unprotected('open'), handler)
    app.use('/r', router)
    expect(lines().slice(4)).toEqual(['* /z: scopes(all:of)', '* /r/: unprotected(open)'])
  })

  test('names a HEAD request after itself in events', async () => {
    app.use(countersign(guard))
    app.get('/x', unprotected('open'), handler)
    app.all('/y', unprotected('open'), handler)
    expect((await served.call('/x', { method: 'HEAD' })).events[0]?.route).toBe('HEAD /x')
    expect((await served.call('/y', { method: 'HEAD' })).events[0]?.route).toBe('HEAD /y')
    expect((await served.call('/y', { method: 'PURGE' })).events[0]?.route).toBe('PURGE /y')
  })

  test('spells patterns as they were written, and what Express does not keep as `/…`', async () => {
    app.use(countersign(guard))
    const tenant = express.Router({ mergeParams: true })
    tenant.get('/:id', requireScopes('tenant:read'), handler)
    app.use('/tenants/:tenant', tenant)
    app.use(['/one', '/two'], tenant)
    app.use('/v1.0-beta_2/', tenant)
    app.get(/^\/expression(\d+)$/, unprotected('a pattern'), handler)
    app.get(['/a', '/b'], unprotected('two paths'), handler)
    await sealRoutes(app)
    expect(lines()).toEqual([
      `GET ${is5 ? '/tenants/:tenant' : '/…'}/:id: scopes(tenant:read)`,
      `GET ${is5 ? '/one, /two' : '/…'}/:id: scopes(tenant:read)`,
      'GET /v1.0-beta_2/:id: scopes(tenant:read)',
      String.raw`GET ^\/expression(\d+)$: unprotected(a pattern)`,
      'GET /a, /b: unprotected(two paths)',
    ])
    expect((await served.call('/tenants/a/1')).events[0]?.route).toBe(
      `GET ${is5 ? '/tenants/:tenant' : '/…'}/:id`,
    )
  })

  test('lists both of two routes that are spelled alike, where a router release keeps no path', async () => {
    app.use(countersign(guard))
    app.use('/one/:x', express.Router().get('/x', requireScopes('one:read'), handler))
    app.use('/two/:x', express.Router().get('/x', requireScopes('two:read'), handler))
    // Early releases of Express 5 keep none.
    const { stack } = routerOf(app) as { readonly stack: readonly object[] } // it has layers
    for (const layer of stack) Object.assign(layer, { rawPath: undefined })
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /…/x: scopes(one:read)', 'GET /…/x: scopes(two:read)'])
    const headers = await bearer(issuer, 'one:read')
    expect((await served.call('/one/1/x', { headers })).body).toBe('answered')
    const refused = await served.call('/two/1/x', { headers })
    expect(refused.events.map(({ route, code }) => [route, code])).toEqual([['GET /…/x', 'scope_missing']])
  })

  test('names a route that is mounted while requests come, from its first request on', async () => {
    app.use(countersign(guard))
    app.use(express.Router().get('/x', unprotected('open'), handler))
    await served.call('/x')
    const late = express.Router()
    late.use(requires(authenticated()))
    late.get('/y', handler)
    app.use('/late', late)
    const headers = await bearer(issuer)
    for (const _ of [1, 2]) {
      const answer = await served.call('/late/y', { headers })
      expect(answer.events.map(({ route, code }) => [route, code])).toEqual([['GET /late/y', null]])
    }
  })

  test('names a route behind a guard in a router, from the first request on', async () => {
    const api = express.Router()
    api.use(countersign(guard))
    const inner = express.Router()
    inner.get('/x', unprotected('open'), handler)
    api.use('/inner', inner)
    app.use('/api', api)
    for (const _ of [1, 2]) {
      expect((await served.call('/api/inner/x')).events.map(({ route }) => route)).toEqual([
        'GET /api/inner/x',
      ])
    }
    expect(lines()).toEqual(['GET /api/inner/x: unprotected(open)'])
  })

  test('does not make up a path for a router that a function calls', async () => {
    app.use(countersign(guard))
    const dynamic = express.Router()
    const inner = express.Router()
    inner.get('/y', unprotected('open'), handler)
    dynamic.get('/x', unprotected('open'), handler)
    dynamic.use('/inner', inner)
    app.use('/a', (request, response, next) => dynamic(request, response, next))
    for (const _ of [1, 2]) {
      expect((await served.call('/a/x')).events.map(({ route }) => route)).toEqual(['GET /…/x'])
      expect((await served.call('/a/inner/y')).events.map(({ route }) => route)).toEqual(['GET /…/y'])
    }
  })

  test('does not take the way to a mounted router for the way by which a function calls it', async () => {
    app.use(countersign(guard))
    const both = express.Router()
    both.use('/inner', express.Router().get('/y', unprotected('open'), handler))
    both.get('/x', unprotected('open'), handler)
    app.use('/mounted', requires(authenticated()), both)
    app.use('/called', (request, response, next) => both(request, response, next))
    await sealRoutes(app)
    const names = async (path: string): Promise<unknown> =>
      (await served.call(path, { headers: await bearer(issuer) })).events.map(({ route }) => route)
    expect(await names('/mounted/inner/y')).toEqual(['GET /mounted/inner/y'])
    expect(await names('/called/inner/y')).toEqual(['GET /…/inner/y'])
    expect(await names('/mounted/inner/y')).toEqual(['GET /mounted/inner/y'])
  })

  test('leaves routes alone that no guard stands before', async () => {
    app.use('/api', countersign(guard), express.Router().get('/x', unprotected('open'), handler))
    app.get('/free', (request, response) => void response.send(`at ${request.route.path}`))
    await served.call('/api/x')
    for (const _ of [1, 2]) {
      const answer = await served.call('/free')
      expect([answer.status, answer.body, answer.events]).toEqual([200, 'at /free', []])
    }
  })

  test('shows routes that no guard stands before, and those of other guards to them only', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app.get('/before', handler)
    app.use('/api', countersign(guard))
    app.get('/api/x', requireScopes('a:b'), handler)
    app.use('/other', countersign(other), express.Router().get('/y', handler))
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /before: nothing, unguarded', 'GET /api/x: scopes(a:b)'])
    expect(other.census().map(({ path, status }) => [path, status])).toEqual([
      ['/before', 'unguarded'],
      ['/other/y', 'undeclared'],
    ])
    other.close()
  })

  test('covers routes that stand before a guard at the root', async () => {
    app.get('/before', requireScopes('a:b'), handler)
    app.use(countersign(guard))
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /before: scopes(a:b)'])
    expect((await served.call('/before')).code).toBe('credential_missing')
  })

  test('shows what undeclared routes are held to', async () => {
    const soft = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: false,
      undeclared: authenticated(),
    })
    app.use(countersign(soft))
    app.get('/x', handler)
    app.get('/y', handler, requireScopes('too:late'))
    app.use('/z', requireScopes('z:read'), express.Router().get('/', handler))
    const seal = sealRoutes(app)
    await expect(seal).rejects.toThrow('GET /y')
    expect(soft.census().map(({ path, requirement, status }) => [path, requirement, status])).toEqual([
      ['/x', 'authenticated()', 'undeclared'],
      ['/y', 'scopes(too:late)', 'misplaced'],
      ['/z/', 'scopes(z:read)', 'declared'],
    ])
    soft.close()
  })
})
