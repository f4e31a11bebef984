import { policyDocument } from '@countersign/policy'
import { createGuard, type Guard, type GuardOptions } from '@countersign/core'
import { RequireScopes, authenticated, guardGateways } from '@countersign/nest'
import { createTestClock, createTestIssuer } from '@countersign/testing'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { Module, type INestApplication, type Provider, type WebSocketAdapter } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { bearerOf, callerIdOf, guardWith } from '../conformance/house.ts'
import { Chat, ChatClient, Silent, createGatewayApp, ran, type Attempt } from './chat.ts'
import { platforms, recording, rootWith } from './nest-app.ts'
import { freePort } from './free-port.ts'

beforeEach(() => {
  ran.length = 0
})

type Connect = (path: string, headers?: Readonly<Record<string, string>>) => Promise<Attempt>

async function listening(app: INestApplication, run: (connect: Connect) => Promise<void>): Promise<void> {
  const clients: ChatClient[] = []
  try {
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    await run(async (path, headers) => {
      const attempt = await ChatClient.connect(`ws://127.0.0.1:${port}${path}`, headers)
      if (attempt.client !== undefined) clients.push(attempt.client)
      return attempt
    })
  } finally {
    for (const client of clients) client.close()
    await app.close()
  }
}

const clientOf = ({ client, status }: Attempt): ChatClient => {
  if (client === undefined) throw new Error(`refused with ${status}`)
  return client
}

