// Beside other interceptors: what stands before the guard, what stands behind it, and what is set up wrongly.
import {
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  protect,
  unprotected,
  type Guard,
} from '@countersign/grpc'
import { createTestClock, createTestIssuer, createTestProofKey, type TestIssuer } from '@countersign/testing'
import { Metadata, Server, ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { OrdersServer, everywhere, reading } from './orders-server.ts'
import { OrdersService, type Message } from './orders-service.ts'
import { sendRawCall } from './raw-call.ts'
import { readAll, type Outcome } from './served-server.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

const orders = protect(OrdersService, everywhere)

describe('an interceptor before the guard', () => {
  // It looks at the first message, which then comes with the metadata.
  const reading1st: ServerInterceptor = (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            call.startRead()
            pass(metadata)
          },
        }),
    })

  test('may read ahead: its messages wait for the decision', async () => {
    await using away = await createTestIssuer({ listen: true })
    using server = await OrdersServer.start(away, {
      interceptors: (guard) => [reading1st, countersign(guard, orders)],
    })
    const client = server.served.client()
    expect(await client.chat(await reading(away), 'a', 'b')).toMatchObject({
      code: status.OK,
      messages: ['re: a', 're: b'],
    })
    expect(await client.collect(await reading(away))).toMatchObject({ code: status.OK })
    await away.rotate()
    // Its handler reads at once, and what that finds comes behind what waits.
    expect(await client.get(await reading(away))).toMatchObject({ code: status.OK })
    expect(server.reached).toEqual(['chat', 'chat a', 'chat b', 'collect', 'get 7'])
  })

  test('may read ahead: of a refused call nothing comes through', async () => {
    await using away = await createTestIssuer({ listen: true })
    using server = await OrdersServer.start(away, {
      interceptors: (guard) => [reading1st, countersign(guard, orders)],
    })
    const client = server.served.client()
    expect(await client.chat(await away.headersFor('checkout'), 'a', 'b')).toMatchObject({
      code: status.PERMISSION_DENIED,
    })
    expect(await client.collect({}, 'a')).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(server.reached).toEqual([])
  })
})

