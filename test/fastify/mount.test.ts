import { mounterFor, type MountableRoute } from '@countersign/core/adapter'
import { scopes } from '@countersign/core'
import { countersign, type Guard } from '@countersign/fastify'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { mountOrders } from '../decorators/standard/fastify-orders.ts'
import { Opened, bearer, call, fastifyVersions } from './served-fastify.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

const undeclared: MountableRoute = {
  method: 'all',
  path: '/orders',
  placement: undefined,
  handler: () => 'orders',
}

describe.each(fastifyVersions)('%s', (_name, fastify) => {
  let opened: Opened
  let app: FastifyInstance
  let guard: Guard
  beforeEach(() => {
    opened = new Opened()
    app = opened.app(fastify())
    guard = opened.guard(issuer)
    countersign(guard)
  })
  afterEach(() => opened.close())

  test('never opens a mounted route of an application without a guard', async () => {
    mounterFor(app)?.mount(app, [undeclared])
    const answer = await call(app, '/orders')
    expect(answer.status).toBe(500)
    expect(answer.body).toContain('no guard stands before mount(app, …)')
  })

  test('leaves a mounted route that declares nothing to the guard', async () => {
    await app.register(countersign(guard))
    mounterFor(app)?.mount(app, [undeclared])
    const answer = await call(app, '/orders', { method: 'DELETE' })
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(guard.census().map(({ method, path }) => `${method} ${path}`)).toEqual(['* /orders'])
  })

  test('places routes in a context, below its prefix, and answers with what the method returns', async () => {
    await app.register(countersign(guard))
    const route = { ...undeclared, method: 'get', path: '/:id', placement: scopes('a:b') }
    await app.register(async (shop) => mounterFor(shop)?.mount(shop, [route]), { prefix: '/shop' })
    expect((await call(app, '/shop/1')).code).toBe('credential_missing')
    expect((await call(app, '/shop/1', { headers: await bearer(issuer, 'a:b') })).body).toBe('orders')
  })

  test('mounts controllers, whose methods take the request and the reply', async () => {
    await app.register(countersign(guard))
    mountOrders(app)
    expect((await call(app, '/orders/7')).code).toBe('credential_missing')
    const headers = await bearer(issuer, 'orders:read')
    expect((await call(app, '/orders/7', { headers })).body).toBe(
      '{"id":"7","calledBy":"https://issuer.test#client=checkout"}',
    )
    expect((await call(app, '/orders/7', { method: 'HEAD', headers })).status).toBe(200)
    expect((await call(app, '/orders', { method: 'POST', headers })).code).toBe('scope_missing')
    expect((await call(app, '/orders/probes/live')).body).toBe('live')
    expect(guard.census().map(({ method, path, declaredAt }) => [`${method} ${path}`, declaredAt])).toEqual([
      ['GET /orders/:id', null],
      ['POST /orders', null],
      ['GET /orders/probes/live', null],
    ])
  })

  test('recognises no application of another framework', () => {
    for (const other of [undefined, null, {}, () => undefined, { route: 1, addHook: 1 }]) {
      expect(mounterFor(other)?.framework).not.toBe('fastify')
    }
  })
})