describe.each(platforms)('a gateway on %s', (_platform, adapter) => {
  const serve = async (
    run: (connect: Connect, guard: Guard) => Promise<void>,
    options: Partial<GuardOptions> = {},
    providers: Provider[] = [Chat, Silent],
  ): Promise<void> => {
    const guard = guardWith(options)
    await listening(await createGatewayApp(guard, providers, adapter()), (connect) => run(connect, guard))
    guard.close()
  }

  test('refuses who may not connect as a route does, before it learns of them', async () => {
    await serve(async (connect) => {
      for (const [headers, status, code] of [
        [{}, 401, 'credential_missing'],
        [{ authorization: 'Bearer junk' }, 401, 'token_malformed'],
        [await bearerOf('checkout', 'other:use'), 403, 'scope_missing'],
      ] as const) {
        const { value, events } = await recording(() => connect('/chat', headers))
        expect(events.map((event) => [event.code, event.route])).toEqual([[code, 'WS /chat']])
        expect(value).toMatchObject({ status })
        expect(value.headers).toMatchObject({
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          'www-authenticate': expect.stringMatching(/^Bearer /),
        })
        expect(JSON.parse(value.body)).toMatchObject({ status, decision: events[0]?.id })
      }
      expect(ran).toEqual([])
    })
  })

  test('to which nobody says who may connect refuses everybody, and is listed', async () => {
    await serve(async (connect, guard) => {
      const { value, events } = await recording(async () =>
        connect('/silent', await bearerOf('checkout', 'chat:post')),
      )
      expect(value).toMatchObject({ status: 403 })
      expect(events.map(({ code }) => code)).toEqual(['route_undeclared'])
      expect(
        guard.census().map(({ method, path, requirement }) => `${method} ${path}: ${requirement}`),
      ).toEqual([
        'WS /chat: scopes(chat:use)',
        'WS /chat#who: scopes(chat:use)',
        'WS /chat#post: allOf(scopes(chat:use), scopes(chat:post))',
        'WS /chat#ping: unprotected(says nothing)',
        'WS /silent: null',
        'WS /silent#post: scopes(chat:post)',
        'WS /silent#silent: null',
      ])
    })
  })

  test('holds each message to what it declares, with the credentials of the connection', async () => {
    await serve(async (connect) => {
      const headers = { ...(await bearerOf('checkout', 'chat:use')), 'x-forwarded-client-cert': 'a' }
      const client = clientOf(await connect('/chat', headers))
      expect(ran).toEqual(['connected false'])
      expect(await client.ask('who')).toEqual({ event: 'who', data: callerIdOf('checkout') })
      expect(await client.ask('ping')).toEqual({ event: 'pong', data: '' })
      const { events } = await recording(() => client.tell('post', 'a'))
      expect(events.map(({ code, route }) => [code, route])).toEqual([
        ['scope_missing', 'WS /chat#post'],
        [null, 'WS /chat#ping'],
      ])
      expect(ran).toEqual(['connected false'])
      // It may go on with what it may do.
      expect(await client.ask('who')).toEqual({ event: 'who', data: callerIdOf('checkout') })

      const poster = clientOf(await connect('/chat', await bearerOf('poster', 'chat:use', 'chat:post')))
      expect(await poster.ask('post', 'b')).toEqual({ event: 'posted', data: 'b' })
      const answers = await Promise.all([client.ask('who'), poster.ask('who')])
      expect(answers).toEqual(
        ['checkout', 'poster'].map((name) => ({ event: 'who', data: callerIdOf(name) })),
      )
    })
  })

  test('holds undeclared messages to what the guard asks of such', async () => {
    await serve(
      async (connect) => {
        expect(await connect('/silent')).toMatchObject({ status: 401 })
        const client = clientOf(await connect('/silent', await bearerOf('checkout')))
        expect(await client.ask('silent')).toEqual({ event: 'secret', data: '' })
      },
      { undeclared: authenticated() },
    )
  })

  test('is known to policy documents by the spelling of the census', async () => {
    const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [chat:use, chat:post] }
  billing: { is: [{ issuer: https://issuer.test, clientId: billing }], grants: [chat:use] }
routes:
  - { route: "WS /silent", requires: { callers: [checkout] } }
  - { route: "WS /silent#silent", requires: { callers: [checkout] } }
  - { route: "WS /chat#who", requires: { callers: [billing] } }
`)
    await serve(
      async (connect) => {
        const headers = await bearerOf('checkout', 'chat:use')
        const silent = clientOf(await connect('/silent', headers))
        expect(await silent.ask('silent')).toEqual({ event: 'secret', data: '' })
        expect(await connect('/silent', await bearerOf('billing', 'chat:use'))).toMatchObject({ status: 403 })
        const chat = clientOf(await connect('/chat', headers))
        const { events } = await recording(() => chat.tell('who'))
        expect(events.map(({ code }) => code)).toEqual(['caller_not_allowed', null])
      },
      { policy },
    )
  })

  test('stops the start where nobody says who may connect, if the guard says so', async () => {
    const app = await createGatewayApp(guardWith({ undeclared: 'fail-start' }), [Silent], adapter())
    await expect(app.listen(0, '127.0.0.1')).rejects.toThrow(/WS \/silent.*WS \/silent#silent/)
    await app.close()
  })

  test('stops the start where its adapter asks no guard', async () => {
    for (const own of [undefined, WsAdapter]) {
      const app = await NestFactory.create(rootWith(guardWith(), { providers: [Chat] }), adapter(), {
        logger: false,
        abortOnError: false,
      })
      if (own !== undefined) app.useWebSocketAdapter(new own(app))
      await expect(app.listen(0, '127.0.0.1')).rejects.toThrow(/Chat.*guardGateways/)
      await app.close()
    }
  })

  test('has no port of its own open by then', async () => {
    const port = await freePort()
    class OwnPort {}
    RequireScopes('chat:use')(OwnPort)
    WebSocketGateway(port)(OwnPort)
    const app = await NestFactory.create(rootWith(guardWith(), { providers: [OwnPort] }), adapter(), {
      logger: false,
      abortOnError: false,
    })
    app.useWebSocketAdapter(new WsAdapter(app))
    await expect(app.init()).rejects.toThrow(/OwnPort.*guardGateways/)
    const socket = connectTcp(port, '127.0.0.1')
    const [error] = await once(socket, 'error')
    expect(error.code).toBe('ECONNREFUSED')
    await app.close()
  })
})

describe('a connection', () => {
  test('is closed when the access of its caller ends, and not because a message was refused', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
    await listening(await createGatewayApp(guard, [Chat], new ExpressAdapter()), async (connect) => {
      const headers = await idp.headersFor('checkout', {
        audience: 'orders',
        scopes: ['chat:use'],
        expiresIn: 300,
      })
      const client = clientOf(await connect('/chat', headers))
      const { events } = await recording(() => client.tell('post', 'a'))
      expect(events.map(({ code }) => code)).toEqual(['scope_missing', null])
      for (let i = 0; i < 10; i += 1) clock.advance({ seconds: 10 })
      expect(await client.ask('who')).toMatchObject({ event: 'who' })
      const { value, events: ending } = await recording(async () => {
        clock.advance({ seconds: 400 })
        return client.closed
      })
      expect(ending.map(({ code, route }) => [code, route])).toEqual([['token_expired', 'WS /chat']])
      expect(value).toEqual({ code: 1008, reason: `access has ended (decision ${ending[0]?.id})` })
    })
    guard.close()
  })

  test('whose access has ended is heard no more, whatever it sends and whoever may send it', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
    await listening(await createGatewayApp(guard, [Chat], new ExpressAdapter()), async (connect) => {
      const headers = await idp.headersFor('checkout', {
        audience: 'orders',
        scopes: ['chat:use'],
        expiresIn: 300,
      })
      const client = clientOf(await connect('/chat', headers))
      const { events } = await recording(async (seen) => {
        client.sendDeaf('ping')
        await vi.waitUntil(() => seen.length === 1)
        clock.advance({ seconds: 400 })
        await vi.waitUntil(() => seen.length === 2)
        client.sendDeaf('ping')
        await vi.waitUntil(() => seen.length === 3)
      })
      expect(events.map(({ code, route }) => [code, route])).toEqual([
        [null, 'WS /chat#ping'],
        ['token_expired', 'WS /chat'],
        ['token_expired', 'WS /chat#ping'],
      ])
    })
    guard.close()
  })

  test('whose credential ends says nothing more, also before it is closed', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const { schedule: _planned, ...unplanned } = clock
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock: unplanned })
    await listening(await createGatewayApp(guard, [Chat], new ExpressAdapter()), async (connect) => {
      const headers = await idp.headersFor('checkout', {
        audience: 'orders',
        scopes: ['chat:use'],
        expiresIn: 300,
      })
      const client = clientOf(await connect('/chat', headers))
      expect(await client.ask('who')).toMatchObject({ event: 'who' })
      clock.advance({ seconds: 4000 })
      const { events } = await recording(async (seen) => {
        await client.tell('who')
        await vi.waitUntil(() => seen.length === 2)
      })
      // One of its handlers asks nothing.
      expect(new Set(events.map(({ code }) => code))).toEqual(new Set([null, 'token_expired']))
    })
    guard.close()
  })

  test('to a port of its own is asked as well, and to a place with several gateways by all of them', async () => {
    const port = await freePort()
    @WebSocketGateway(port, { path: '/own' })
    @RequireScopes('one:use')
    class One {
      @SubscribeMessage('one')
      one(): object {
        return { event: 'one', data: '' }
      }
    }
    @WebSocketGateway(port, { path: '/own' })
    @RequireScopes('two:use')
    class Two {
      @SubscribeMessage('two')
      two(): object {
        return { event: 'two', data: '' }
      }
    }
    const guard = guardWith()
    await listening(await createGatewayApp(guard, [One, Two], new ExpressAdapter()), async () => {
      const url = `ws://127.0.0.1:${port}/own`
      for (const scopes of [['one:use'], ['two:use']]) {
        expect(await ChatClient.connect(url, await bearerOf('checkout', ...scopes))).toMatchObject({
          status: 403,
        })
      }
      const client = clientOf(await ChatClient.connect(url, await bearerOf('checkout', 'one:use', 'two:use')))
      expect(await client.ask('one')).toEqual({ event: 'one', data: '' })
      expect(await client.ask('two')).toEqual({ event: 'two', data: '' })
      client.close()
    })
    expect(guard.census().map(({ path }) => path)).toEqual(
      ['', '#one', '', '#two'].map((message) => `:${port}/own${message}`),
    )
  })

  test("is asked by the gateway's own `verifyClient`, too", async () => {
    const asked: unknown[] = []
    @WebSocketGateway({
      path: '/own',
      verifyClient: (info: { req: { url: string } }) => {
        asked.push(info.req.url)
        return info.req.url.endsWith('yes')
      },
    })
    @RequireScopes('chat:use')
    class Own {}
    await listening(await createGatewayApp(guardWith(), [Own], new ExpressAdapter()), async (connect) => {
      const headers = await bearerOf('checkout', 'chat:use')
      expect(await connect('/own?yes')).toMatchObject({ status: 401 })
      expect(asked).toEqual([])
      expect(await connect('/own?no', headers)).toMatchObject({ status: 401 })
      expect(await connect('/own?yes', headers)).toMatchObject({ status: 101 })
    })
  })

  test('is not there where an adapter makes servers that nobody knows how to ask', async () => {
    const app = await NestFactory.create(rootWith(guardWith(), { providers: [Chat] }), new ExpressAdapter(), {
      logger: false,
      abortOnError: false,
    })
    const strange: WebSocketAdapter = {
      create: () => ({}),
      bindClientConnect: () => undefined,
      bindMessageHandlers: () => undefined,
      close: () => undefined,
    }
    app.useWebSocketAdapter(guardGateways(app, strange))
    await expect(app.listen(0, '127.0.0.1')).rejects.toThrow(/guardGateways.*adapter of `ws`/)
  })

  test('cannot be guarded without the module', async () => {
    class Empty {}
    Module({})(Empty)
    const app = await NestFactory.create(Empty, new ExpressAdapter(), { logger: false, abortOnError: false })
    expect(() => guardGateways(app, new WsAdapter(app))).toThrow(/imports no CountersignModule/)
    await app.close()
  })
})
