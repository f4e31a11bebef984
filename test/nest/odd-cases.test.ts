// What is rare, and has to hold all the same.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, scopes, unprotected, type Requirement } from '@countersign/core'
import { countersign } from '@countersign/express'
import {
  AllowUnprotected,
  ConfigurationError,
  RequireScopes,
  Requires,
  Unprotected,
  guardGateways,
  provenBy,
  requires,
} from '@countersign/nest'
import { createTestClock, createTestIssuer, createTestProofKey } from '@countersign/testing'
import { All, Controller, Get, Scope } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { MessagePattern } from '@nestjs/microservices'
import { ExpressAdapter } from '@nestjs/platform-express'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import express from 'express'
import { io } from 'socket.io-client'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { bearerOf, externalUrl, guardWith, issuer } from '../conformance/house.ts'
import { ChatClient, createGatewayApp } from './chat.ts'
import { createApp, platforms, recording, rootWith, serving } from './nest-app.ts'
import { Orders } from './orders.ts'

const ran: string[] = []
beforeEach(() => {
  ran.length = 0
})

const silently = { logger: false, abortOnError: false } as const

describe.each(platforms)('on %s', (_platform, adapter) => {
  test('an answer that succeeds says a new nonce, where there is one', async () => {
    @Controller('proven')
    class Proven {
      @Get()
      @Requires(provenBy('dpop'))
      find(): string {
        return 'proven'
      }
    }
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const key = await createTestProofKey({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], dpop: { externalUrl, nonces: true }, log: false },
      { clock },
    )
    await serving(await createApp(rootWith(guard, { controllers: [Proven] }), adapter()), async (call) => {
      const token = await idp.token('checkout', { audience: 'orders', boundTo: key, expiresIn: 3600 })
      const url = `${externalUrl}/proven`
      const first = await call('/proven', { headers: await key.headersFor(token, { url }) })
      expect(first).toMatchObject({ status: 401, code: 'dpop_nonce_required' })
      const nonce = String(first.headers['dpop-nonce'])
      const good = await call('/proven', { headers: await key.headersFor(token, { url, nonce }) })
      expect(good).toMatchObject({ status: 200, body: 'proven' })
      expect(good.headers['dpop-nonce']).toBeUndefined()
      clock.advance({ seconds: 310 })
      const late = await call('/proven', { headers: await key.headersFor(token, { url, nonce }) })
      expect(late).toMatchObject({ status: 200, body: 'proven' })
      expect(late.headers['dpop-nonce']).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
    })
  })

  test.each([
    [
      'is bound to its instance',
      class Bound {
        constructor() {
          Object.assign(this, { find: this.find.bind(this) })
        }
        find(): string {
          return 'never'
        }
      },
    ],
    [
      'is replaced by another one, which asks for nothing',
      class Replaced {
        constructor() {
          Object.assign(this, { find: this.open })
        }
        find(): string {
          return 'never'
        }
        open(): string {
          return 'never'
        }
      },
    ],
  ] as const)(
    'a handler that %s stops the start: nothing is declared of what Nest would call',
    async (_how, Odd) => {
      const { prototype } = Odd
      const decorate = (name: string, ...decorators: MethodDecorator[]): void => {
        const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
        if (descriptor !== undefined) for (const each of decorators) each(prototype, name, descriptor)
      }
      decorate('find', Get('find'), RequireScopes('orders:read') as MethodDecorator)
      decorate('open', Unprotected('says nothing') as MethodDecorator)
      Controller('odd')(Odd)
      const app = await createApp(rootWith(guardWith(), { controllers: [Odd] }), adapter())
      await expect(app.init()).rejects.toThrow(/find.*a method of the class/)
    },
  )

  test('and is refused where it is made for each request', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class Scoped {
      constructor() {
        Object.assign(this, { find: () => 'secret' })
      }

      @Get()
      @RequireScopes('orders:read')
      find(): string {
        return 'never'
      }
    }
    await serving(
      await createApp(rootWith(guardWith(), { controllers: [Scoped] }), adapter()),
      async (call) => {
        const answer = await call('/scoped', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer.status).toBe(500)
        expect(answer.body).not.toContain('secret')
      },
    )
  })

  test('a handler of routes and of patterns is called by the one that was used', async () => {
    @Controller()
    class Both {
      @Get('both')
      @MessagePattern('both')
      @RequireScopes('orders:read')
      both(): string {
        return 'both'
      }
    }
    const guard = guardWith()
    await serving(await createApp(rootWith(guard, { controllers: [Both] }), adapter()), async (call) => {
      const answer = await call('/both', { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer.events.map(({ route }) => route)).toEqual(['GET /both'])
      expect(guard.census().map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /both',
        'MESSAGE both',
      ])
    })
  })
})

test('what a middleware puts in the place of the method is in no event', async () => {
  @Controller()
  class Every {
    @All('every')
    @RequireScopes('orders:read')
    every(): string {
      return 'every'
    }
  }
  const app = await createApp(rootWith(guardWith(), { controllers: [Every] }), new ExpressAdapter(), {
    prepare: (each) =>
      each.use((request: IncomingMessage, _response: ServerResponse, next: () => void) => {
        request.method = String(request.headers['x-method'])
        next()
      }),
  })
  await serving(app, async (call) => {
    const answer = await call('/every', { headers: { 'x-method': 'gEt' } })
    expect(answer.events.map(({ route }) => route)).toEqual(['* /every'])
  })
})

