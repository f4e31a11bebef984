// Client certificates over TLS: of the connection, of a proxy's client, and what tokens are bound to.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type TLSSocket } from 'node:tls'
import { setImmediate as turn } from 'node:timers/promises'
import {
  ConfigurationError,
  authenticated,
  callerIs,
  countersign,
  createGuard,
  createTlsServer,
  protect,
  requireCaller,
  rfc9440,
  type Guard,
  type GuardOptions,
} from '@countersign/grpc'
import {
  createTestCa,
  createTestClock,
  createTestIssuer,
  type TestCa,
  type TestCertificate,
} from '@countersign/testing'
import {
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  credentials,
  status,
  type ChannelCredentials,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { OrdersServer, everywhere } from './orders-server.ts'
import { OrdersService, addOrders, notingHandlers, type OrdersHandlers } from './orders-service.ts'
import { ServedServer } from './served-server.ts'

let ca: TestCa
let stranger: TestCa
let own: TestCertificate
beforeAll(async () => {
  ca = await createTestCa()
  stranger = await createTestCa()
  own = await ca.serverCertificate()
})

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const byWorkload = { ...everywhere, get: callerIs('spiffe://test.example/*') }
const sayingWho: Partial<OrdersHandlers> = {
  get: (call, answer) => answer(null, { text: requireCaller(call).id }),
}

const house = (): GuardOptions => ({
  certificates: { trustDomains: { 'test.example': ca.bundle } },
  log: false,
})

function serverFor(guard: Guard, handlers: Partial<OrdersHandlers> = sayingWho): Server {
  const server = new Server({ interceptors: [countersign(guard, protect(OrdersService, byWorkload))] })
  closing.push(
    () => server.forceShutdown(),
    () => guard.close(),
  )
  return addOrders(server, notingHandlers([], handlers))
}

/** A server whose TLS is the adapter's. */
async function serveTls(
  options: GuardOptions,
  more: object = {},
): Promise<{ served: ServedServer; guard: Guard }> {
  const guard = createGuard(options)
  await guard.ready()
  const server = serverFor(guard)
  const listening = createTlsServer(server, { cert: own.cert, key: own.key, guard, ...more })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  closing.push(() => listening.close())
  const { port } = listening.address() as { port: number } // listening on a port
  return { served: ServedServer.at(server, port), guard }
}

const as = (certificate?: TestCertificate): ChannelCredentials =>
  certificate === undefined
    ? credentials.createSsl(Buffer.from(ca.bundle))
    : credentials.createSsl(
        Buffer.from(ca.bundle),
        Buffer.from(certificate.key),
        Buffer.from(certificate.cert),
      )

describe('with the credentials of grpc-js itself', () => {
  const ssl = (roots = ca.bundle): ServerCredentials =>
    ServerCredentials.createSsl(
      Buffer.from(roots),
      [{ private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.cert) }],
      true,
    )

  test('knows a caller by its certificate alone', async () => {
    const served = await ServedServer.start(serverFor(createGuard(house())), ssl())
    const client = served.client(as(await ca.svid('/checkout')))
    expect(await client.get()).toMatchObject({
      code: status.OK,
      messages: ['spiffe://test.example/checkout'],
    })
    expect(await client.get()).toMatchObject({ code: status.OK })
    client.client.close()
  })

  test('reads the whole chain that the connection shows: the guard need not know it', async () => {
    const below = await ca.intermediate()
    // Some versions of Node lose the intermediates that a client sends (nodejs/node#65579), but find them here.
    const served = await ServedServer.start(serverFor(createGuard(house())), ssl(ca.bundle + below.chain))
    const client = served.client(as(await below.svid('/checkout')))
    expect(await client.get()).toMatchObject({
      code: status.OK,
      messages: ['spiffe://test.example/checkout'],
    })
    client.client.close()
  })

  test('verifies itself what TLS has accepted', async () => {
    const guard = createGuard({
      certificates: { trustDomains: { 'test.example': stranger.bundle } },
      log: false,
    })
    const served = await ServedServer.start(serverFor(guard), ssl())
    const client = served.client(as(await ca.svid('/checkout')))
    expect(await client.get()).toMatchObject({
      code: status.UNAUTHENTICATED,
      refusal: 'certificate_untrusted',
    })
    client.client.close()
  })
})

