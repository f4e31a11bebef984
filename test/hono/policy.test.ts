// A policy document, observe mode and CORS preflights.
import {
  authenticated,
  callerOf,
  countersign,
  createGuard,
  decisionOf,
  requireScopes,
  sealRoutes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/hono'
import { policyDocument } from '@countersign/policy'
import type { TestIssuer } from '@countersign/testing'
import type { Context, Hono as App } from 'hono'
import { cors } from 'hono/cors'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ServedApp, bearer, honoVersions, testIssuer, type Answer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: 'GET /orders/:id{[a-z0-9]+}', requires: { scopes: [orders:read], when: 'resource.params.id == "1"' } }
  - { route: '* /every', requires: { callers: [checkout] } }
  - { route: GET /healthz, unprotected: probe }
  - { route: GET /not/there, requires: { authenticated: true } }
`)

const asked = { origin: 'https://shop.test', 'access-control-request-method': 'GET' }

describe.each(honoVersions)('%s', (_name, Hono) => {
  const lines: string[] = []
  let guard: Guard
  let served: ServedApp
  const handler = (c: Context): Response => c.text(`handled ${c.req.path}`)

  async function serve(
    options: Partial<Pick<GuardOptions, 'policy' | 'mode' | 'undeclared' | 'preflight'>>,
    place: (app: App) => void,
  ): Promise<App> {
    lines.length = 0
    guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (line) => void lines.push(line) },
      ...options,
    })
    const app = new Hono()
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
      app.get('/orders/:id{[a-z0-9]+}', handler)
      app.all('/every', handler)
      app.get('/healthz', handler)
      app.get('/silent', handler)
    })
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/orders/1', { headers })).status).toBe(200)
    expect((await served.call('/orders/%31', { headers })).status).toBe(200)
    expect((await served.call('/orders/1', { method: 'HEAD', headers })).status).toBe(200)
    expect((await served.call('/orders/2', { headers })).code).toBe('requirement_unmet')
    expect((await served.call('/orders/2', { method: 'HEAD', headers })).code).toBe('requirement_unmet')
    expect((await served.call('/orders/1')).code).toBe('credential_missing')
    expect((await served.call('/every', { method: 'PUT', headers })).status).toBe(200)
    expect((await served.call('/every', { method: 'PUT' })).code).toBe('credential_missing')
    expect((await served.call('/healthz')).status).toBe(200)
    expect((await served.call('/silent', { headers })).code).toBe('route_undeclared')
  })

  test('the census shows what code and document ask together, and what the document speaks of in vain', async () => {
    const app = await serve({ policy, undeclared: 'fail-start' }, (application) => {
      application.get('/orders/:id{[a-z0-9]+}', requireScopes('orders:list'), handler)
      application.get('/healthz', handler)
      application.all('/every', handler)
    })
    await sealRoutes(app)
    expect(guard.census()).toMatchObject([
      { scopes: ['orders:list', 'orders:read'], status: 'declared' },
      { requirement: 'unprotected(probe)', declaredAt: 'policy `routes[2]` (line 7)' },
      { method: '*', path: '/every', status: 'declared' },
    ])
    expect(lines.join('\n')).toContain('`GET /not/there`')
    expect(lines.join('\n')).not.toContain('/healthz')
  })

  test('a service that observes lets pass whatever it would refuse, and records it', async () => {
    const mode = { observe: { until: '2099-12-31' } } as const
    await serve({ mode, undeclared: authenticated() }, (app) => {
      app.use('/static/*', async (c, _next) => c.text('file'))
      app.use('/admin/*', requireScopes('admin:write'))
      app.get('/admin/x', handler)
      app.get('/orders/:id', requireScopes('orders:write'), (c) => c.text(String(callerOf(c)?.id)))
      app.get('/silent', handler)
    })
    const headers = await bearer(issuer)
    expect((await served.call('/orders/1', { headers })).body).toContain('#client=checkout')
    const nonsense = await served.call('/orders/1', { headers: { authorization: 'Bearer nonsense' } })
    expect([nonsense.status, nonsense.body]).toEqual([200, 'undefined'])
    expect((await served.call('/admin/x', { headers })).status).toBe(200)
    expect((await served.call('/silent')).status).toBe(200)
    expect(await served.call('/static/a.css')).toMatchObject({ body: 'file', code: 'route_undeclared' })
    expect((await served.call('/nowhere')).status).toBe(404)
    expect(guard.observations()).toMatchObject([
      {
        route: 'GET /orders/:id',
        caller: expect.stringContaining('#client='),
        refused: { scope_missing: 1 },
      },
      { route: 'GET /orders/:id', caller: null, refused: { token_malformed: 1 } },
      { route: 'GET /admin/x', refused: { scope_missing: 1 } },
      { route: 'GET /silent', caller: null, refused: { credential_missing: 1 } },
      { route: 'GET (outside any route)', caller: null, refused: { route_undeclared: 1 } },
    ])
  })

  test('what was decided can be explained when the response is there', async () => {
    const changes: (readonly string[] | undefined)[] = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], policy, log: false })
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      const decision = decisionOf(c)
      changes.push(decision === undefined ? undefined : guard.explain(decision)?.changes)
    })
    app.use(countersign(guard))
    app.get('/orders/:id{[a-z0-9]+}', handler)
    served = await ServedApp.start(app)
    const headers = await bearer(issuer, 'orders:list')
    expect((await served.call('/orders/1', { headers })).code).toBe('scope_missing')
    expect((await served.call('/nowhere')).status).toBe(404)
    expect(changes).toEqual([['have the issuer of the token put `orders:read` into it'], undefined])
  })

  describe('a CORS preflight', () => {
    const preflight = (path: string, headers: Readonly<Record<string, string>> = asked): Promise<Answer> =>
      served.call(path, { method: 'OPTIONS', headers })

    test.each(['pass', 'refuse'] as const)(
      'is answered by cors() before the guard, under %o',
      async (option) => {
        guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, preflight: option })
        const app = new Hono()
        app.use(cors())
        app.use(countersign(guard))
        app.get('/orders', requireScopes('orders:read'), handler)
        served = await ServedApp.start(app)
        const answer = await preflight('/orders')
        expect([answer.status, answer.headers['access-control-allow-origin'], answer.events]).toEqual([
          204,
          '*',
          [],
        ])
        const refused = await served.call('/orders', { headers: asked })
        expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, '*'])
      },
    )

    test('is answered behind the guard where the guard passes it on, with no caller and nothing else said', async () => {
      const ran: string[] = []
      await serve({ preflight: 'pass' }, (app) => {
        app.use('/use/*', async (c, next) => {
          expect(callerOf(c)).toBeUndefined()
          c.header('x-secret', '1')
          await next()
        })
        app.use('/use/*', cors({ origin: 'https://shop.test', maxAge: 60 }))
        app.get('/use/orders', requireScopes('orders:read'), handler)
        app.options('/handled', (c) => {
          ran.push('handled')
          return c.text('secret', 200, { allow: 'GET', 'x-secret': '1' })
        })
        app.options('/moved', (c) => c.redirect('/elsewhere'))
        app.all('/every', (c) => {
          ran.push('every')
          return c.text('secret')
        })
      })
      const answer = await preflight('/use/orders', { ...asked, ...(await bearer(issuer, 'orders:read')) })
      expect([answer.status, answer.body]).toEqual([204, ''])
      expect(answer.headers).toMatchObject({
        'access-control-max-age': '60',
        'access-control-allow-origin': 'https://shop.test',
      })
      expect(answer.events).toMatchObject([
        { outcome: 'allow', route: 'OPTIONS (CORS preflight)', caller: null },
      ])
      const handled = await preflight('/handled')
      expect([handled.status, handled.body, handled.headers['allow']]).toEqual([200, '', 'GET'])
      for (const { headers } of [answer, handled]) expect(headers).not.toHaveProperty('x-secret')
      expect((await preflight('/moved')).code).toBe('route_undeclared')
      ran.length = 0
      expect((await preflight('/every')).code).toBe('route_undeclared')
      const plain = await served.call('/handled', { method: 'OPTIONS' })
      expect(ran).toEqual([])
      expect([plain.status, plain.code]).toEqual([403, 'route_undeclared'])
      expect((await served.call('/use/orders', { headers: asked })).code).toBe('credential_missing')
    })

    test('is asked like any other below a floor, or where OPTIONS is declared', async () => {
      await serve({ preflight: 'pass' }, (app) => {
        app.use('/floor/*', requireScopes('a:b'))
        app.options('/floor/x', handler)
        app.options('/declared', requireScopes('a:b'), handler)
        app.options('/open', unprotected('says what is allowed'), handler)
      })
      expect((await preflight('/floor/x')).code).toBe('credential_missing')
      expect((await preflight('/declared')).code).toBe('credential_missing')
      expect((await preflight('/open')).body).toBe('handled /open')
    })

    test('is asked what the document says, where a caller who may pass the floor makes a request look like one', async () => {
      const asking = policyDocument(`version: 1
routes:
  - { route: OPTIONS /floor/x, requires: { scopes: [c:d] } }
`)
      await serve({ preflight: 'pass', policy: asking }, (app) => {
        app.use('/floor/*', requireScopes('a:b'))
        app.options('/floor/x', handler)
      })
      const headers = { ...asked, ...(await bearer(issuer, 'a:b')) }
      expect((await preflight('/floor/x', headers)).code).toBe('scope_missing')
    })

    test('is a request like any other where the guard does not pass it on', async () => {
      await serve({}, (app) => {
        app.use('/use/*', cors())
        app.options('/handled', cors())
      })
      for (const path of ['/use/x', '/handled']) expect((await preflight(path)).code).toBe('route_undeclared')
    })
  })
})