test('behind another application with a guard of its own, no handler runs', async () => {
  const outer = express().use(countersign(guardWith()))
  const app = await createApp(rootWith(guardWith(), { controllers: [Orders] }), new ExpressAdapter())
  await app.init()
  outer.use(app.getHttpAdapter().getInstance())
  const server = createServer(outer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on one
  const headers = await bearerOf('checkout', 'orders:read')
  const response = await fetch(`http://127.0.0.1:${port}/orders/7`, { headers })
  expect(response.status).toBe(500)
  server.closeAllConnections()
  server.close()
  await app.close()
})

test('nothing is opened by a path', () => {
  const open: unknown = unprotected('a path may be spelled in many ways')
  expect(() => requires(open as Requirement)).toThrow(/@Unprotected/)
})

test('a floor that no guard stands before asks nobody: it passes on an error', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  requires(scopes('orders:read'))({ headers: {} } as IncomingMessage, {} as ServerResponse, resolve)
  expect(await promise).toBeInstanceOf(ConfigurationError)
})

describe('gateways', () => {
  abstract class Shared {
    @SubscribeMessage('who')
    who(): object {
      ran.push('who')
      return { event: 'who', data: '' }
    }

    @SubscribeMessage('ping')
    @Unprotected('says nothing')
    ping(): object {
      return { event: 'pong', data: '' }
    }
  }
  test('that share a class are each called by their own place', async () => {
    @WebSocketGateway({ path: '/one' })
    @RequireScopes('chat:use')
    class One {
      @SubscribeMessage('who')
      who(): object {
        return { event: 'who', data: '' }
      }
    }
    @WebSocketGateway({ path: '/two' })
    @RequireScopes('two:use')
    class Two extends One {}
    const app = await createGatewayApp(guardWith(), [One, Two], new ExpressAdapter())
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const { client } = await ChatClient.connect(
      `ws://127.0.0.1:${port}/two`,
      await bearerOf('checkout', 'chat:use', 'two:use'),
    )
    const { events } = await recording(async () => client?.ask('who'))
    expect(events.map(({ route, requirement }) => [route, requirement])).toEqual([
      ['WS /two#who', 'allOf(scopes(chat:use), scopes(two:use))'],
    ])
    client?.close()
    await app.close()
  })

  test('at one place ask once for each client, and no longer than it stays', async () => {
    @WebSocketGateway({ path: '/chat' })
    @RequireScopes('chat:use')
    class One {
      handleDisconnect(): void {
        ran.push('gone')
      }
    }
    @WebSocketGateway({ path: '/chat' })
    @RequireScopes('chat:use')
    class Two {}
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
    const app = await createGatewayApp(guard, [One, Two], new ExpressAdapter())
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const headers = await idp.headersFor('checkout', {
      audience: 'orders',
      scopes: ['chat:use'],
      expiresIn: 300,
    })
    const gone = (await ChatClient.connect(`ws://127.0.0.1:${port}/chat`, headers)).client
    const stays = (await ChatClient.connect(`ws://127.0.0.1:${port}/chat`, headers)).client
    gone?.close()
    await vi.waitUntil(() => ran.includes('gone'))
    const { events } = await recording(async () => {
      clock.advance({ seconds: 400 })
      await stays?.closed
    })
    expect(events.map(({ code }) => code)).toEqual(['token_expired'])
    await app.close()
    guard.close()
  })

  test('hand on to a `verifyClient` that answers later', async () => {
    @WebSocketGateway({
      path: '/own',
      verifyClient: (info: { req: IncomingMessage }, answer: (isVerified: boolean, code?: number) => void) =>
        setImmediate(() => answer(info.req.url?.endsWith('yes') === true, 418)),
    })
    @RequireScopes('chat:use')
    class Own {}
    const app = await createGatewayApp(guardWith(), [Own], new ExpressAdapter())
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const headers = await bearerOf('checkout', 'chat:use')
    const url = `ws://127.0.0.1:${port}/own`
    expect(await ChatClient.connect(`${url}?yes`)).toMatchObject({ status: 401 })
    expect(await ChatClient.connect(`${url}?no`, headers)).toMatchObject({ status: 418 })
    const { status, client } = await ChatClient.connect(`${url}?yes`, headers)
    expect(status).toBe(101)
    client?.close()
    await app.close()
  })

  test('take a proof of possession once for all namespaces and messages of a connection', async () => {
    @WebSocketGateway()
    @Requires(provenBy('dpop'))
    @AllowUnprotected()
    class Root extends Shared {}
    @WebSocketGateway({ namespace: 'other' })
    @Requires(provenBy('dpop'))
    @AllowUnprotected()
    class Other extends Shared {}
    const key = await createTestProofKey()
    const guard = guardWith()
    const app = await NestFactory.create(
      rootWith(guard, { providers: [Root, Other] }),
      new ExpressAdapter(),
      silently,
    )
    app.useWebSocketAdapter(guardGateways(app, new IoAdapter(app)))
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const token = await issuer.token('checkout', { audience: 'orders', boundTo: key })
    const extraHeaders = { ...(await key.headersFor(token, { url: `${externalUrl}/socket.io/` })) }
    const connect = (): ReturnType<typeof io> =>
      io(`http://127.0.0.1:${port}/`, {
        transports: ['websocket'],
        extraHeaders,
        reconnection: false,
        forceNew: true,
      })
    const socket = connect()
    await vi.waitUntil(() => socket.connected)
    const other = socket.io.socket('/other')
    await vi.waitUntil(() => other.connected)
    for (const each of [socket, other, socket]) {
      const pong = new Promise((resolve) => each.once('pong', resolve))
      each.emit('ping')
      await pong
    }
    for (const each of [socket, other]) each.emit('who')
    await vi.waitUntil(() => ran.length === 2)
    // Another connection is another thing.
    const { events } = await recording(
      () => new Promise((resolve) => connect().once('connect_error', resolve)),
    )
    expect(events.map(({ code }) => code)).toEqual(['dpop_proof_replayed'])
    socket.disconnect()
    await app.close()
  })
})
