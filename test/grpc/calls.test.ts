// What the interceptor does with calls of every kind: who is refused, how, and that nothing of a refused call reaches its handler.
import {
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  decisionOf,
  protect,
  requireCaller,
  requireScopes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/grpc'
import type { Placement } from '@countersign/core'
import { brokenTokenKinds, createTestIssuer, type TestIssuer } from '@countersign/testing'
import { Metadata, Server, status, type ServerInterceptor } from '@grpc/grpc-js'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OrdersService, addOrders, notingHandlers, type OrdersHandlers } from './orders-service.ts'
import { ServedServer, type OrdersClient } from './served-server.ts'

let issuer: TestIssuer
let reached: string[]
let guard: Guard
let served: ServedServer | undefined
beforeAll(async () => {
  issuer = await createTestIssuer()
})
beforeEach(() => {
  reached = []
})
afterEach(() => {
  served?.close()
  guard.close()
})

const house = (): GuardOptions => ({ audience: 'orders', issuers: [issuer], log: false })
const reading = (): Promise<{ authorization: string }> =>
  issuer.headersFor('checkout', { scopes: ['orders:read'] })

const everywhere = {
  get: requireScopes('orders:read'),
  collect: requireScopes('orders:read'),
  follow: requireScopes('orders:read'),
  chat: requireScopes('orders:read'),
}

async function serve(
  interceptors: readonly ServerInterceptor[],
  handlers: Partial<OrdersHandlers> = {},
): Promise<OrdersClient> {
  const server = addOrders(new Server({ interceptors: [...interceptors] }), notingHandlers(reached, handlers))
  served = await ServedServer.start(server)
  return served.client()
}

async function serveOrders(
  methods: Partial<Record<keyof typeof everywhere, Placement>> = {},
  handlers: Partial<OrdersHandlers> = {},
  options: Partial<GuardOptions> = {},
): Promise<OrdersClient> {
  guard = createGuard({ ...house(), ...options } as GuardOptions)
  return serve([countersign(guard, protect(OrdersService, { ...everywhere, ...methods }))], handlers)
}

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
    const outcome = await call(await serveOrders(), {})
    expect(outcome).toMatchObject({
      code: status.UNAUTHENTICATED,
      refusal: 'credential_missing',
      messages: [],
    })
    expect(reached).toEqual([])
  })

  test('is refused without the scope', async () => {
    const outcome = await call(await serveOrders(), await issuer.headersFor('checkout'))
    expect(outcome).toMatchObject({ code: status.PERMISSION_DENIED, refusal: 'scope_missing' })
    expect(reached).toEqual([])
  })

  test('passes with it, whether its token is known or not', async () => {
    const client = await serveOrders()
    const headers = await reading()
    expect(await call(client, headers)).toMatchObject({ code: status.OK, refusal: null })
    const once = reached.length
    expect(once).toBeGreaterThan(0)
    const { code, messages } = await call(client, headers)
    expect(code).toBe(status.OK)
    expect(messages.length).toBeGreaterThan(0)
    expect(reached.length).toBe(2 * once)
  })
})

describe('a refusal', () => {
  test('says the public sentence, the id of the decision, and the challenge in trailing metadata', async () => {
    const client = await serveOrders()
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
      const client = await serveOrders()
      const token = await issuer.broken(kind, 'checkout', { scopes: ['orders:read'] })
      const outcome = await client.get({ authorization: `Bearer ${token}` })
      expect(outcome.code).toBe(status.UNAUTHENTICATED)
      expect(outcome.details).toMatch(/^the access token was not accepted \(decision [\w-]+\)$/)
      expect(reached).toEqual([])
    },
  )

  test.each([
    ['a scheme that is none', { authorization: 'Basic YTpi' }, 'authorization_scheme_unsupported'],
    ['no token', { authorization: 'Bearer' }, 'authorization_malformed'],
    ['an oversized token', { authorization: `Bearer ${'a'.repeat(9000)}` }, 'token_oversized'],
  ])('of %s is UNAUTHENTICATED', async (_what, headers, refusal) => {
    const client = await serveOrders()
    expect(await client.get(headers)).toMatchObject({ code: status.UNAUTHENTICATED, refusal })
  })

  test('is UNAVAILABLE where nobody can tell', async () => {
    await using away = await createTestIssuer({ listen: true })
    away.outage(true)
    const client = await serveOrders({}, {}, { issuers: [away] })
    const outcome = await client.get(await away.headersFor('checkout', { scopes: ['orders:read'] }))
    expect(outcome).toMatchObject({ code: status.UNAVAILABLE, refusal: 'issuer_unavailable' })
    expect(outcome.trailers.get('retry-after')).toEqual(['2'])
    expect(reached).toEqual([])
  })

  test('is UNAVAILABLE once the guard was closed', async () => {
    const client = await serveOrders()
    guard.close()
    expect(await client.get(await reading())).toMatchObject({
      code: status.UNAVAILABLE,
      refusal: 'guard_closed',
    })
  })

  test('is INTERNAL where a check fails of itself', async () => {
    const client = await serveOrders(
      {},
      {},
      {
        deciders: [
          {
            name: 'broken',
            decide() {
              throw new Error('broken')
            },
          },
        ],
      },
    )
    const { code } = await client.get(await reading())
    expect([status.INTERNAL, status.UNAVAILABLE]).toContain(code)
    expect(reached).toEqual([])
  })
})

