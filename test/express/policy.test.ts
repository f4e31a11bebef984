// A policy document and observe mode over real sockets: the document holds for the resolved route, and observing lets pass what it records.
import {
  authenticated,
  countersign,
  createGuard,
  decisionOf,
  requireScopes,
  sealRoutes,
  type Guard,
  type GuardOptions,
} from '@countersign/express'
import type { SourceListener } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import type { TestIssuer } from '@countersign/testing'
import type { Request, Response } from 'express'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read], when: 'resource.params.id == "1"' } }
  - { route: '* /every', requires: { callers: [checkout] } }
  - { route: GET /healthz, unprotected: probe }
  - { route: GET /not/there, requires: { authenticated: true } }
`)

describe.each(expressVersions)('%s', (_name, express) => {
  const lines: string[] = []
  let guard: Guard
  let served: ServedApp
  const handler = (request: Request, response: Response): void => void response.end(`handled ${request.path}`)

  async function serve(
    options: Partial<Pick<GuardOptions, 'policy' | 'mode' | 'undeclared'>>,
    place: (app: ReturnType<typeof express>) => void,
  ): Promise<ReturnType<typeof express>> {
    lines.length = 0
    guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (line) => void lines.push(line) },
      ...options,
    })
    const app = express()
    app.use(countersign(guard))
    place(app)
    served = await ServedApp.start(app)
    return app
  }
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  test('a document declares routes by the spelling of the census, and reads what the path says', async () => {
    await serve({ policy }, (app) => {
      app.get('/orders/:id', handler)
      app.all('/every', handler)
      app.get('/healthz', handler)
      app.get('/silent', handler)
    })
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/orders/1', { headers })).status).toBe(200)
    expect((await served.call('/orders/1', { method: 'HEAD', headers })).status).toBe(200)
    expect((await served.call('/orders/2', { headers })).code).toBe('requirement_unmet')
    expect((await served.call('/orders/2', { method: 'HEAD', headers })).code).toBe('requirement_unmet')
    expect((await served.call('/orders/1')).code).toBe('credential_missing')
    expect((await served.call('/every', { method: 'PUT', headers })).status).toBe(200)
    expect((await served.call('/every', { method: 'PUT' })).code).toBe('credential_missing')
    expect((await served.call('/healthz')).status).toBe(200)
    expect((await served.call('/silent', { headers })).code).toBe('route_undeclared')
  })

  // What a document says is looked up by the way that a request came, and the first one could not be followed.
  const twoFloors = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /api/open/orders, requires: { callers: [checkout] } }
  - { route: GET /api/closed/orders, requires: { scopes: [orders:write] } }
`)

  test.each(['open', 'closed'])(
    'holds for the first request to /%s of a router that was mounted at two places while requests came',
    async (first) => {
      const api = express.Router()
      await serve({ policy: twoFloors }, (app) => app.use('/api', api))
      const headers = await bearer(issuer, 'orders:read')
      expect((await served.call('/api/open/orders', { headers })).status).toBe(404)
      const orders = express.Router().get('/orders', requireScopes('orders:read'), handler)
      api.use('/open', orders)
      api.use('/closed', orders)
      // Nobody knows by which of two ways it came, so both have to allow it.
      expect((await served.call(`/api/${first}/orders`, { headers })).code).toBe('scope_missing')
      expect((await served.call('/api/open/orders', { headers })).status).toBe(200)
      expect((await served.call('/api/closed/orders', { headers })).code).toBe('scope_missing')
      expect((await served.call('/api/open/orders')).code).toBe('credential_missing')
    },
  )

  test.each([
    ['is found out by the first request', false],
    ['is sealed', true],
  ])('holds behind a guard in a router that is mounted at two places and %s', async (_how, isSealed) => {
    const inner = express.Router().get('/orders', requireScopes('orders:read'), handler)
    guard = createGuard({ audience: 'orders', issuers: [issuer], policy: twoFloors })
    const guarded = express.Router().use(countersign(guard)).use(inner)
    const app = express().use('/api/open', guarded).use('/api/closed', guarded)
    if (isSealed) await sealRoutes(app)
    served = await ServedApp.start(app)
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/api/closed/orders', { headers })).code).toBe('scope_missing')
    expect((await served.call('/api/open/orders', { headers })).status).toBe(200)
    expect((await served.call('/api/closed/orders', { headers })).code).toBe('scope_missing')
  })

  const open = policyDocument('version: 1\nroutes: [{ route: GET /open/x, unprotected: public }]\n')

  test('what a document says of one place is not said of another, at which a function calls the same router', async () => {
    const both = express.Router().get('/x', handler)
    const app = await serve({ policy: open }, (application) => {
      application.use('/open', both)
      application.use('/admin', (request, response, next) => both(request, response, next))
    })
    await sealRoutes(app)
    const headers = await bearer(issuer)
    for (const _ of [1, 2]) {
      expect((await served.call('/open/x')).status).toBe(200)
      const answer = await served.call('/admin/x', { headers })
      expect(answer.code).toBe('route_undeclared')
      expect(answer.events.map(({ route, outcome }) => [route, outcome])).toEqual([['GET /…/x', 'deny']])
    }
  })

  test('a place deep down that a known router is mounted at late is found out by its first request', async () => {
    const api = express.Router()
    const both = express.Router().get('/x', handler)
    const places = 'version: 1\nroutes: [GET /open/x, GET /api/late/x]\n'.replaceAll(
      /GET [^,\]]+/g,
      (route) => `{ route: ${route}, unprotected: public }`,
    )
    const app = await serve({ policy: policyDocument(places) }, (application) => {
      application.use('/open', both)
      application.use('/api', api)
    })
    await sealRoutes(app)
    expect((await served.call('/open/x')).status).toBe(200)
    api.use('/late', both)
    // Its first request might have come by a function as well.
    expect((await served.call('/api/late/x')).code).toBe('route_undeclared')
    const answer = await served.call('/api/late/x')
    expect([answer.status, answer.events.map(({ route }) => route)]).toEqual([200, ['GET /api/late/x']])
  })

  test('a router in one that is mounted late is held to what a document says of either place', async () => {
    const api = express.Router()
    const orders = express.Router().get('/orders', requireScopes('orders:read'), handler)
    const shared = express.Router().use(orders)
    const app = await serve({ policy: twoFloors }, (application) => {
      application.use('/api', api)
      api.use('/open', shared)
    })
    await sealRoutes(app)
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/api/open/orders', { headers })).status).toBe(200)
    api.use('/closed', shared)
    for (const _ of [1, 2]) {
      expect((await served.call('/api/closed/orders', { headers })).code).toBe('scope_missing')
    }
    expect((await served.call('/api/open/orders', { headers })).status).toBe(200)
  })

  test('holds behind one guard that stands in two routers, from the first request on', async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], policy: twoFloors })
    const put = countersign(guard)
    const guarded = (): ReturnType<typeof express.Router> =>
      express
        .Router()
        .use(put)
        .use(express.Router().get('/orders', requireScopes('orders:read'), handler))
    served = await ServedApp.start(express().use('/api/open', guarded()).use('/api/closed', guarded()))
    const headers = await bearer(issuer, 'orders:read')
    for (const _ of [1, 2]) {
      expect((await served.call('/api/closed/orders', { headers })).code).toBe('scope_missing')
    }
    expect((await served.call('/api/open/orders', { headers })).status).toBe(200)
  })

  test('the census shows what code and document ask together, and what the document speaks of in vain', async () => {
    const app = await serve({ policy, undeclared: 'fail-start' }, (application) => {
      application.get('/orders/:id', requireScopes('orders:list'), handler)
      application.get('/healthz', handler)
      application.all('/every', handler)
    })
    await sealRoutes(app)
    expect(guard.census()).toMatchObject([
      {
        path: '/orders/:id',
        requirement: expect.stringContaining('allOf(scopes(orders:list), allOf(scopes(orders:read), when('),
        scopes: ['orders:list', 'orders:read'],
        status: 'declared',
      },
      {
        path: '/healthz',
        requirement: 'unprotected(probe)',
        status: 'declared',
        declaredAt: 'policy `routes[2]` (line 7)',
      },
      { method: '*', path: '/every', status: 'declared' },
    ])
    expect(lines.join('\n')).toContain('`GET /not/there`')
    expect(lines.join('\n')).not.toContain('/healthz')
  })

  test('the census follows a document that is replaced', async () => {
    const listeners: SourceListener[] = []
    const follow = (told: SourceListener): (() => void) => {
      listeners.push(told)
      return () => undefined
    }
    const document = (scope: string): string =>
      `version: 1\nroutes: [{ route: GET /x, requires: { scopes: [${scope}] } }]\n`
    const app = await serve({ policy: policyDocument({ follow }) }, (application) => {
      application.get('/x', handler)
    })
    listeners[0]?.replace(document('x:read'))
    await sealRoutes(app)
    expect(guard.census().map(({ scopes }) => scopes)).toEqual([['x:read']])
    listeners[0]?.replace(document('x:write'))
    expect(guard.census().map(({ scopes }) => scopes)).toEqual([['x:write']])
  })

  test('a service that observes lets pass whatever it would refuse, and records it', async () => {
    const mode = { observe: { until: '2099-12-31' } } as const
    await serve({ mode, undeclared: authenticated() }, (app) => {
      app.use('/static', (_request, response) => void response.end('file'))
      app.use('/admin', requireScopes('admin:write'), express.Router().get('/x', handler))
      app.get('/orders/:id', requireScopes('orders:write'), handler)
      app.get(
        '/silent',
        (request, response) => void response.end(String(Object.hasOwn(request, 'caller') && 'seen')),
      )
    })
    const headers = await bearer(issuer)
    expect(lines.join()).toContain('refuses nobody until 2100-01-01')
    expect(await served.call('/orders/1', { headers })).toMatchObject({
      status: 200,
      body: 'handled /orders/1',
    })
    expect((await served.call('/orders/1', { headers: { authorization: 'Bearer nonsense' } })).status).toBe(
      200,
    )
    expect((await served.call('/admin/x', { headers })).status).toBe(200)
    expect((await served.call('/silent')).status).toBe(200)
    expect(await served.call('/static/a.css')).toMatchObject({
      status: 200,
      body: 'file',
      code: 'route_undeclared',
    })
    expect((await served.call('/nowhere')).status).toBe(404)
    expect(guard.observations()).toMatchObject([
      {
        route: 'GET /orders/:id',
        caller: expect.stringContaining('#client='),
        refused: { scope_missing: 1 },
      },
      { route: 'GET /orders/:id', caller: null, refused: { token_malformed: 1 } },
      { route: expect.stringMatching(/^GET (\/admin|\/…)\/x$/), refused: { scope_missing: 1 } },
      { route: 'GET /silent', caller: null, refused: { credential_missing: 1 } },
      { route: 'GET (outside any route)', caller: null, refused: { route_undeclared: 1 } },
    ])
  })

  test('the caller of a request that was let pass is who was verified, or nobody', async () => {
    const mode = { observe: { until: '2099-12-31' } } as const
    await serve({ mode }, (app) => {
      app.get('/who', requireScopes('orders:write'), (request, response, next) => {
        try {
          response.end(request.caller.id)
        } catch (error) {
          next(error)
        }
      })
    })
    expect((await served.call('/who', { headers: await bearer(issuer) })).body).toContain('#client=')
    expect((await served.call('/who')).status).toBe(500)
  })

  test('what was decided can be explained when the response has ended', async () => {
    const changes: (readonly string[] | undefined)[] = []
    await serve({ policy }, (app) => {
      app.get('/orders/:id', handler)
    })
    const told = express()
    told.use((request, response, next) => {
      response.on('finish', () => {
        const decision = decisionOf(request)
        changes.push(decision === undefined ? undefined : guard.explain(decision)?.changes)
      })
      next()
    })
    told.use(countersign(guard))
    told.get('/orders/:id', handler)
    const telling = await ServedApp.start(told)
    const headers = await bearer(issuer, 'orders:list')
    expect((await telling.call('/orders/1', { headers })).code).toBe('scope_missing')
    expect((await telling.call('/nowhere')).status).toBe(404)
    await telling.close()
    expect(changes).toEqual([['have the issuer of the token put `orders:read` into it'], undefined])
  })
})
