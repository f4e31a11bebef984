// Calls that take their time: while a decision is under way, and while a stream is open.
import { callerOf, decisionOf, requireCaller } from '@countersign/grpc'
import type { GuardOptions } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { createTestClock, createTestIssuer, type TestClock, type TestIssuer } from '@countersign/testing'
import { status } from '@grpc/grpc-js'
import { connect } from 'node:http2'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { OrdersServer, reading } from './orders-server.ts'
import type { Collecting, Following } from './orders-service.ts'
import { readAll } from './served-server.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

/** Lets everything that is due run. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn()
}

async function passing(clock: TestClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    clock.advance({ seconds: 1 })
    await turns(3)
  }
}

/** Lets time pass until something has happened: signatures are checked outside this thread. */
async function until(clock: TestClock, hasHappened: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await passing(clock, 5)
      expect(hasHappened()).toBe(true)
    },
    { timeout: 10_000, interval: 5 },
  )
}

const document = (granted: string, routes = ''): string => `version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [${granted}] }
${routes}`

describe('while a decision is under way', () => {
  /** A server whose decisions wait for a context provider, which answers when it is told to. */
  async function startWaiting(): Promise<{ orders: OrdersServer; asked: Promise<void>; answer: () => void }> {
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<object>()
    const needing = "requires: { when: 'has(context.gate.open)' }"
    const orders = await OrdersServer.start(issuer, {
      options: {
        audience: 'orders',
        issuers: [issuer],
        log: false,
        policy: policyDocument(
          document(
            'orders:read',
            `routes: [{ route: POST /orders.Orders/Get, ${needing} }, { route: POST /orders.Orders/Chat, ${needing} }]`,
          ),
        ),
        context: {
          gate() {
            asked.resolve()
            return answered.promise
          },
        },
      },
      // It stands still: nobody is kept waiting too long.
      environment: { clock: createTestClock(new Date()) },
    })
    return { orders, asked: asked.promise, answer: () => answered.resolve({ open: true }) }
  }

  test('nothing of the call reaches its handler, and all of it once it is allowed', async () => {
    const { orders, asked, answer } = await startWaiting()
    using _ = orders
    const call = orders.served.client().openChat(await reading(issuer))
    const outcome = readAll(call)
    for (const text of ['a', 'b', 'c']) call.write({ text })
    call.end()
    await asked
    await turns()
    expect(orders.reached).toEqual([])
    answer()
    expect(await outcome).toMatchObject({ code: status.OK, messages: ['re: a', 're: b', 're: c'] })
    expect(orders.reached).toEqual(['chat', 'chat a', 'chat b', 'chat c'])
  })

  test('the client may cancel: the handler is not called any more', async () => {
    const { orders, asked, answer } = await startWaiting()
    using _ = orders
    const client = orders.served.client()
    const call = client.openChat(await reading(issuer))
    const outcome = readAll(call)
    call.write({ text: 'a' })
    await asked
    call.cancel()
    expect(await outcome).toMatchObject({ code: status.CANCELLED })
    // On the same connection, its answer comes behind the news of the other's end.
    await client.get()
    await turns()
    answer()
    await turns()
    expect(orders.reached).toEqual([])
  })

  test('its deadline may pass: the handler is not called any more', async () => {
    const { orders, asked, answer } = await startWaiting()
    using _ = orders
    // A deadline is grpc-js' own, by the real clock.
    const outcome = orders.served.client().get(await reading(issuer), '7', new Date(Date.now() + 200))
    await asked
    expect(await outcome).toMatchObject({ code: status.DEADLINE_EXCEEDED })
    await orders.served.client().get()
    await turns()
    answer()
    await turns()
    expect(orders.reached).toEqual([])
  })

  test('a client that sends without end is held back by flow control', async () => {
    const { orders, asked } = await startWaiting()
    using _ = orders
    const session = connect(`http://127.0.0.1:${orders.served.port}`)
    const { authorization } = await reading(issuer)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/orders.Orders/Chat',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization,
    })
    stream.on('error', () => undefined)
    let written = 0
    const flood = (): void => {
      while (written < 4_000_000 && stream.write(Buffer.alloc(16_384))) written += 16_384
    }
    stream.on('drain', flood)
    flood()
    await asked
    await turns(200)
    // One window of HTTP/2 (RFC 9113 §6.9.2) and what both ends buffer.
    expect(written).toBeLessThan(500_000)
    session.destroy()
  })
})