describe('methods', () => {
  test('that nobody declares are refused before their handler', async () => {
    guard = createGuard(house())
    const client = await serve([countersign(guard, { '/orders.Orders/Get': requireScopes('orders:read') })])
    const headers = await reading()
    expect(await client.get(headers)).toMatchObject({ code: status.OK })
    for (const call of [client.collect(headers, 'a'), client.follow(headers), client.chat(headers, 'a')]) {
      expect(await call).toMatchObject({ code: status.PERMISSION_DENIED, refusal: 'route_undeclared' })
    }
    expect(reached).toEqual(['get 7'])
  })

  test('that nobody declares are held to what the guard asks of such', async () => {
    guard = createGuard({ ...house(), undeclared: callerIs('https://issuer.test#client=checkout') })
    const client = await serve([countersign(guard)])
    expect(await client.get(await issuer.headersFor('checkout'))).toMatchObject({ code: status.OK })
    expect(await client.get(await issuer.headersFor('reports'))).toMatchObject({
      refusal: 'caller_not_allowed',
    })
    expect(await client.get()).toMatchObject({ refusal: 'credential_missing' })
  })

  test('T48 are found by the path that grpc-js has found its handler by: another spelling finds none', async () => {
    const client = await serveOrders({ get: unprotected('a test') })
    for (const path of [
      'orders.Orders/Get',
      '//orders.Orders/Get',
      '/orders.Orders/get',
      '/orders.Orders/Get/',
    ]) {
      const { promise, resolve } = Promise.withResolvers<number | undefined>()
      const { get } = OrdersService
      client.client.makeUnaryRequest(
        path,
        get.requestSerialize,
        get.responseDeserialize,
        { text: '7' },
        new Metadata(),
        (error) => resolve(error?.code),
      )
      // Without a slash it is no path of HTTP/2 at all.
      expect([status.UNIMPLEMENTED, status.INTERNAL]).toContain(await promise)
    }
    expect(reached).toEqual([])
  })

  test('are named in events as POST and their path', async () => {
    const client = await serveOrders()
    const { events } = await client.get()
    expect(events).toMatchObject([{ method: 'POST', route: 'POST /orders.Orders/Get', outcome: 'deny' }])
  })

  test('that are unprotected read no credential and have no caller', async () => {
    let asked: unknown
    const client = await serveOrders(
      { get: unprotected('a test') },
      {
        get(call, answer) {
          asked = [callerOf(call), decisionOf(call)?.outcome]
          expect(() => requireCaller(call)).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
          answer(null, { text: 'got' })
        },
      },
    )
    expect(await client.get({ authorization: 'Bearer nonsense' })).toMatchObject({ code: status.OK })
    expect(asked).toEqual([undefined, 'allow'])
  })

  test('whose caller is optional refuse a credential that does not hold', async () => {
    const client = await serveOrders({ get: callerOptional('a test') })
    expect(await client.get()).toMatchObject({ code: status.OK })
    expect(await client.get({ authorization: 'Bearer nonsense' })).toMatchObject({
      refusal: 'token_malformed',
    })
  })
})
