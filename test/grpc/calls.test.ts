// What the interceptor does with calls of every kind: who is refused, how, and that nothing of a refused call reaches its handler.
import {
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  decisionOf,
  requireCaller,
  requireScopes,
  unprotected,
  type GuardOptions,
} from '@countersign/grpc'
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

const kinds = {
  unary: (client: OrdersClient, headers: Readonly<Record<string, string>>) => client.get(headers),
  'client streaming': (client: OrdersClient, headers: Readonly<Record<string, string>>) =>
    client.collect(headers, 'a', 'b'),
  'server streaming': (client: OrdersClient, headers: Readonly<Record<string, string>>) =>
    client.follow(headers),
  bidirectional: (client: OrdersClient, headers: Readonly<Record<string, string>>) =>
    client.chat(headers, 'a', 'b'),
}

describe.each(Object.entries(kinds))('a call of kind %s', (_kind, call) => {
  test('is refused without a credential, and nothing of it reaches its handler', async () => {
    const outcome = await call(await serve(), {})
    expect(outcome).toMatchObject({
      code: status.UNAUTHENTICATED,
      refusal: 'credential_missing',
      messages: [],
    })
    expect(orders.reached).toEqual([])
  })

  test('is refused without the scope', async () => {
    const outcome = await call(await serve(), await issuer.headersFor('checkout'))
    expect(outcome).toMatchObject({ code: status.PERMISSION_DENIED, refusal: 'scope_missing' })
    expect(orders.reached).toEqual([])
  })

  test('passes with it, whether its token is known or not', async () => {
    const client = await serve()
    const headers = await reading(issuer)
    expect(await call(client, headers)).toMatchObject({ code: status.OK, refusal: null })
    const once = orders.reached.length
    expect(once).toBeGreaterThan(0)
    const { code, messages } = await call(client, headers)
    expect(code).toBe(status.OK)
    expect(messages.length).toBeGreaterThan(0)
    expect(orders.reached.length).toBe(2 * once)
  })
})

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

  test.each([
    ['a scheme that is none', { authorization: 'Basic YTpi' }, 'authorization_scheme_unsupported'],
    ['no token', { authorization: 'Bearer' }, 'authorization_malformed'],
    ['an oversized token', { authorization: `Bearer ${'a'.repeat(9000)}` }, 'token_oversized'],
  ])('of %s is UNAUTHENTICATED', async (_what, headers, refusal) => {
    const client = await serve()
    expect(await client.get(headers)).toMatchObject({ code: status.UNAUTHENTICATED, refusal })
  })

  test('is UNAVAILABLE where nobody can tell', async () => {
    await using away = await createTestIssuer({ listen: true })
    away.outage(true)
    const client = await serve({ options: { ...house(), issuers: [away] as const } })
    const outcome = await client.get(await away.headersFor('checkout', { scopes: ['orders:read'] }))
    expect(outcome).toMatchObject({ code: status.UNAVAILABLE, refusal: 'issuer_unavailable' })
    expect(outcome.trailers.get('retry-after')).toEqual(['2'])
    expect(orders.reached).toEqual([])
  })

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

describe('methods', () => {
  test('that nobody declares are refused before their handler', async () => {
    const client = await serve({
      interceptors: (guard) => [countersign(guard, { '/orders.Orders/Get': requireScopes('orders:read') })],
    })
    const headers = await reading(issuer)
    expect(await client.get(headers)).toMatchObject({ code: status.OK })
    for (const call of [client.collect(headers, 'a'), client.follow(headers), client.chat(headers, 'a')]) {
      expect(await call).toMatchObject({ code: status.PERMISSION_DENIED, refusal: 'route_undeclared' })
    }
    expect(orders.reached).toEqual(['get 7'])
  })

  test('that nobody declares are held to what the guard asks of such', async () => {
    const client = await serve({
      options: { ...house(), undeclared: callerIs('https://issuer.test#client=checkout') },
      interceptors: (guard) => [countersign(guard)],
    })
    expect(await client.get(await issuer.headersFor('checkout'))).toMatchObject({ code: status.OK })
    expect(await client.get(await issuer.headersFor('reports'))).toMatchObject({
      refusal: 'caller_not_allowed',
    })
    expect(await client.get()).toMatchObject({ refusal: 'credential_missing' })
  })

  test('are named in events as POST and their path', async () => {
    const client = await serve()
    const { events } = await client.get()
    expect(events).toMatchObject([{ method: 'POST', route: 'POST /orders.Orders/Get', outcome: 'deny' }])
  })

  test('that are unprotected read no credential and have no caller', async () => {
    let asked: unknown
    const client = await serve({
      methods: { get: unprotected('a test') },
      handlers: {
        get(call, answer) {
          asked = [callerOf(call), decisionOf(call)?.outcome]
          expect(() => requireCaller(call)).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
          answer(null, { text: 'got' })
        },
      },
    })
    expect(await client.get({ authorization: 'Bearer nonsense' })).toMatchObject({ code: status.OK })
    expect(asked).toEqual([undefined, 'allow'])
  })

  test('whose caller is optional refuse a credential that does not hold', async () => {
    const client = await serve({ methods: { get: callerOptional('a test') } })
    expect(await client.get()).toMatchObject({ code: status.OK })
    expect(await client.get({ authorization: 'Bearer nonsense' })).toMatchObject({
      refusal: 'token_malformed',
    })
  })
})
