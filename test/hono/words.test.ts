// The other words of the package, and their types.
import { Controller, Get, RequireScopes, All, mount } from '@countersign/decorators'
import { mounterFor, type MountableRoute } from '@countersign/core/adapter'
import {
  callerOf,
  countersign,
  createGuard,
  requireCaller,
  requireScopes,
  requires,
  resourceMetadata,
  sealRoutes,
  unprotected,
  type Caller,
  type Guard,
} from '@countersign/hono'
import type { TestIssuer } from '@countersign/testing'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { Hono as TypedHono } from 'hono'
import { testClient } from 'hono/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { ServedApp, bearer, fetched, honoVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})
let guard: Guard
beforeEach(() => {
  guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  // Whoever has put a guard before a Hono application can mount controllers on others, too.
  countersign(guard)
})
afterEach(() => guard.close())

const undeclared: MountableRoute = {
  method: 'all',
  path: '/orders/*',
  placement: undefined,
  handler: (c) => (c as Context).text('orders'),
}

describe.each(honoVersions)('%s', (_name, Hono) => {
  test('never opens a mounted route of an application without a guard', async () => {
    const app = new Hono()
    app.onError((error, c) => c.text(error.message, 500))
    mounterFor(app)?.mount(app, [undeclared])
    const answer = await fetched(app, '/orders/1')
    expect([answer.status, answer.body]).toEqual([500, expect.stringContaining('mount(app, …)')])
  })

  test('leaves a mounted route that declares nothing to the guard', async () => {
    const app = new Hono()
    app.use(countersign(guard))
    mounterFor(app)?.mount(app, [undeclared])
    const served = await ServedApp.start(app)
    expect((await served.call('/orders/1', { method: 'DELETE' })).code).toBe('route_undeclared')
    await served.close()
    await sealRoutes(app)
    expect(guard.census()).toMatchObject([{ method: '*', path: '/orders/*', status: 'undeclared' }])
  })

  test('mounts controllers, whose methods take what Hono hands to handlers', async () => {
    class Orders {
      find(c: Context): Response {
        return c.text(`${c.req.param('id')} ${c.var.caller.id}`)
      }

      async pass(_c: Context, next: Next): Promise<void> {
        await next()
      }
    }
    decorate(Orders, 'find', Get('/:id'))
    decorate(Orders, 'pass', All('/'), RequireScopes('orders:all'))
    RequireScopes('orders:read')(Orders as never, undefined as never)
    Controller('/orders')(Orders as never, undefined as never)
    const app = new Hono()
    app.use(countersign(guard))
    mount(app, new Orders())
    expect((await fetched(app, '/orders/7')).code).toBe('credential_missing')
    const headers = await bearer(issuer, 'orders:read')
    expect((await fetched(app, '/orders/7', { headers })).body).toBe('7 https://issuer.test#client=checkout')
    expect((await fetched(app, '/orders', { headers })).code).toBe('scope_missing')
    const all = await bearer(issuer, 'orders:read', 'orders:all')
    expect((await fetched(app, '/orders', { headers: all })).status).toBe(404)
  })

  test('says who issues tokens and which scopes routes ask for, to anybody', async () => {
    const resource = { identifier: 'https://api.example/orders', name: 'Orders' }
    const path = '/.well-known/oauth-protected-resource/orders'
    const describing = createGuard({ audience: 'orders', issuers: [issuer], resource, log: false })
    const app = new Hono()
    app.use(countersign(describing))
    app.use(resourceMetadata())
    app.get('/orders', requireScopes('orders:read'), (c) => c.text('orders'))
    await sealRoutes(app)
    const answer = await fetched(app, `${path}?x`)
    expect(answer).toMatchObject({ status: 200, code: null })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(JSON.parse(answer.body)).toMatchObject({
      resource: 'https://api.example/orders',
      scopes_supported: ['orders:read'],
    })
    expect((await fetched(app, path, { method: 'HEAD' })).status).toBe(200)
    expect((await fetched(app, path, { method: 'POST' })).status).toBe(404)
    expect((await fetched(app, `${path}/x`)).status).toBe(404)
    expect((await fetched(app, '/orders')).headers['www-authenticate']).toContain(path)
    describing.close()
  })

  test('has nothing to say of a resource that is not known', async () => {
    const app = new Hono()
    app.onError((error, c) => c.text(error.message, 500))
    app.use(countersign(guard))
    app.use(resourceMetadata())
    expect((await fetched(app, '/')).body).toContain('`resource`')
  })
})

test.each([
  ['a function', (): unknown => requires((() => true) as never)],
  ['nothing', (): unknown => requires(undefined as never)],
  ['no reason', (): unknown => unprotected(' ')],
  ['no scope', (): unknown => (requireScopes as () => unknown)()],
])('refuses %s for a declaration', (_what, declare) => {
  expect(declare).toThrow(expect.objectContaining({ code: 'configuration_invalid' }))
})

test('types the caller where Hono has its variables, and keeps the types of routes', async () => {
  const app = new TypedHono()
    .use(countersign(guard))
    .get('/orders/:id', requireScopes('orders:read'), (c) => {
      expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
      expectTypeOf(c.get('caller')).toEqualTypeOf<Caller>()
      expectTypeOf(callerOf(c)).toEqualTypeOf<Caller | undefined>()
      expectTypeOf(requireCaller(c)).toEqualTypeOf<Caller>()
      expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
      return c.json({ id: c.req.param('id') })
    })
  expectTypeOf(requireScopes).returns.toEqualTypeOf<MiddlewareHandler>()
  // @ts-expect-error -- a scope is needed
  expect(() => requireScopes()).toThrow()
  const headers = await bearer(issuer, 'orders:read')
  const answer = await testClient(app).orders[':id'].$get({ param: { id: '7' } }, { headers })
  expectTypeOf(await answer.json()).toEqualTypeOf<{ id: string }>()
  expect(answer.status).toBe(200)
})

type LegacyDecorator = (prototype: object, name: string, descriptor: PropertyDescriptor) => unknown

// Our tests use no decorator syntax outside test/decorators: this is what the legacy dialect makes of it.
function decorate(of: { prototype: object }, name: string, ...decorators: readonly unknown[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(of.prototype, name)
  for (const decorator of decorators.toReversed()) {
    ;(decorator as LegacyDecorator)(of.prototype, name, descriptor ?? {})
  }
}