describe('behind an interceptor that hides the call', () => {
  // As grpc-js' documented API has it, and nothing besides.
  const hiding: ServerInterceptor = (_method, call) => {
    const hidden: Record<string, unknown> = {}
    for (const name of [
      'start',
      'sendMetadata',
      'sendMessage',
      'sendStatus',
      'startRead',
      'getPeer',
      'getDeadline',
      'getHost',
      'getAuthContext',
      'getConnectionInfo',
    ]) {
      const member: unknown = Reflect.get(call, name)
      if (typeof member === 'function') hidden[name] = member.bind(call)
    }
    return hidden as unknown as ServerInterceptingCall // the interface of one
  }
  const showsLeaf = 'getAuthContext' in ServerInterceptingCall.prototype

  async function ask(certificate: TestCertificate, intermediates?: string): Promise<object> {
    const issuer = await createTestIssuer()
    using orders = await OrdersServer.start(issuer, {
      options: {
        log: false,
        certificates: {
          trustDomains: { 'test.example': ca.bundle },
          ...(intermediates === undefined ? {} : { intermediates }),
        },
      },
      interceptors: (guard) => [hiding, countersign(guard, protect(OrdersService, byWorkload))],
      handlers: sayingWho,
      credentials: ServerCredentials.createSsl(
        Buffer.from(ca.bundle),
        [{ private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.cert) }],
        true,
      ),
    })
    return await orders.served.client(as(certificate)).get()
  }

  test.runIf(showsLeaf)('the leaf counts, and configured intermediates complete its chain', async () => {
    expect(await ask(await ca.svid('/checkout'))).toMatchObject({ code: status.OK })
    const below = await ca.intermediate()
    const checkout = await below.svid('/checkout')
    expect(await ask(checkout)).toMatchObject({ refusal: 'certificate_untrusted' })
    expect(await ask(checkout, below.chain)).toMatchObject({
      code: status.OK,
      messages: ['spiffe://test.example/checkout'],
    })
  })

  test.skipIf(showsLeaf)('nobody has a certificate where grpc-js shows none', async () => {
    expect(await ask(await ca.svid('/checkout'))).toMatchObject({
      code: status.UNAUTHENTICATED,
      refusal: 'credential_missing',
    })
  })
})

