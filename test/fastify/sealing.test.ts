import type { SourceListener } from '@countersign/core'
import {
  ConfigurationError,
  authenticated,
  callerOptional,
  countersign,
  everyRoute,
  formatCensus,
  requireScopes,
  requires,
  resourceMetadata,
  scopes,
  sealRoutes,
  unprotected,
} from '@countersign/fastify'
import { policyDocument } from '@countersign/policy'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Opened, bearer, call, failureOf, fastifyVersions } from './served-fastify.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

describe.each(fastifyVersions)('%s', (_name, fastify) => {
  let opened: Opened
  let app: FastifyInstance
  const handler = async (): Promise<string> => 'answered'

  beforeEach(() => {
    opened = new Opened()
    app = opened.app(fastify())
  })
  afterEach(() => opened.close())

  test('does not become ready under fail-start with a route of which nobody says who may call it', async () => {
    await app.register(countersign(opened.guard(issuer, { undeclared: 'fail-start' })))
    app.get('/a', handler)
    app.get('/fine', unprotected('open'), handler)
    await app.register(async (inner) => void inner.post('/b', handler), { prefix: '/inner' })
    const error = await failureOf(app.ready())
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.option).toBe('undeclared')
    expect(error.message).toContain('nobody says who may call `GET /a`, `POST /inner/b`: write app.get(path,')
    expect(opened.told).toEqual([])
  })

  test('does not listen, nor answer what is injected, under fail-start', async () => {
    for (const start of [
      () => app.listen({ port: 0 }),
      () => app.inject('/a'),
      () => sealRoutes(app),
    ] as const) {
      app = opened.app(fastify())
      await app.register(countersign(opened.guard(issuer, { undeclared: 'fail-start' })))
      app.get('/a', handler)
      expect((await failureOf(start())).message).toContain('`GET /a`')
    }
  })

  test('names routes that no guard stands before under fail-start', async () => {
    app.get('/open', handler)
    await app.register(async (inner) => {
      await inner.register(countersign(opened.guard(issuer, { undeclared: 'fail-start' })))
      inner.get('/inner', unprotected('open'), handler)
    })
    expect((await failureOf(sealRoutes(app))).message).toContain('no guard stands before `GET /open`')
  })

  test('tells the operator of undeclared routes otherwise, before the first request', async () => {
    await app.register(countersign(opened.guard(issuer)))
    app.get('/a', handler)
    await sealRoutes(app)
    expect(opened.told.join()).toContain('`GET /a`')
  })

  test('lists every route with what it asks and where that was said', async () => {
    const guard = opened.guard(issuer)
    await app.register(countersign(guard))
    app.get('/orders/:id', requireScopes('orders:read'), handler)
    app.get('/config', { config: { requires: scopes('a:b') } }, handler)
    app.route({ method: ['PUT', 'PATCH'], url: '/both', ...callerOptional('why not'), handler })
    app.route({ method: ['GET', 'HEAD'], url: '/head', ...requires(authenticated()), handler })
    app.all('/all', requireScopes('c:d'), handler)
    app.head('/alone', requireScopes('e:f'), handler)
    app.head('/twice', unprotected('another one'), handler)
    app.get('/twice', requireScopes('a:b'), handler)
    app.get('/silent', handler)
    await app.ready()
    const here = expect.stringMatching(/^test\/fastify\/sealing\.test\.ts:\d+$/)
    expect(
      guard
        .census()
        .map(({ method, path, requirement, status, declaredAt }) => [
          `${method} ${path}`,
          requirement,
          status,
          declaredAt,
        ]),
    ).toEqual([
      ['GET /orders/:id', 'scopes(orders:read)', 'declared', here],
      ['GET /config', 'scopes(a:b)', 'declared', here],
      ['PUT /both', 'callerOptional(why not)', 'declared', here],
      ['PATCH /both', 'callerOptional(why not)', 'declared', here],
      ['GET /head', 'authenticated()', 'declared', here],
      ['* /all', 'scopes(c:d)', 'declared', here],
      ['HEAD /alone', 'scopes(e:f)', 'declared', here],
      ['HEAD /twice', 'unprotected(another one)', 'declared', here],
      ['GET /twice', 'scopes(a:b)', 'declared', here],
      ['GET /silent', null, 'undeclared', null],
    ])
    expect(guard.census()).toEqual(guard.census())
    expect(formatCensus(guard.census())).toContain('GET     /orders/:id  scopes(orders:read)')
  })

  test('does not become ready where a hook has replaced the `config` of a route, and refuses it', async () => {
    await app.register(countersign(opened.guard(issuer)))
    app.addHook('onRoute', (route) => {
      route.config = { requires: unprotected('by a hook').config.requires }
    })
    app.get('/orders', requireScopes('a:b'), handler)
    const error = await failureOf(app.ready())
    expect(error.message).toContain('`config`: an onRoute hook has put another object in its place')
    expect(error.message).toContain('(`GET /orders`, `HEAD /orders`)')
  })

  test('counts what hooks add to the `config` of a route', async () => {
    const guard = opened.guard(issuer)
    await app.register(countersign(guard))
    app.addHook('onRoute', (route) => {
      if (route.url !== '/docs') return
      route.config = { ...route.config, ...unprotected('docs').config }
    })
    app.get('/docs', handler)
    expect((await call(app, '/docs')).body).toBe('answered')
    expect(guard.census()).toMatchObject([{ method: 'GET', path: '/docs', status: 'declared' }])
  })

  describe('a policy document', () => {
    const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read], when: 'resource.params.id == "1"' } }
  - { route: GET /shop, requires: { scopes: [orders:read] } }
  - { route: '* /every', requires: { callers: [checkout] } }
  - { route: GET /healthz, unprotected: probe }
  - { route: GET /not/there, requires: { authenticated: true } }