describe('an open stream', () => {
  interface Timed {
    readonly orders: OrdersServer
    readonly clock: TestClock
    readonly headers: { readonly authorization: string }
  }

  /** A server by a clock of the test's, and the header of a token that lasts for a minute. */
  async function startTimed(
    setting: Pick<Parameters<typeof OrdersServer.start>[1] & object, 'handlers'>,
    options: Partial<Pick<GuardOptions, 'policy'>> = {},
    expiresIn = 60,
  ): Promise<Timed> {
    const clock = createTestClock()
    const timed = await createTestIssuer({ clock })
    const orders = await OrdersServer.start(timed, {
      ...setting,
      options: { audience: 'orders', issuers: [timed], log: false, ...options },
      environment: { clock },
    })
    await orders.guard.ready()
    return {
      orders,
      clock,
      headers: await timed.headersFor('checkout', { scopes: ['orders:read'], expiresIn }),
    }
  }

  test('of a server ends when the token has ended: the handler is told, and what it still says is not sent', async () => {
    const opened = Promise.withResolvers<Following>()
    const { orders, clock, headers } = await startTimed({
      handlers: {
        follow(call) {
          call.on('error', () => undefined)
          call.write({ text: 'one' }, () => opened.resolve(call))
        },
      },
    })
    using _ = orders
    const outcome = readAll(orders.served.client().openFollow(headers))
    const call = await opened.promise
    await passing(clock, 59)
    expect(call.cancelled).toBe(false)
    expect(requireCaller(call).id).toBe('https://issuer.test#client=checkout')
    await until(clock, () => call.cancelled)
    call.write({ text: 'after the end' })
    call.end()
    const { code, messages, details, refusal } = await outcome
    expect({ code, messages, refusal }).toEqual({
      code: status.UNAUTHENTICATED,
      messages: ['one'],
      refusal: 'token_expired',
    })
    expect(details).toMatch(/^the access token was not accepted \(decision /)
    expect(callerOf(call)).toBeUndefined()
    expect(decisionOf(call)?.outcome).toBe('deny')
    expect(() => requireCaller(call)).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
  })

  test('of a client ends likewise, and is never answered', async () => {
    const opened = Promise.withResolvers<Collecting>()
    const { orders, clock, headers } = await startTimed({
      handlers: {
        collect(call, answer) {
          opened.resolve(call)
          call.on('cancelled', () => answer(null, { text: 'collected all the same' }))
          call.on('data', () => undefined)
        },
      },
    })
    using _ = orders
    const ended = Promise.withResolvers<number | undefined>()
    const client = orders.served.client()
    const sending = client.openCollect(headers, (error) => ended.resolve(error?.code))
    sending.write({ text: 'a' })
    const call = await opened.promise
    await until(clock, () => call.cancelled)
    expect(await ended.promise).toBe(status.UNAUTHENTICATED)
  })

  test('whose client reads nothing more is cut off for its handler all the same', async () => {
    const opened = Promise.withResolvers<Following>()
    const { orders, clock, headers } = await startTimed({
      handlers: {
        follow(call) {
          call.on('error', () => undefined)
          opened.resolve(call)
          // More than any window: it stays in the way of whatever ends the call.
          for (let i = 0; i < 40; i += 1) call.write({ text: 'a'.repeat(16_384) })
        },
      },
    })
    using _ = orders
    using _reader = orders.served.openUnread('/orders.Orders/Follow', headers)
    const call = await opened.promise
    await until(clock, () => call.cancelled)
  })
})