describe('an interceptor behind the guard', () => {
  test('that answers before anything was decided is replaced by a refusal', async () => {
    const eager: ServerInterceptor = (_method, call) => {
      const intercepting = new ServerInterceptingCall(call)
      queueMicrotask(() => {
        call.sendMessage({ text: 'a secret' }, () => undefined)
        call.sendStatus({ code: status.OK, details: '' })
      })
      return intercepting
    }
    // It answers while the guard waits for the keys of the issuer.
    await using away = await createTestIssuer({ listen: true })
    using server = await OrdersServer.start(away, {
      interceptors: (guard) => [countersign(guard, orders), eager],
    })
    expect(await server.served.client().get(await reading(away))).toMatchObject({
      code: status.PERMISSION_DENIED,
      messages: [],
      events: [{ code: 'route_undeclared' }],
    })
    expect(server.reached).toEqual([])
  })

  test('that answers when it is started, before there are metadata, is replaced likewise', async () => {
    const eager: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          call.sendMetadata(new Metadata())
          call.sendStatus({ code: status.OK, details: 'done' })
          next()
        },
      })
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), eager],
    })
    expect(await server.served.client().get(await reading(issuer))).toMatchObject({
      code: status.PERMISSION_DENIED,
      refusal: 'route_undeclared',
    })
    expect(server.reached).toEqual([])
  })

  test('that ends the call as if all were well, before anything was decided, is replaced likewise', async () => {
    const eager: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          call.sendStatus({ code: status.OK, details: 'done' })
          next()
        },
      })
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), eager],
    })
    expect(await server.served.client().get(await reading(issuer))).toMatchObject({
      code: status.PERMISSION_DENIED,
      refusal: 'route_undeclared',
    })
  })

  test('that answers early is only recorded where the guard observes', async () => {
    const eager: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start() {
          call.sendMessage({ text: 'early' }, () => call.sendStatus({ code: status.OK, details: '' }))
        },
      })
    using server = await OrdersServer.start(issuer, {
      options: {
        audience: 'orders',
        issuers: [issuer],
        log: false,
        mode: { observe: { until: '2999-01-01' } },
      },
      interceptors: (guard) => [countersign(guard, orders), eager],
    })
    expect(await server.served.client().get()).toMatchObject({
      code: status.OK,
      messages: ['early'],
      refusal: 'route_undeclared',
    })
  })

  test('may go on sending after the end of its access: nothing of it is sent', async () => {
    const clock = createTestClock()
    const timed = await createTestIssuer({ clock })
    const calls: Parameters<ServerInterceptor>[1][] = []
    const keeping: ServerInterceptor = (_method, call) => {
      calls.push(call)
      return new ServerInterceptingCall(call)
    }
    const told = Promise.withResolvers<void>()
    using server = await OrdersServer.start(timed, {
      options: { audience: 'orders', issuers: [timed], log: false },
      environment: { clock },
      interceptors: (guard) => [countersign(guard, orders), keeping],
      handlers: {
        follow(call) {
          call.on('error', () => undefined)
          call.on('cancelled', told.resolve)
          // More than any window, and nobody reads: so the stream stays open for as long as that lasts.
          for (let i = 0; i < 40; i += 1) call.write({ text: 'a'.repeat(16_384) })
        },
      },
    })
    const headers = await timed.headersFor('checkout', { scopes: ['orders:read'] })
    using reader = server.served.openUnread(OrdersService.follow.path, headers)
    await reader.answered
    server.guard.close()
    clock.advance({ seconds: 5 })
    await told.promise
    let sent = 0
    for (const [call] of [calls, calls, calls]) call?.sendMessage({ text: 'late' }, () => (sent += 1))
    // It reads on, and is told all the same why the call has ended.
    expect(await reader.readStatus()).toBe(status.UNAVAILABLE)
    expect(sent).toBe(0)
  })

  test('may end the call by an error of its own', async () => {
    const failing: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: 'too many calls' })
          next()
        },
      })
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), failing],
    })
    expect(await server.served.client().get(await reading(issuer))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'too many calls',
    })
    expect(server.reached).toEqual([])
  })

  test('that reads early gets messages once the call is allowed', async () => {
    await using away = await createTestIssuer({ listen: true })
    const early: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          next()
          call.startRead()
        },
      })
    using server = await OrdersServer.start(away, {
      interceptors: (guard) => [countersign(guard, orders), early],
    })
    expect(await server.served.client().chat(await reading(away), 'a', 'b')).toMatchObject({
      code: status.OK,
      messages: ['re: a', 're: b'],
    })
    expect(await server.served.client().chat({}, 'a')).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(server.reached).toEqual(['chat', 'chat a', 'chat b'])
  })

  test('that asks for the first message before it lets its handler have metadata, gets it', async () => {
    const early: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          let passMetadata = (): void => undefined
          next({
            onReceiveMetadata(metadata, pass) {
              passMetadata = () => pass(metadata)
            },
            onReceiveMessage(message, pass) {
              pass(message)
              passMetadata()
              passMetadata = () => undefined
            },
          })
          call.startRead()
        },
      })
    await using away = await createTestIssuer({ listen: true })
    using server = await OrdersServer.start(away, {
      interceptors: (guard) => [countersign(guard, orders), early],
    })
    expect(await server.served.client().chat(await reading(away), 'a', 'b')).toMatchObject({
      code: status.OK,
      messages: ['re: a', 're: b'],
    })
  })

  test('after the end of its access gets no message any more', async () => {
    const clock = createTestClock()
    const timed = await createTestIssuer({ clock })
    const seen: string[] = []
    const looking: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMessage(message: Message, pass) {
              seen.push(message.text)
              pass(message)
            },
            onReceiveHalfClose(pass) {
              seen.push('half-closed')
              pass()
            },
          }),
      })
    using server = await OrdersServer.start(timed, {
      interceptors: (guard) => [countersign(guard, orders), looking],
      options: { audience: 'orders', issuers: [timed], log: false },
      environment: { clock },
      // As many messages behind each other as are sent, so that one more is always asked for.
      handlers: { collect: (call) => void call.resume() },
    })
    const ended = Promise.withResolvers<number | undefined>()
    const headers = await timed.headersFor('checkout', { scopes: ['orders:read'], expiresIn: 60 })
    const sending = server.served.client().openCollect(headers, (error) => ended.resolve(error?.code))
    sending.write({ text: 'a' })
    await vi.waitFor(() => expect(seen).toEqual(['a']))
    server.guard.close()
    clock.advance({ seconds: 5 })
    sending.write({ text: 'b' })
    sending.end()
    expect(await ended.promise).toBe(status.UNAVAILABLE)
    expect(seen).toEqual(['a'])
  })

  test('knows the caller by the metadata', async () => {
    const seen: unknown[] = []
    const looking: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata(metadata, pass) {
              seen.push(callerOf(metadata)?.service?.id ?? callerOf({ metadata })?.id)
              pass(metadata)
            },
          }),
      })
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), looking],
    })
    await server.served.client().get(await reading(issuer))
    expect(seen).toEqual(['https://issuer.test#client=checkout'])
  })

  test('that hands on other metadata hides the caller: nobody is taken for another', async () => {
    const cloning: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start: (next) => next({ onReceiveMetadata: (metadata, pass) => pass(metadata.clone()) }),
      })
    const seen: unknown[] = []
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), cloning],
      handlers: {
        get(call, answer) {
          seen.push(callerOf(call))
          answer(null, { text: 'got' })
        },
      },
    })
    await server.served.client().get(await reading(issuer))
    expect(seen).toEqual([undefined])
  })
})