`)

    test('declares routes by their spelling, and sees what the path has in place of their names', async () => {
      const guard = opened.guard(issuer, { policy })
      await app.register(countersign(guard))
      app.get('/orders/:id', handler)
      app.all('/every', handler)
      app.get('/healthz', handler)
      const headers = await bearer(issuer, 'orders:read')
      expect((await call(app, '/orders/1')).code).toBe('credential_missing')
      expect((await call(app, '/orders/1', { headers })).body).toBe('answered')
      expect((await call(app, '/orders/2', { headers })).code).toBe('requirement_unmet')
      expect((await call(app, '/every', { method: 'PUT' })).code).toBe('credential_missing')
      expect((await call(app, '/every', { method: 'HEAD' })).code).toBe('credential_missing')
      expect((await call(app, '/healthz')).body).toBe('answered')
      expect(guard.census().map(({ method, path, declaredAt }) => [method, path, declaredAt])).toEqual([
        ['GET', '/orders/:id', 'policy `routes[0]` (line 5)'],
        ['*', '/every', 'policy `routes[2]` (line 7)'],
        ['GET', '/healthz', 'policy `routes[3]` (line 8)'],
      ])
      expect(opened.told.join('\n')).toContain('the policy document speaks of `GET /shop`, `GET /not/there`')
    })

    test('that is replaced counts for the next request, and in the next census', async () => {
      let listener: SourceListener | undefined
      const follow = (told: SourceListener) => {
        listener = told
        return () => undefined
      }
      const guard = opened.guard(issuer, { policy: policyDocument({ follow }) })
      await app.register(countersign(guard))
      app.get('/orders', handler)
      const saying = (what: string): string => `version: 1\nroutes:\n  - { route: GET /orders, ${what} }\n`
      listener?.replace(saying('unprotected: for now'))
      expect((await call(app, '/orders')).body).toBe('answered')
      expect(guard.census()[0]?.requirement).toBe('unprotected(for now)')
      expect(guard.census()[0]).toBe(guard.census()[0])
      listener?.replace(saying('requires: { authenticated: true }'))
      expect((await call(app, '/orders')).code).toBe('credential_missing')
      expect(guard.census()[0]?.requirement).toBe('authenticated()')
    })

    test('T47 holds for HEAD and below a prefix with a slash and without, in code and document both', async () => {
      await app.register(countersign(opened.guard(issuer, { policy })))
      const shop = async (context: FastifyInstance): Promise<void> => {
        context.get('/', requires(authenticated()), handler)
      }
      await app.register(shop, { prefix: '/shop' })
      const headers = await issuer.headersFor('checkout', { scopes: ['other:scope'] })
      for (const method of ['GET', 'HEAD']) {
        for (const path of ['/shop', '/shop/']) {
          expect([method, path, (await call(app, path, { method, headers })).code]).toEqual([
            method,
            path,
            'scope_missing',
          ])
        }
      }
    })
  })

  test('lets pass what it only observes, and records it', async () => {
    const until = new Date(Date.now() + 1000_000).toISOString()
    const guard = opened.guard(issuer, { mode: { observe: { until } } })
    await app.register(countersign(guard))
    app.get('/orders', requireScopes('a:b'), handler)
    app.get('/silent', handler)
    app.all('/all', requireScopes('a:b'), handler)
    expect((await call(app, '/orders')).body).toBe('answered')
    expect((await call(app, '/silent')).body).toBe('answered')
    expect((await call(app, '/all', { method: 'HEAD' })).status).toBe(200)
    expect(guard.observations().map(({ route }) => route)).toEqual(['GET /orders', 'GET /silent', '* /all'])
  })

  describe('resource metadata', () => {
    const resource = 'https://api.example/orders'
    const path = '/.well-known/oauth-protected-resource/orders'

    test('says who issues tokens and which scopes routes ask for, to anybody', async () => {
      const guard = opened.guard(issuer, { resource, undeclared: 'fail-start' })
      await app.register(countersign(guard))
      await app.register(resourceMetadata())
      app.get('/orders', requireScopes('orders:read'), handler)
      const answer = await call(app, path)
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=300'])
      expect(answer.headers['content-type']).toContain('application/json')
      expect(JSON.parse(answer.body)).toMatchObject({
        resource,
        authorization_servers: ['https://issuer.test'],
        scopes_supported: ['orders:read'],
      })
      expect((await call(app, path, { method: 'HEAD' })).status).toBe(200)
      expect((await call(app, path, { method: 'POST' })).status).toBe(404)
      expect((await call(app, '/orders')).headers['www-authenticate']).toContain(`https://api.example${path}`)
    })

    test('is not registered where nothing is known of the resource, nor below a prefix', async () => {
      expect((await failureOf(app.register(resourceMetadata()))).message).toContain(
        '`resource`: nothing is known',
      )
      const below = opened.app(fastify())
      await below.register(countersign(opened.guard(issuer, { resource })))
      const registering = below.register(
        async (inner) => {
          await inner.register(resourceMetadata())
        },
        { prefix: '/inner' },
      )
      expect((await failureOf(registering)).message).toContain('where there is no prefix')
    })
  })

  test('checks every context of an application, and floors count as declarations', async () => {
    const guard = opened.guard(issuer, { undeclared: 'fail-start' })
    await app.register(countersign(guard))
    await app.register(async (admin) => {
      admin.get('/panel', handler)
      await admin.register(everyRoute(requireScopes('admin:write')))
    })
    await sealRoutes(app)
    expect(guard.census()).toMatchObject([{ requirement: 'scopes(admin:write)', status: 'declared' }])
  })
})
