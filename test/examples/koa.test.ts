import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, sealRoutes } from '@countersign/koa'
import { createTestIssuer } from '@countersign/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../examples/koa/src/app.ts'

const closing: (() => void)[] = []
afterAll(() => closing.forEach((close) => close()))

let call: (
  path: string,
  options?: { method?: string; scopes?: readonly string[] },
) => Promise<{ status: number; text: string }>
beforeAll(async () => {
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], undeclared: 'fail-start', log: false })
  const app = createApp(guard)
  await sealRoutes(app)
  const listener = app.callback()
  const server = createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(
    () => server.close(),
    () => guard.close(),
  )
  const { port } = server.address() as AddressInfo // listening on a port
  call = async (path, { method = 'GET', scopes } = {}) => {
    const headers = scopes === undefined ? {} : await issuer.headersFor('checkout', { scopes })
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
    return { status: response.status, text: await response.text() }
  }
})

test('the Koa example refuses who may not call, and lets in who may', async () => {
  expect((await call('/orders/1')).status).toBe(401)
  expect((await call('/orders/1', { scopes: [] })).status).toBe(403)
  expect((await call('/orders/1', { method: 'DELETE', scopes: ['orders:read'] })).status).toBe(403)
  const allowed = await call('/orders/1', { scopes: ['orders:read'] })
  expect(JSON.parse(allowed.text)).toMatchObject({
    item: 'lamp',
    calledBy: expect.stringContaining('checkout'),
  })
  expect((await call('/orders/2', { scopes: ['orders:read'] })).status).toBe(404)
  expect((await call('/orders/1', { method: 'DELETE', scopes: ['orders:write'] })).status).toBe(204)
})

test('the Koa example answers everybody where it says so', async () => {
  expect(await call('/healthz')).toEqual({ status: 200, text: 'ok' })
  expect((await call('/robots.txt')).text).toContain('Disallow')
  expect((await call('/prices')).text).toBe('{"lamp":40}')
  expect((await call('/prices', { scopes: [] })).text).toBe('{"lamp":35}')
  expect((await call('/orders/1', { method: 'PATCH' })).status).toBe(405)
})