describe('credentials', () => {
  test('more than one of a kind are refused where metadata show them', async () => {
    const { authorization } = await reading(issuer)
    const doubling: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata(metadata, pass) {
              metadata.add('authorization', authorization)
              pass(metadata)
            },
          }),
      })
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [doubling, countersign(guard, orders)],
    })
    expect(await server.served.client().get({ authorization })).toMatchObject({
      code: status.UNAUTHENTICATED,
      refusal: 'credential_duplicated',
    })
    expect(server.reached).toEqual([])
  })

  test('of several Authorization fields Node shows the first alone: it is the one for guard and handler alike', async () => {
    const seen = Promise.withResolvers<unknown>()
    using server = await OrdersServer.start(issuer, {
      methods: { get: callerOptional('the test looks') },
      handlers: {
        get(call, answer) {
          seen.resolve([callerOf(call)?.id, call.metadata.get('authorization').length])
          answer(null, { text: 'got' })
        },
      },
    })
    const tokens = await Promise.all(['checkout', 'reports'].map((name) => issuer.token(name)))
    const socket = sendRawCall(
      server.served.port,
      [
        [':method', 'POST'],
        [':path', OrdersService.get.path],
        [':scheme', 'http'],
        [':authority', 'localhost'],
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
        ...tokens.map((token) => ['authorization', `Bearer ${token}`] as const),
      ],
      Buffer.from('{"text":"7"}'),
    )
    expect(await seen.promise).toEqual(['https://issuer.test#client=checkout', 1])
    socket.destroy()
  })

  test('are answered with a nonce in trailing metadata, refused and allowed', async () => {
    const clock = createTestClock()
    const timed = await createTestIssuer({ clock })
    using server = await OrdersServer.start(timed, {
      options: {
        audience: 'orders',
        issuers: [timed],
        log: false,
        dpop: {
          externalUrl: 'https://orders.example',
          nonces: { secret: 'a'.repeat(32), lifetimeSeconds: 100 },
        },
      },
      environment: { clock },
    })
    const client = server.served.client()
    const key = await createTestProofKey()
    const token = await timed.token('checkout', { scopes: ['orders:read'], boundTo: key })
    const ask = async (nonce?: string): Promise<Outcome> => {
      const request = {
        method: 'POST',
        url: 'https://orders.example/orders.Orders/Get',
        now: new Date(clock.now()),
      }
      return client.get(await key.headersFor(token, nonce === undefined ? request : { ...request, nonce }))
    }
    const refused = await ask()
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, refusal: 'dpop_nonce_required' })
    const nonce = String(refused.trailers.get('dpop-nonce')[0])
    const allowed = await ask(nonce)
    expect(allowed).toMatchObject({ code: status.OK })
    expect(allowed.trailers.get('dpop-nonce')).toEqual([])
    clock.advance({ seconds: 100 })
    const later = await ask(nonce)
    expect(later).toMatchObject({ code: status.OK })
    expect(later.trailers.get('dpop-nonce')).toEqual([expect.not.stringMatching(nonce)])
  })
})

describe('two guards', () => {
  test('the same one twice is as if it were there once', async () => {
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, orders), countersign(guard)],
    })
    const client = server.served.client()
    expect(await client.get(await reading(issuer))).toMatchObject({ code: status.OK, events: [{}] })
    expect(await client.get()).toMatchObject({ code: status.UNAUTHENTICATED })
  })

  test.each([
    [
      'another one',
      (guard: Guard) => [countersign(guard, orders), countersign({ ...house(), log: telling })],
    ],
    [
      'one that declares the same again',
      (guard: Guard) => [countersign(guard, orders), countersign(guard, orders)],
    ],
  ])('%s refuses every call that the first lets by', async (_what, interceptors) => {
    told.length = 0
    using server = await OrdersServer.start(issuer, {
      options: { ...house(), log: telling },
      interceptors,
    })
    const outcome = await server.served.client().get(await reading(issuer))
    expect(outcome).toMatchObject({ code: status.INTERNAL, details: 'this route is set up wrongly' })
    expect(server.reached).toEqual([])
    expect(told).toEqual([
      expect.stringContaining('POST /orders.Orders/Get: two `countersign(…)` stand before one method'),
    ])
  })

  const told: string[] = []
  const telling = { warn: (line: string) => void told.push(line) }
  const house = () => ({ audience: 'orders', issuers: [issuer] as [TestIssuer] })
})

test('errors of a handler stay its own', async () => {
  using server = await OrdersServer.start(issuer, {
    methods: { follow: unprotected('a test') },
    handlers: {
      get(_call, answer) {
        answer({ code: status.NOT_FOUND, details: 'no such order' })
      },
      follow() {
        throw new Error('broken')
      },
    },
  })
  const client = server.served.client()
  expect(await client.get(await reading(issuer))).toMatchObject({
    code: status.NOT_FOUND,
    details: 'no such order',
  })
  expect(await client.follow({})).toMatchObject({ code: status.UNKNOWN })
})

test('no guard stands before a server without the interceptor', async () => {
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  using server = await OrdersServer.start(issuer, { interceptors: () => [] })
  const call = server.served.client().openFollow({})
  expect(await readAll(call)).toMatchObject({ code: status.OK })
  expect(() => new Server({ interceptors: [countersign(guard, orders)] })).not.toThrow()
  guard.close()
})
