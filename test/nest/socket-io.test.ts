import { createGuard, type GuardOptions } from '@countersign/core'
import { Caller, RequireScopes, guardGateways } from '@countersign/nest'
import { createTestClock, createTestIssuer } from '@countersign/testing'
import type { INestApplication, Provider } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets'
import { io, type Socket } from 'socket.io-client'
import { beforeEach, describe, expect, test } from 'vitest'
import { bearerOf, callerIdOf, guardWith } from '../conformance/house.ts'
import { recording, rootWith } from './nest-app.ts'

const ran: string[] = []
beforeEach(() => {
  ran.length = 0
})

@WebSocketGateway()
@RequireScopes('chat:use')
class Chat implements OnGatewayConnection {
  handleConnection(): void {
    ran.push('connected')
  }

  @SubscribeMessage('who')
  who(@Caller() caller: Caller): string {
    return caller.id
  }

  @SubscribeMessage('post')
  @RequireScopes('chat:post')
  post(): string {
    ran.push('posted')
    return 'posted'
  }
}

@WebSocketGateway({ namespace: 'admin' })
@RequireScopes('admin:use')
class Admin {
  @SubscribeMessage('who')
  who(@Caller() caller: Caller): string {
    return caller.id
  }
}

async function listening(
  guard: ReturnType<typeof guardWith>,
  providers: Provider[],
  run: (connect: (path: string, headers?: object) => Socket) => Promise<void>,
  transport = 'websocket',
): Promise<void> {
  const app: INestApplication = await NestFactory.create(
    rootWith(guard, { providers }),
    new ExpressAdapter(),
    {
      logger: false,
      abortOnError: false,
    },
  )
  app.useWebSocketAdapter(guardGateways(app, new IoAdapter(app)))
  const sockets: Socket[] = []
  try {
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    await run((path, headers = {}) => {
      const socket = io(`http://127.0.0.1:${port}${path}`, {
        transports: [transport],
        extraHeaders: headers as Record<string, string>, // of tests
        reconnection: false,
        forceNew: true,
      })
      sockets.push(socket)
      return socket
    })
  } finally {
    for (const socket of sockets) socket.disconnect()
    await app.close()
    guard.close()
  }
}

/** How an attempt to connect has ended: undefined where it was let in. */
const attempt = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.on('connect', () => resolve(undefined))
    socket.on('connect_error', (error) => resolve(Reflect.get(error, 'data') ?? error))
  })

describe.each(['websocket', 'polling'])('over %s', (transport) => {
  const serve = (run: Parameters<typeof listening>[2], options: Partial<GuardOptions> = {}): Promise<void> =>
    listening(guardWith(options), [Chat, Admin], run, transport)

  test('refuses who may not connect, before a gateway learns of them', async () => {
    await serve(async (connect) => {
      for (const [path, headers, code, route] of [
        ['/', {}, 'credential_missing', 'WS /'],
        ['/', await bearerOf('checkout', 'other:use'), 'scope_missing', 'WS /'],
        ['/admin', await bearerOf('checkout', 'chat:use'), 'scope_missing', 'WS /admin'],
      ] as const) {
        const { value, events } = await recording(() => attempt(connect(path, headers)))
        expect(events.map((event) => [event.code, event.route])).toEqual([[code, route]])
        expect(value).toMatchObject({ status: 'error', decision: events[0]?.id })
      }
      expect(ran).toEqual([])
    })
  })

  test('holds each message to what it declares', async () => {
    await serve(async (connect) => {
      const socket = connect('/', await bearerOf('checkout', 'chat:use'))
      expect(await attempt(socket)).toBeUndefined()
      expect(ran).toEqual(['connected'])
      expect(await socket.emitWithAck('who')).toBe(callerIdOf('checkout'))
      const { value, events } = await recording(async () => {
        const refused = new Promise((resolve) => socket.once('exception', resolve))
        socket.emit('post')
        return refused
      })
      expect(value).toMatchObject({ status: 'error', decision: events[0]?.id })
      expect(events.map(({ code, route }) => [code, route])).toEqual([['scope_missing', 'WS /#post']])
      expect(ran).toEqual(['connected'])
      const poster = connect('/', await bearerOf('poster', 'chat:use', 'chat:post'))
      expect(await poster.emitWithAck('post')).toBe('posted')
    })
  })
})

test('several namespaces on one connection are asked each for itself', async () => {
  await listening(guardWith(), [Chat, Admin], async (connect) => {
    const headers = await bearerOf('checkout', 'chat:use')
    const socket = connect('/', headers)
    expect(await attempt(socket)).toBeUndefined()
    const { value, events } = await recording(() => attempt(socket.io.socket('/admin')))
    expect(value).toMatchObject({ status: 'error' })
    expect(events.map(({ code }) => code)).toEqual(['scope_missing'])
    const both = connect('/', await bearerOf('both', 'chat:use', 'admin:use'))
    expect(await attempt(both)).toBeUndefined()
    const admin = both.io.socket('/admin')
    expect(await attempt(admin)).toBeUndefined()
    expect(await admin.emitWithAck('who')).toBe(callerIdOf('both'))
  })
})

test('a namespace without a gateway is refused', async () => {
  await listening(guardWith(), [Admin], async (connect) => {
    const { value, events } = await recording(async () =>
      attempt(connect('/', await bearerOf('checkout', 'admin:use'))),
    )
    expect(value).toMatchObject({ status: 'error' })
    expect(events.map(({ code }) => code)).toEqual(['route_undeclared'])
  })
})

test('a connection is closed when the access of its caller ends', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  await listening(guard, [Chat], async (connect) => {
    const headers = await idp.headersFor('checkout', {
      audience: 'orders',
      scopes: ['chat:use'],
      expiresIn: 300,
    })
    const socket = connect('/', headers)
    expect(await attempt(socket)).toBeUndefined()
    const closed = new Promise((resolve) => socket.once('disconnect', resolve))
    clock.advance({ seconds: 4000 })
    await closed
    expect(socket.connected).toBe(false)
  })
})