describe('with a TLS server of the adapter', () => {
  test.each(['expired', 'name-of-another-domain'] as const)(
    'refuses a certificate that is %s',
    async (kind) => {
      const { served } = await serveTls(house())
      const broken =
        kind === 'expired'
          ? await ca.broken('expired', '/checkout')
          : await (await createTestCa({ trustDomain: 'other.example' })).svid('/checkout')
      expect(await served.client(as(broken)).get()).toMatchObject({ code: status.UNAUTHENTICATED })
      served.close()
    },
  )

  test('follows the roots of its guard: who is trusted from now on can connect', async () => {
    let replace: ((bundle: string) => void) | undefined
    const { served } = await serveTls({
      log: false,
      certificates: {
        trustDomains: {
          'test.example': {
            follow(listener) {
              replace = (bundle) => listener.replace(bundle)
              replace(ca.bundle)
              return () => undefined
            },
          },
        },
      },
    })
    const old = served.client(as(await ca.svid('/checkout')))
    expect(await old.get()).toMatchObject({ code: status.OK })
    replace?.(stranger.bundle)
    await turn()
    expect(await old.get()).toMatchObject({ refusal: 'certificate_untrusted' })
    expect(await served.client(as(await stranger.svid('/checkout'))).get()).toMatchObject({ code: status.OK })
    served.close()
  })

  test('follows its certificate in its file, for clients without a server name too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'grpc-tls-'))
    closing.push(() => rmSync(folder, { recursive: true }))
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    const put = (pair: TestCertificate): void => {
      writeFileSync(cert, pair.cert)
      writeFileSync(key, pair.key)
    }
    put(own)
    const clock = createTestClock(new Date())
    const guard = createGuard(house(), { clock })
    const listening = createTlsServer(serverFor(guard), { cert, key, guard }, { clock }).listen(
      0,
      '127.0.0.1',
    )
    await once(listening, 'listening')
    closing.push(() => listening.close())
    const { port } = listening.address() as { port: number } // listening on a port
    const shown = async (): Promise<Uint8Array> => {
      const socket = connect({ host: '127.0.0.1', port, ca: ca.bundle, ALPNProtocols: ['h2'] })
      await once(socket, 'secureConnect')
      const { raw } = socket.getPeerCertificate()
      socket.destroy()
      return new Uint8Array(raw)
    }
    expect(await shown()).toEqual(new Uint8Array(own.der))
    const next = await ca.serverCertificate()
    put(next)
    await vi.waitFor(
      async () => {
        clock.advance({ seconds: 10 })
        expect(await shown()).toEqual(new Uint8Array(next.der))
      },
      { timeout: 10_000, interval: 10 },
    )
  })

  test('a token that is bound to a certificate counts on its connection alone', async () => {
    const issuer = await createTestIssuer()
    const { served } = await serveTls(
      { audience: 'orders', issuers: [issuer], log: false, undeclared: authenticated() },
      { requestCertificate: true },
    )
    const checkout = await ca.svid('/checkout')
    const bound = await issuer.headersFor('checkout', { scopes: ['orders:read'], boundTo: checkout })
    expect(await served.client(as(checkout)).follow(bound)).toMatchObject({ code: status.OK })
    expect(await served.client(as(await ca.svid('/reports'))).follow(bound)).toMatchObject({
      refusal: 'certificate_binding_mismatch',
    })
    expect(await served.client(as()).follow(bound)).toMatchObject({ refusal: 'certificate_binding_missing' })
    served.close()
  })

  test('a resumed session that shows no chain is refused, and its connection closed', async () => {
    const { served } = await serveTls(house())
    const checkout = await (await ca.intermediate()).svid('/checkout')
    const open = (session?: Buffer): TLSSocket =>
      connect({
        host: '127.0.0.1',
        port: served.port,
        servername: 'localhost',
        ca: ca.bundle,
        cert: checkout.cert,
        key: checkout.key,
        ALPNProtocols: ['h2'],
        ...(session === undefined ? {} : { session }),
      })
    // The first one asks nothing, so nobody has seen its chain.
    const first = open()
    const opened = connectHttp2('https://localhost', { createConnection: () => first })
    const [ticket] = (await once(first, 'session')) as [Buffer]
    opened.close()
    const resumed = open(ticket)
    const session = connectHttp2('https://localhost', { createConnection: () => resumed })
    const gone = once(session, 'goaway')
    const stream = session.request({
      ':method': 'POST',
      ':path': '/orders.Orders/Get',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.resume()
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    expect(resumed.isSessionReused()).toBe(true)
    expect(Number(headers['grpc-status'])).toBe(status.UNAUTHENTICATED)
    await gone
    session.destroy()
    served.close()
  })

  test('is not made for a server that does not use the guard', () => {
    const guard = createGuard(house())
    const other = createGuard(house())
    expect(() => createTlsServer(serverFor(guard), { cert: own.cert, key: own.key, guard: other })).toThrow(
      ConfigurationError,
    )
    expect(() => createTlsServer(new Server(), { cert: own.cert, key: own.key, guard })).toThrow(
      '`guard`: the server does not use it',
    )
    other.close()
  })
})

describe('behind a proxy', () => {
  const leafOf = ({ der }: TestCertificate): string => `:${Buffer.from(der).toString('base64')}:`

  test('the client that a trusted one names is the caller, and the header reaches no handler', async () => {
    const seen: unknown[] = []
    const guard = createGuard({
      log: false,
      certificates: {
        trustDomains: { 'test.example': ca.bundle },
        forwarded: rfc9440({ from: { addresses: ['127.0.0.1'] } }),
      },
    })
    const served = await ServedServer.start(
      serverFor(guard, {
        get(call, answer) {
          seen.push(call.metadata.toJSON())
          answer(null, { text: requireCaller(call).id })
        },
      }),
    )
    const client = served.client()
    const headers = { 'client-cert': leafOf(await ca.svid('/checkout')), 'x-kept': 'yes' }
    expect(await client.get(headers)).toMatchObject({ messages: ['spiffe://test.example/checkout'] })
    expect(seen).toEqual([expect.objectContaining({ 'x-kept': ['yes'] })])
    expect(seen).toEqual([expect.not.objectContaining({ 'client-cert': expect.anything() })])
    // Another client of the same proxy, on the same connection.
    const other = { 'client-cert': leafOf(await ca.svid('/reports')) }
    expect(await client.get(other)).toMatchObject({ messages: ['spiffe://test.example/reports'] })
    expect(await client.get()).toMatchObject({ code: status.UNAUTHENTICATED })
    served.close()
  })
})
