// What the interceptor does with calls of every kind: who is refused, how, and that nothing of a refused call reaches its handler.
import { type GuardOptions } from '@countersign/grpc'
import { brokenTokenKinds, createTestIssuer, type TestIssuer } from '@countersign/testing'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { OrdersServer, reading } from './orders-server.ts'
import type { OrdersClient } from './served-server.ts'

let issuer: TestIssuer
let orders: OrdersServer
beforeAll(async () => {
  issuer = await createTestIssuer()
})
afterEach(() => orders[Symbol.dispose]())

/** A server of its own for each test. */
async function serve(setting: Parameters<typeof OrdersServer.start>[1] = {}): Promise<OrdersClient> {
  orders = await OrdersServer.start(issuer, setting)
  return orders.served.client()
}

const house = () =>
  ({ audience: 'orders', log: false, issuers: [issuer] as readonly [TestIssuer] }) satisfies GuardOptions

describe('a refusal', () => {
  test('says the public sentence, the id of the decision, and the challenge in trailing metadata', async () => {
    const client = await serve()
    const { details, trailers, events } = await client.get(await issuer.headersFor('checkout'))
    expect(details).toBe(`the caller lacks a required scope (decision ${events[0]?.id})`)
    expect(trailers.get('www-authenticate')).toEqual([
      'Bearer realm="countersign", error="insufficient_scope", error_description="the caller lacks a required scope", scope="orders:read"',
    ])
    // That of HTTP's answer would take the place of gRPC's own.
    expect(trailers.get('content-type')).toEqual(['application/grpc+proto'])
  })

  test.each(brokenTokenKinds)(
    'of a token that is %s is UNAUTHENTICATED, and says no more than any',
    async (kind) => {
      const client = await serve()
      const token = await issuer.broken(kind, 'checkout', { scopes: ['orders:read'] })
      const outcome = await client.get({ authorization: `Bearer ${token}` })
      expect(outcome.code).toBe(status.UNAUTHENTICATED)
      expect(outcome.details).toMatch(/^the access token was not accepted \(decision [\w-]+\)$/)
      expect(orders.reached).toEqual([])
    },
  )

  test('is UNAVAILABLE once the guard was closed', async () => {
    const client = await serve()
    orders.guard.close()
    expect(await client.get(await reading(issuer))).toMatchObject({
      code: status.UNAVAILABLE,
      refusal: 'guard_closed',
    })
  })

  test('is INTERNAL where a check fails of itself', async () => {
    const client = await serve({
      options: {
        ...house(),
        issuers: [
          {
            issuer: issuer.issuer,
            jwks: issuer.jwks ?? { keys: [] },
            represents() {
              throw new Error('broken')
            },
          },
        ] as const,
      },
    })
    expect(await client.get(await reading(issuer))).toMatchObject({
      code: status.INTERNAL,
      refusal: 'internal_error',
    })
    expect(orders.reached).toEqual([])
  })
})
