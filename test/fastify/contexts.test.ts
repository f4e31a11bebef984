import {
  ConfigurationError,
  authenticated,
  callerOf,
  countersign,
  everyRoute,
  requireScopes,
  scopes,
  sealRoutes,
  unprotected,
  type Guard,
} from '@countersign/fastify'
import { unprotected as unprotectedValue } from '@countersign/core'
import fastifyStatic from '@fastify/static'
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
  let guard: Guard
  let ran: string[]
  const handler = (name: string) => async () => {
    ran.push(name)
    return name
  }

  beforeEach(() => {
    ran = []
    opened = new Opened()
    app = opened.app(fastify())
    guard = opened.guard(issuer)
  })
  afterEach(() => opened.close())

  test('covers and lists routes that were registered before the guard, in its context and below', async () => {
    app.get('/early', requireScopes('a:b'), handler('early'))
    app.get('/silent', handler('silent'))
    await app.register(async (inner) => void inner.get('/inner', requireScopes('a:b'), handler('inner')))
    await app.register(countersign(guard))
    expect((await call(app, '/early')).code).toBe('credential_missing')
    expect((await call(app, '/inner')).code).toBe('credential_missing')
    expect((await call(app, '/silent', { headers: await bearer(issuer, 'a:b') })).code).toBe(
      'route_undeclared',
    )
    expect(guard.census().map(({ path, status }) => [path, status])).toEqual([
      ['/early', 'declared'],
      ['/silent', 'undeclared'],
      ['/inner', 'declared'],
    ])
    expect(ran).toEqual([])
  })

  test('covers and lists all routes where `register` is not awaited', async () => {
    void app.register(countersign(guard))
    app.get('/orders', requireScopes('a:b'), handler('orders'))
    void app.register(async (inner) => void inner.get('/', handler('inner')), { prefix: '/inner' })
    expect((await call(app, '/orders')).code).toBe('credential_missing')
    expect((await call(app, '/inner')).code).toBe('route_undeclared')
    expect(guard.census().map(({ path }) => path)).toEqual(['/orders', '/inner'])
    expect(ran).toEqual([])
  })

  test('protects the context that it is registered in and all below, and nothing beside', async () => {
    app.get('/open', handler('open'))
    await app.register(
      async (admin) => {
        await admin.register(countersign(guard))
        admin.get('/panel', requireScopes('admin:read'), handler('panel'))
        await admin.register(async (below) => void below.get('/below', handler('below')))
      },
      { prefix: '/admin' },
    )
    expect((await call(app, '/open')).body).toBe('open')
    expect((await call(app, '/admin/panel')).code).toBe('credential_missing')
    expect((await call(app, '/admin/below')).code).toBe('route_undeclared')
    expect(ran).toEqual(['open'])
    expect(guard.census().map(({ path, status }) => [path, status])).toEqual([
      ['/open', 'unguarded'],
      ['/admin/panel', 'declared'],
      ['/admin/below', 'undeclared'],
    ])
    expect(opened.told.join()).toContain('no guard stands before `GET /open`')
  })

  test('does not start where a route says who may call it and no guard stands before it', async () => {
    app.get('/config', { config: { requires: scopes('a:b') } }, handler('config'))
    app.get('/orders', requireScopes('a:b'), handler('orders'))
    // What a plugin without fastify-plugin registers stays in its own context.
    await app.register(async (own) => {
      await own.register(countersign(guard))
    })
    const error = await failureOf(app.ready())
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain('no guard stands before it')
    expect(error.message).toContain('(`GET /config`, `HEAD /config`, `GET /orders`, `HEAD /orders`)')
  })

  test('starts an application of somebody else whose `config` has a `requires` of its own', async () => {
    const config = { requires: ['admin'] } as object
    app.get('/theirs', { config }, handler('theirs'))
    expect((await call(app, '/theirs')).body).toBe('theirs')
  })

  test('throws where a route is registered with something that is no requirement, and names it', async () => {
    await app.register(countersign(guard))
    const config = { requires: 'orders:read' } as object
    const register = (): unknown => app.get('/orders', { config }, handler('orders'))
    expect(register).toThrow(ConfigurationError)
    expect(register).toThrow(/config\.requires of GET \/orders.*expected a requirement.*got a string/)
  })

  test('does not start with something that is no requirement where the guard came later', async () => {
    const config = { requires: requireScopes('a:b') } as object
    app.get('/orders', { config }, handler('orders'))
    await app.register(countersign(guard))
    expect((await failureOf(app.ready())).message).toMatch(/config\.requires of GET \/orders.*got an object/)
  })

  test('decides once where the same guard stands in two contexts, one in the other', async () => {
    await app.register(async (inner) => {
      await inner.register(countersign(guard))
      inner.get('/orders', requireScopes('a:b'), async (request) => request.caller.id)
    })
    await app.register(countersign(guard))
    await app.register(countersign(guard))
    const answer = await call(app, '/orders', { headers: await bearer(issuer, 'a:b') })
    expect([answer.status, answer.events.length]).toEqual([200, 1])
    expect((await call(app, '/orders')).code).toBe('credential_missing')
    expect(guard.census().length).toBe(1)
  })

  test('does not start with two guards on one way, in whichever order they were registered', async () => {
    await app.register(async (inner) => {
      await inner.register(countersign(opened.guard(issuer)))
      inner.get('/orders', handler('orders'))
    })
    await app.register(countersign(guard))
    expect((await failureOf(app.ready())).message).toContain('two guards saw one request')
    const again = opened.app(fastify())
    await again.register(countersign(guard))
    const second = await failureOf(again.register(countersign(opened.guard(issuer))))
    expect(second.message).toContain('two guards saw one request')
  })

  test('keeps siblings with guards of their own apart', async () => {
    const other = opened.guard(issuer, { audience: 'reports' })
    await app.register(async (orders) => {
      await orders.register(countersign(guard))
      orders.get('/orders', requireScopes('a:b'), async (request) => request.caller.id)
    })
    await app.register(async (reports) => {
      await reports.register(countersign(other))
      reports.get('/reports', requireScopes('a:b'), async (request) => request.caller.id)
    })
    const headers = await bearer(issuer, 'a:b')
    expect((await call(app, '/orders', { headers })).status).toBe(200)
    expect((await call(app, '/reports', { headers })).code).toBe('audience_mismatch')
    expect(guard.census().map(({ path }) => path)).toEqual(['/orders'])
    expect(other.census().map(({ path }) => path)).toEqual(['/reports'])
  })

  test('refuses a request that another guard has seen already', async () => {
    await app.register(countersign(guard))
    app.get('/orders', unprotected('for this test'), handler('orders'))
    const outer = opened.app(fastify())
    await outer.register(countersign(opened.guard(issuer)))
    await app.ready()
    outer.get('/orders', unprotected('for this test'), (request, reply) => {
      reply.hijack()
      app.routing(request.raw, reply.raw)
    })
    const answer = await call(outer, '/orders')
    expect(answer.status).toBe(500)
    expect(answer.body).toContain('two guards saw one request')
    expect(ran).toEqual([])
  })

  test('decides for the route of an application that another one behind the same guard hands requests on to', async () => {
    await app.register(countersign(guard))
    app.get('/orders', requireScopes('a:b'), handler('orders'))
    await app.ready()
    const outer = opened.app(fastify())
    await outer.register(countersign(guard))
    outer.get('/orders', unprotected('hands on'), (request, reply) => {
      reply.hijack()
      app.routing(request.raw, reply.raw)
    })
    expect((await call(outer, '/orders')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    expect((await call(outer, '/orders', { headers: await bearer(issuer, 'a:b') })).body).toBe('orders')
  })

  test('holds every route of a context to its floor, routes only add, and records one decision', async () => {
    await app.register(countersign(guard))
    await app.register(
      async (admin) => {
        admin.get('/panel', handler('panel'))
        admin.get('/keys', requireScopes('keys:read'), handler('keys'))
        admin.get('/open', unprotected('cannot undo the floor'), handler('open'))
        await admin.register(async (below) => void below.get('/below', handler('below')))
        // Behind its routes, and before what is below was loaded or after: it makes no difference.
        void admin.register(everyRoute(requireScopes('admin:write')))
      },
      { prefix: '/admin' },
    )
    app.get('/beside', unprotected('outside'), handler('beside'))
    for (const path of ['/admin/panel', '/admin/keys', '/admin/open', '/admin/below']) {
      expect([path, (await call(app, path)).code]).toEqual([path, 'credential_missing'])
      const headers = await bearer(issuer, 'keys:read')
      expect([path, (await call(app, path, { headers })).code]).toEqual([path, 'scope_missing'])
    }
    const floor = await bearer(issuer, 'admin:write')
    expect((await call(app, '/admin/keys', { headers: floor })).code).toBe('scope_missing')
    expect(ran).toEqual([])
    const headers = await bearer(issuer, 'admin:write', 'keys:read')
    const allowed = await call(app, '/admin/keys', { headers })
    expect(allowed.events.map(({ requirement }) => requirement)).toEqual([
      'allOf(scopes(admin:write), scopes(keys:read))',
    ])
    expect((await call(app, '/admin/panel', { headers: floor })).body).toBe('panel')
    expect((await call(app, '/admin/below', { headers: floor })).body).toBe('below')
    expect((await call(app, '/beside')).body).toBe('beside')
  })

  test('adds up the floors of contexts, and lets no inner cover undo an outer floor', async () => {
    await app.register(countersign(guard))
    await app.register(everyRoute(authenticated()))
    await app.register(async (inner) => {
      await inner.register(everyRoute(unprotectedValue('asks nothing')))
      inner.get('/covered', handler('covered'))
    })
    await app.register(async (inner) => {
      await inner.register(everyRoute(scopes('a:b')))
      inner.get('/both', handler('both'))
    })
    expect((await call(app, '/covered')).code).toBe('credential_missing')
    expect((await call(app, '/both', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect(ran).toEqual([])
    expect(guard.census().map(({ path, requirement }) => [path, requirement])).toEqual([
      ['/covered', 'authenticated()'],
      ['/both', 'allOf(authenticated(), scopes(a:b))'],
    ])
  })

  test('speaks with a cover for routes that say nothing themselves, such as those of @fastify/static', async () => {
    await app.register(countersign(guard))
    await app.register(async (files) => {
      await files.register(everyRoute(unprotected('public assets')))
      await files.register(fastifyStatic as never, { root: import.meta.dirname, prefix: '/assets/' })
      files.get('/secret', requireScopes('a:b'), handler('secret'))
    })
    const file = await call(app, '/assets/contexts.test.ts')
    expect([file.status, file.events.map(({ requirement }) => requirement)]).toEqual([
      200,
      ['unprotected(public assets)'],
    ])
    expect((await call(app, '/secret')).code).toBe('credential_missing')
    expect((await call(app, '/assets/missing')).status).toBe(404)
    const wildcard = guard.census().find(({ path }) => path === '/assets/*')
    expect(wildcard).toMatchObject({ status: 'declared', requirement: 'unprotected(public assets)' })
    expect(wildcard?.declaredAt).toMatch(/^test\/fastify\/contexts\.test\.ts:\d+$/)
  })

  test('does not start where `everyRoute` stands in a context without a guard', async () => {
    await app.register(async (admin) => {
      await admin.register(everyRoute(scopes('a:b')))
    })
    const error = await failureOf(app.ready())
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain('no guard stands before scopes(a:b)')
  })

  test('takes nothing but a requirement for every route', () => {
    expect(() => everyRoute('a:b' as never)).toThrow(ConfigurationError)
  })

  test('has a caller in the request for whoever asks by the decorator, and no other plugin may take its name', async () => {
    await app.register(countersign(guard))
    expect(app.hasRequestDecorator('caller')).toBe(true)
    app.get('/me', requireScopes('a:b'), async (request) => ({ own: callerOf(request) === request.caller }))
    expect(() => app.decorateRequest('caller', { getter: () => 'anybody' } as never)).toThrow(
      'already been added',
    )
    expect((await call(app, '/me', { headers: await bearer(issuer, 'a:b') })).body).toBe('{"own":true}')
  })

  test('says where an application is sealed without a guard', async () => {
    await expect(sealRoutes(app)).rejects.toThrow('`guard`: the application does not use it')
    const used = opened.app(fastify())
    await used.register(async (inner) => {
      await inner.register(countersign(guard))
    })
    await sealRoutes(used)
  })
})
