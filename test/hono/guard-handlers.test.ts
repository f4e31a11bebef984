// Handlers that ask their guard themselves, in an application without any middleware.
import {
  callerOptional,
  countersign,
  createGuard,
  guardHandlers,
  requireCaller,
  requireScopes,
  scopes,
  sealRoutes,
  unprotected,
  type Guard,
} from '@countersign/hono'
import { policyDocument } from '@countersign/policy'
import type { TestIssuer } from '@countersign/testing'
import type { Context, Hono as App, Next } from 'hono'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, fetched, honoVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: 'GET /orders/:id', requires: { when: 'resource.params.id == "1"' } }
`)

describe.each(honoVersions)('%s', (_name, Hono) => {
  let app: App
  let guard: Guard
  let served: ServedApp
  let hasRun: boolean
  const handler = (c: Context): Response => {
    hasRun = true
    return c.text('answered')
  }

  beforeEach(async () => {
    hasRun = false
    app = new Hono()
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    served = await ServedApp.start(app)
  })

  afterEach(async () => {
    await served.close()
    guard.close()
  })

  const read = requireScopes('orders:read')

  test.each([
    ['nothing', {}, 401, 'credential_missing'],
    ['what cannot be verified', { authorization: 'Bearer nothing' }, 401, 'token_malformed'],
  ])('refuses who presents %s, and runs no handler', async (_what, headers, status, code) => {
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    expect(await served.call('/orders/7', { headers })).toMatchObject({ status, code })
    expect(hasRun).toBe(false)
  })

  test('refuses who lacks a scope, and runs no handler', async () => {
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    const headers = await bearer(issuer, 'orders:write')
    expect(await served.call('/orders/7', { headers })).toMatchObject({ status: 403, code: 'scope_missing' })
    expect(hasRun).toBe(false)
  })

  test.each([
    ['a handler', () => void app.get('/open', handler)],
    ['a handler with a declaration, which nobody asks', () => void app.get('/open', read, handler)],
    ['a middleware', () => void app.use((_c: Context, next: Next) => next())],
    ['a guard as a middleware', () => void app.use(countersign(guard))],
  ])('refuses all, and the start, beside %s', async (_what, add) => {
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    add()
    const headers = await bearer(issuer, 'orders:read')
    expect(await served.call('/orders/7', { headers })).toMatchObject({
      code: 'declaration_misplaced',
      status: 500,
    })
    expect(hasRun).toBe(false)
    await expect(sealRoutes(app)).rejects.toThrow(/is open: make every handler with guardHandlers/)
  })

  test('refuses where another guard has seen the request', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    const outer = new Hono()
    outer.use(countersign(other))
    outer.use('/*', unprotected('decides itself'), async (c) => app.fetch(c.req.raw, c.env))
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    const outside = await ServedApp.start(outer)
    const headers = await bearer(issuer, 'orders:read')
    expect(await outside.call('/orders/7', { headers })).toMatchObject({ status: 500 })
    expect(hasRun).toBe(false)
    await outside.close()
    other.close()
  })

  test('asks the second of two routes again, where the first passes the request on', async () => {
    const guarded = guardHandlers(app, guard)
    app.get(
      '/orders/*',
      guarded(unprotected('goes on'), (_c, next) => next()),
    )
    app.get('/orders/:id', guarded(read, handler))
    expect(await served.call('/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
    expect(hasRun).toBe(false)
    const headers = await bearer(issuer, 'orders:read')
    expect(await served.call('/orders/7', { headers })).toMatchObject({ status: 200, body: 'answered' })
  })

  test('refuses where a handler of another guard has passed the request on', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app.get(
      '/orders/*',
      guardHandlers(app, other)(unprotected('goes on'), (_c: Context, next: Next) => next()),
    )
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    const headers = await bearer(issuer, 'orders:read')
    expect(await served.call('/orders/7', { headers })).toMatchObject({ status: 500 })
    expect(hasRun).toBe(false)
    other.close()
  })

  test('takes away headers that claim an identity', async () => {
    const seen: unknown[] = []
    app.get(
      '/orders/:id',
      guardHandlers(app, guard)(unprotected('shows headers'), (c) => {
        seen.push(c.req.header('x-client-cert'))
        return c.text('answered')
      }),
    )
    await served.call('/orders/7', { headers: { 'x-client-cert': 'a claim' } })
    expect(seen).toEqual([undefined])
  })

  test('takes nothing in the place of a declaration, and none in the place of a handler', () => {
    const guarded = guardHandlers(app, guard)
    expect(() => guarded((_c, next) => next(), handler)).toThrow('guarded(requireScopes')
    expect(() => guarded(read, unprotected('why'))).toThrow('guarded(requireScopes')
  })

  test('holds a route to what the policy document says as well, with its parameters', async () => {
    const strict = createGuard({ audience: 'orders', issuers: [issuer], log: false, policy })
    const sub = new Hono()
    sub.get('/:id', guardHandlers(app, strict)(read, handler))
    app.route('/orders', sub)
    const headers = await bearer(issuer, 'orders:read')
    expect(await served.call('/orders/7', { headers })).toMatchObject({
      status: 403,
      code: 'requirement_unmet',
    })
    expect(await served.call('/orders/1', { headers })).toMatchObject({ status: 200 })
    strict.close()
  })

  test('shows in the census what each asks', async () => {
    const guarded = guardHandlers(app, guard)
    app.get('/orders/:id', guarded(read, handler))
    app.get('/orders/:id', guarded(requireScopes('orders:write'), handler))
    app.all('/prices', guarded(callerOptional('public prices'), handler))
    await sealRoutes(app)
    expect(
      guard.census().map(({ method, path, requirement, status }) => [method, path, requirement, status]),
    ).toEqual([
      ['GET', '/orders/:id', scopes('orders:read').text, 'declared'],
      ['GET', '/orders/:id', scopes('orders:write').text, 'declared'],
      ['*', '/prices', expect.stringContaining('public prices'), 'declared'],
    ])
  })

  test('decides without a connection of Node, too', async () => {
    app.get('/orders/:id', guardHandlers(app, guard)(read, handler))
    expect(await fetched(app, '/orders/7')).toMatchObject({ status: 401 })
    const headers = await bearer(issuer, 'orders:read')
    expect(await fetched(app, '/orders/7', { headers })).toMatchObject({ status: 200 })
  })

  test('lets pass who may, tells of the route, and hands on who calls', async () => {
    const guarded = guardHandlers(app, guard)
    app.get(
      '/orders/:id',
      guarded(read, (c) => c.text(`${c.req.param('id')} for ${requireCaller(c).id}`)),
    )
    const answer = await served.call('/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect(answer).toMatchObject({ status: 200, body: expect.stringMatching(/^7 for .*checkout$/) })
    expect(answer.events).toMatchObject([{ route: 'GET /orders/:id', outcome: 'allow' }])
  })
})
