import { createGuard } from '@countersign/nest'
import { createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { createApp } from '../../examples/nest/src/app.ts'
import { ChatClient } from './chat.ts'
import { serving } from './nest-app.ts'

test('the Nest example refuses who may not call, and lets in who may', async () => {
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], undeclared: 'fail-start', log: false })
  await serving(await createApp(guard), async (call, port) => {
    const as = (...scopes: string[]) => issuer.headersFor('checkout', { scopes })
    expect((await call('/healthz')).body).toBe('ok')
    expect((await call('/prices')).body).toBe('{"lamp":40}')
    expect((await call('/prices', { headers: await as() })).body).toBe('{"lamp":35}')
    expect((await call('/orders/1')).status).toBe(401)
    expect((await call('/orders/1', { headers: await as() })).status).toBe(403)
    const reader = await as('orders:read')
    expect((await call('/orders/1', { method: 'DELETE', headers: reader })).status).toBe(403)
    const found = await call('/orders/1', { headers: reader })
    expect(JSON.parse(found.body)).toMatchObject({
      item: 'lamp',
      calledBy: expect.stringContaining('checkout'),
    })
    expect((await call('/orders/2', { headers: reader })).status).toBe(404)

    expect(await ChatClient.connect(`ws://127.0.0.1:${port}/feed`)).toMatchObject({ status: 401 })
    const { client } = await ChatClient.connect(`ws://127.0.0.1:${port}/feed`, reader)
    expect(await client?.ask('follow', '1')).toMatchObject({ event: 'following' })
    client?.close()
    const writer = await as('orders:read', 'orders:write')
    const { client: publisher } = await ChatClient.connect(`ws://127.0.0.1:${port}/feed`, writer)
    expect(await publisher?.ask('publish', 'x')).toEqual({ event: 'published', data: 'x' })
    publisher?.close()
    expect((await call('/orders/1', { method: 'DELETE', headers: writer })).status).toBe(204)
  })
  guard.close()
})
