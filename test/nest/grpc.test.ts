import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:tls'
import { CountersignModule, type Guard } from '@countersign/nest'
import { createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import { ServerCredentials, credentials } from '@grpc/grpc-js'
import { Module, type INestApplication, type INestMicroservice, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { policyDocument } from '@countersign/policy'
import { createGuard } from '@countersign/core'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { bearerOf, callerIdOf, guardWith, issuer } from '../conformance/house.ts'
import { recording } from './nest-app.ts'
import { freePort } from './free-port.ts'
import { Orders, ShopClient, endOf, grpcOptions, listed, ran } from './shop.ts'

const status = { ok: 0, permissionDenied: 7, internal: 13, unavailable: 14, unauthenticated: 16 } as const

const rootOf = (guard: Guard): Type<unknown> => {
  class Root {}
  Module({ imports: [CountersignModule.forRoot(guard)], controllers: [Orders] })(Root)
  return Root
}

const silently = { logger: false, abortOnError: false } as const
type App = INestApplication | INestMicroservice
/** The ways in which an application comes to serve gRPC. */
const ways: readonly (readonly [name: string, start: (guard: Guard, port: number) => Promise<App>])[] = [
  [
    'a microservice',
    async (guard, port) => {
      const app = await NestFactory.createMicroservice(rootOf(guard), { ...grpcOptions(port), ...silently })
      await app.listen()
      return app
    },
  ],
  ...[true, false].map(
    (inheritAppConfig) =>
      [
        `a hybrid application ${inheritAppConfig ? 'with' : 'without'} inheritAppConfig`,
        async (guard: Guard, port: number): Promise<App> => {
          const app = await NestFactory.create(rootOf(guard), new ExpressAdapter(), silently)
          app.connectMicroservice(grpcOptions(port), { inheritAppConfig })
          await app.startAllMicroservices()
          await app.init()
          return app
        },
      ] as const,
  ),
]

async function served(
  [, start]: (typeof ways)[number],
  guard: Guard,
  run: (client: ShopClient, app: App) => Promise<void>,
): Promise<void> {
  const port = await freePort()
  const app = await start(guard, port)
  const client = new ShopClient(port)
  try {
    await run(client, app)
  } finally {
    client.close()
    await app.close()
    guard.close()
  }
}

const [microservice] = ways
if (microservice === undefined) throw new Error('there are ways')

beforeEach(() => {
  ran.length = 0
})

describe.each(ways)('%s', (...way) => {
  test('refuses with the code of gRPC, the public sentence and the challenge, before the handler', async () => {
    await served(way, guardWith(), async (client) => {
      for (const [headers, code, refusal] of [
        [{}, status.unauthenticated, 'credential_missing'],
        [{ authorization: 'Bearer junk' }, status.unauthenticated, 'token_malformed'],
        [await bearerOf('checkout', 'orders:list'), status.permissionDenied, 'scope_missing'],
      ] as const) {
        const { value, events } = await recording(() => client.unary('find', headers))
        expect(events.map((event) => event.code)).toEqual([refusal])
        expect(value).toMatchObject({ code, details: expect.stringContaining(`(decision ${events[0]?.id})`) })
        expect(value.trailers.get('www-authenticate')[0]).toMatch(/^Bearer /)
        expect(events[0]?.route).toBe('GRPC /Orders/Find')
      }
      expect(ran).toEqual([])
    })
  })

  test('refuses what nobody declares, and lists it', async () => {
    const guard = guardWith()
    await served(way, guard, async (client) => {
      const { value, events } = await recording(async () =>
        client.unary('silent', await bearerOf('checkout', 'orders:read')),
      )
      expect(value).toMatchObject({ code: status.permissionDenied })
      expect(events.map(({ code }) => code)).toEqual(['route_undeclared'])
      expect(ran).toEqual([])
      const lines = guard.census().map(({ method, path, requirement }) => `${method} ${path}: ${requirement}`)
      expect(lines).toEqual([
        'GRPC /Orders/Find: scopes(orders:read)',
        'GRPC /Orders/Silent: null',
        'GRPC /Orders/Open: unprotected(says nothing)',
        'GRPC /Orders/List: scopes(orders:read)',
        'GRPC /Orders/Sum: scopes(orders:write)',
        'GRPC /Orders/Chat: scopes(orders:write)',
        'GRPC /Orders/Total: scopes(orders:write)',
        'GRPC /Orders/Raw: scopes(orders:write)',
      ])
    })
  })

  test('runs for who may call, knows the caller, and shows no header that could pass for an identity', async () => {
    await served(way, guardWith(), async (client) => {
      const headers = {
        ...(await bearerOf('checkout', 'orders:read')),
        'x-forwarded-client-cert': 'a',
        'x-own': 'b',
      }
      for (let i = 0; i < 2; i += 1) {
        const { value, events } = await recording(() => client.unary('find', headers))
        expect(value).toMatchObject({ code: status.ok })
        expect(value.messages[0]).toEqual({
          id: '7 authorization,user-agent,x-own',
          caller: callerIdOf('checkout'),
        })
        expect(events.map(({ code }) => code)).toEqual([null])
      }
      expect(await client.unary('open')).toMatchObject({ messages: [{ id: '7', caller: 'nobody' }] })
    })
  })

  test('decides streams before their handlers', async () => {
    await served(way, guardWith(), async (client) => {
      expect(await endOf(client.list({}))).toMatchObject({ code: status.unauthenticated, messages: [] })
      for (const method of ['chat', 'raw'] as const) {
        const refused = client.duplex(method, await bearerOf('checkout', 'orders:read'))
        refused.write({ id: 'a' })
        refused.end()
        expect(await endOf(refused)).toMatchObject({ code: status.permissionDenied, messages: [] })
      }
      for (const method of ['sum', 'total'] as const) {
        const none = client.sum({}, method)
        none.call.write({ id: 'a' })
        none.call.end()
        expect(await none.ended).toMatchObject({ code: status.unauthenticated })
      }
      expect(ran).toEqual([])

      const headers = await bearerOf('checkout', 'orders:write')
      // Nest 11 loses the end of a stream that comes while a guard waits: so the credential is known by then.
      await client.unary('find', headers)
      const { call, ended } = client.sum(headers)
      for (const id of ['a', 'b']) call.write({ id })
      call.end()
      expect(await ended).toMatchObject({ messages: [{ id: 'a,b', caller: callerIdOf('checkout') }] })
      for (const method of ['chat', 'raw'] as const) {
        const chat = client.duplex(method, headers)
        chat.write({ id: 'x' })
        chat.end()
        expect((await endOf(chat)).messages.map(({ id }) => id[0])).toEqual(['x'])
      }
    })
  })
})

test('a policy document speaks of methods by the spelling of the census', async () => {
  const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GRPC /Orders/Silent, requires: { callers: [checkout] } }
`)
  await served(microservice, guardWith({ policy }), async (client) => {
    expect(await client.unary('silent', await bearerOf('checkout'))).toMatchObject({ code: status.ok })
    expect(await client.unary('silent')).toMatchObject({ code: status.unauthenticated })
  })
})

test('what nobody declares stops the start where the guard says so', async () => {
  const app = await NestFactory.createMicroservice(rootOf(guardWith({ undeclared: 'fail-start' })), {
    ...grpcOptions(await freePort()),
    ...silently,
  })
  await expect(app.listen()).rejects.toThrow(/GRPC \/Orders\/Silent/)
})

test('a stream is ended when the access of its caller is', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  await served(microservice, guard, async (client) => {
    const scopes = ['orders:read', 'orders:write']
    const headers = await idp.headersFor('checkout', { audience: 'orders', scopes, expiresIn: 300 })
    const stream = client.list(headers)
    const ended = endOf(stream)
    const chat = client.duplex('raw', headers)
    const chatEnded = endOf(chat)
    chat.write({ id: 'x' })
    await once(chat, 'data')
    await vi.waitUntil(() => ran.includes('list'))
    listed.next({ id: 'first', caller: '' })
    await once(stream, 'data')
    const sums = (['sum', 'total'] as const).map((name) => client.sum(headers, name))
    for (const { call } of sums) call.write({ id: 'x' })
    await vi.waitUntil(() => ran.includes('sum') && ran.includes('total'))
    clock.advance({ seconds: 3600 })
    for (const { ended: over } of sums) expect(await over).toMatchObject({ code: status.unauthenticated })
    expect(await ended).toMatchObject({ code: status.unauthenticated, messages: [{ id: 'first' }] })
    expect(await chatEnded).toMatchObject({ code: status.unauthenticated })
  })
})

test('a stream that has ended is asked about no more', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  await served(microservice, guard, async (client) => {
    const scopes = ['orders:read', 'orders:write']
    const headers = await idp.headersFor('checkout', { audience: 'orders', scopes, expiresIn: 300 })
    await client.unary('find', headers)
    for (const method of ['chat', 'raw'] as const) {
      const chat = client.duplex(method, headers)
      chat.end()
      await endOf(chat)
    }
    const sum = client.sum(headers)
    sum.call.end()
    await sum.ended
    const cancelled = client.list(headers)
    await vi.waitUntil(() => ran.includes('list'))
    cancelled.cancel()
    await endOf(cancelled)
    // Until the server knows, too.
    await vi.waitUntil(() => !listed.observed)
    const { events } = await recording(async () => {
      clock.advance({ seconds: 4000 })
      await new Promise(setImmediate)
    })
    expect(events).toEqual([])
  })
})

test('a client certificate is read from the connection, and remembered with it', async () => {
  const clients = await createTestCa()
  const intermediate = await clients.intermediate()
  const guard = guardWith({
    certificates: { trustDomains: { 'test.example': clients.bundle }, intermediates: intermediate.chain },
  })
  const checkout = await intermediate.svid('/checkout')
  const ca = await createTestCa({ name: 'CA of the services' })
  const { cert, key } = await ca.serverCertificate(['localhost'])
  const port = await freePort()
  const secured = ServerCredentials.createSsl(
    Buffer.from(guard.clientAuthorities.join('\n')),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    true,
  )
  const app = await NestFactory.createMicroservice(rootOf(guard), {
    ...grpcOptions(port, secured),
    ...silently,
  })
  await app.listen()
  const client = new ShopClient(
    port,
    credentials.createSsl(Buffer.from(ca.bundle), Buffer.from(checkout.key), Buffer.from(checkout.cert)),
  )
  const { value, events } = await recording(() => client.unary('find'))
  expect(events.map(({ code }) => code)).toEqual(['scope_missing'])
  expect(value).toMatchObject({ code: status.permissionDenied })
  // All calls of a client are made on one connection.
  const { events: again } = await recording(() => client.unary('find'))
  expect([...events, ...again].map(({ verification }) => verification)).toEqual(['fresh', 'connection'])
  const both = await client.unary(
    'find',
    await issuer.headersFor('checkout', {
      audience: 'orders',
      scopes: ['orders:read'],
      claims: { spiffe_id: 'spiffe://test.example/checkout' },
    }),
  )
  expect(both).toMatchObject({ code: status.ok, messages: [{ caller: 'spiffe://test.example/checkout' }] })
  client.close()
  await app.close()
})

test('T42 a connection whose resumed session comes from a path that nobody has seen is refused, and ended', async () => {
  const clients = await createTestCa()
  const issuing = await clients.intermediate()
  const below = await issuing.svid('/below')
  const { cert, key } = await clients.serverCertificate(['localhost'])
  const apps: INestMicroservice[] = []
  const serve = async (): Promise<number> => {
    const guard = guardWith({ certificates: { trustDomains: { 'test.example': clients.bundle } } })
    const port = await freePort()
    const secured = ServerCredentials.createSsl(
      Buffer.from(clients.bundle),
      [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
      true,
    )
    // Shared by servers, as in a cluster or behind a balancer; grpc-js has no option for it.
    const name = '_getConstructorOptions' in secured ? '_getConstructorOptions' : '_getSettings'
    const options: unknown = Reflect.apply(Reflect.get(secured, name) as () => unknown, secured, []) // a method
    Object.assign(secured, { [name]: () => ({ ...Object(options), ticketKeys: Buffer.alloc(48, 7) }) })
    const app = await NestFactory.createMicroservice(rootOf(guard), {
      ...grpcOptions(port, secured),
      ...silently,
    })
    await app.listen()
    apps.push(app)
    return port
  }
  const client = {
    host: '127.0.0.1',
    servername: 'localhost',
    ca: clients.bundle,
    cert: below.cert,
    key: below.key,
  }
  const handshake = { ...client, ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' } as const
  const begun = connect({ ...handshake, port: await serve() })
  await once(begun, 'secureConnect')
  const ticket = begun.getSession()
  const socket = connect({ ...handshake, port: await serve(), ...(ticket && { session: ticket }) })
  await once(socket, 'secureConnect')
  expect(socket.isSessionReused()).toBe(true)
  const session = connectHttp2('https://localhost', { createConnection: () => socket })
  const { events } = await recording(async () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/shop.Orders/Find',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => undefined) // the status is in the event
    stream.end(Buffer.alloc(5))
    stream.resume()
    await once(session, 'close')
  })
  expect(events.map(({ code }) => code)).toEqual(['certificate_chain_unknown'])
  begun.destroy()
  for (const app of apps) await app.close()
})
