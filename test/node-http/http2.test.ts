import { decisionChannel, type DecisionEvent } from '@countersign/core'
import {
  authenticated,
  countersign,
  createGuard,
  requireScopes,
  requires,
  tlsOptions,
  unprotected,
  type Guard,
  type GuardedService,
  type RequestWithCaller,
} from '@countersign/node-http'
import {
  createTestCa,
  createTestIssuer,
  createTestProofKey,
  type TestCa,
  type TestCertificate,
  type TestIssuer,
} from '@countersign/testing'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  connect,
  createSecureServer,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bearer } from '../express/served-app.ts'

// HTTP/2 through the compatibility API of Node, over TLS with client certificates and without.

let issuer: TestIssuer
let ca: TestCa
let server: TestCertificate
beforeAll(async () => {
  issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['test.example'] })
  ca = await createTestCa()
  server = await ca.serverCertificate()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let guard: Guard
let service: GuardedService
let session: ClientHttp2Session
let routes: Record<string, (request: Http2ServerRequest, response: Http2ServerResponse) => unknown>
let stop: () => void
let port: number
let warnings: string[]
const noteWarning = ({ message }: Error): void => void warnings.push(message)

beforeEach(() => {
  routes = {}
  warnings = []
  process.on('warning', noteWarning)
  guard = createGuard({
    audience: 'orders',
    issuers: [issuer],
    certificates: { trustDomains: { 'test.example': ca.bundle } },
    grants: { 'spiffe://test.example/checkout': ['orders:read'] },
    dpop: { externalUrl: 'https://api.example' },
    log: false,
  })
  service = countersign(guard)
})
afterEach(() => {
  process.off('warning', noteWarning)
  session.destroy()
  stop()
  guard.close()
})

const app = () =>
  service.listener((request: Http2ServerRequest, response: Http2ServerResponse) => {
    const route = routes[request.url]
    if (route === undefined) response.writeHead(404).end()
    else route(request, response)
  })

async function start(): Promise<void> {
  const made = createServer(app()).listen(0, '127.0.0.1')
  await once(made, 'listening')
  stop = () => made.close()
  ;({ port } = made.address() as { port: number }) // it listens on a port
  session = connect(`http://127.0.0.1:${port}`)
}

async function startTls(identity?: TestCertificate): Promise<void> {
  const tls = tlsOptions({ cert: server.cert, key: server.key, guard })
  const made = tls.applyTo(createSecureServer(tls, app())).listen(0, '127.0.0.1')
  await once(made, 'listening')
  stop = () => made.close()
  ;({ port } = made.address() as { port: number }) // it listens on a port
  const pair = identity === undefined ? {} : { cert: identity.cert, key: identity.key }
  session = connect(`https://localhost:${port}`, { ca: ca.bundle, ...pair })
}

async function call(path: string, headers: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
  return ask(session.request({ ':path': path, ...headers }), body)
}

async function ask(stream: ClientHttp2Stream, body?: string): Promise<Answer> {
  stream.end(body)
  const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return { status: answered[':status'], headers: answered, body: Buffer.concat(chunks).toString() }
}

describe('over HTTP/2', () => {
  test('a route refuses who presents nothing, with nothing that HTTP/2 does not have', async () => {
    routes['/orders'] = service.route(
      'GET /orders',
      requireScopes('orders:read'),
      (_request: Http2ServerRequest, response: Http2ServerResponse) => void response.end('SECRET'),
    )
    await start()
    const answer = await call('/orders')
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('Bearer')
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.body).not.toContain('SECRET')
  })

  test('a token lets in, cold and known, and its caller is on the request', async () => {
    routes['/orders'] = service.route(
      'GET /orders',
      requires(authenticated()),
      (request: RequestWithCaller<Http2ServerRequest>, response: Http2ServerResponse) =>
        void response.end(request.caller.id),
    )
    await start()
    const headers = await issuer.headersFor('checkout', {
      claims: { spiffe_id: 'spiffe://test.example/checkout' },
    })
    for (let i = 0; i < 2; i += 1) {
      expect((await call('/orders', headers)).body).toBe('spiffe://test.example/checkout')
    }
  })

  test('an answer that nobody allowed is replaced, and Node has nothing to warn of', async () => {
    routes['/x'] = (_request, response) => {
      response.writeEarlyHints({ link: '</SECRET.css>; rel=preload' })
      response.writeHead(200, { 'x-secret': 'SECRET' })
      response.write('SECRET')
      response.end()
    }
    await start()
    const answer = await call('/x')
    expect([answer.status, answer.headers['x-secret']]).toEqual([403, undefined])
    expect(answer.body).toContain('does not say who may call it')
    await new Promise(setImmediate)
    expect(warnings).toEqual([])
  })

  test('headers that claim an identity are gone, from every place where a handler can see them', async () => {
    routes['/x'] = service.route(
      'GET /x',
      unprotected('open'),
      (request: Http2ServerRequest, response: Http2ServerResponse) =>
        void response.end(JSON.stringify([request.headers, request.rawHeaders])),
    )
    await start()
    const { body } = await call('/x', { 'x-forwarded-client-cert': 'forged', 'x-other': 'kept' })
    expect(body).toContain('kept')
    expect(body).not.toContain('forged')
  })

  test('two Authorization fields are refused, and so is one that is too long', async () => {
    routes['/orders'] = service.route('GET /orders', requireScopes('orders:read'), () => undefined)
    await start()
    const { authorization } = await bearer(issuer, 'orders:read')
    const codes: unknown[] = []
    const note = (event: unknown): void => void codes.push((event as DecisionEvent).code)
    subscribe(decisionChannel, note)
    await sendByHand([...get('/orders'), ['authorization', authorization], ['authorization', authorization]])
    unsubscribe(decisionChannel, note)
    expect(codes).toEqual(['credential_duplicated'])
    expect((await call('/orders', { authorization: `Bearer ${'a'.repeat(12_000)}` })).status).toBe(400)
  })

  test('a method that the route has not is 405', async () => {
    routes['/orders'] = service.route('GET /orders', unprotected('open'), () => undefined)
    await start()
    expect(await call('/orders', { ':method': 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  })

  test('a proof of possession is held against the path', async () => {
    routes['/orders/7'] = service.route(
      'GET /orders/:id',
      requireScopes('orders:read'),
      (_request: Http2ServerRequest, response: Http2ServerResponse) => void response.end('order'),
    )
    await start()
    const key = await createTestProofKey()
    const bound = await issuer.token('checkout', {
      scopes: ['orders:read'],
      boundTo: key,
      claims: { spiffe_id: 'spiffe://test.example/checkout' },
    })
    const prove = async (path: string): Promise<Answer> =>
      call('/orders/7', await key.headersFor(bound, { url: `https://api.example${path}` }))
    expect((await prove('/orders/8')).status).toBe(401)
    expect((await prove('/orders/7')).body).toBe('order')
  })

  test('trailers and bodies are the handler’s', async () => {
    routes['/echo'] = service.route(
      'POST /echo',
      unprotected('open'),
      async (request: Http2ServerRequest, response: Http2ServerResponse) => {
        response.addTrailers({ 'x-sum': 'ok' })
        for await (const chunk of request) response.write(chunk)
        response.end()
      },
    )
    await start()
    const body = 'x'.repeat(200_000)
    expect((await call('/echo', { ':method': 'POST' }, body)).body).toBe(body)
  })

  test('a client that gives up while it is decided does no harm', async () => {
    let settled = (): void => undefined
    const done = new Promise<void>((resolve) => (settled = resolve))
    const route = service.route(
      'GET /slow',
      requireScopes('orders:read'),
      (_request: Http2ServerRequest, response: Http2ServerResponse) => void response.end('late'),
    )
    routes['/slow'] = async (request, response) => {
      stream.close()
      await once(request, 'close')
      await route(request, response)
      settled()
    }
    await start()
    const stream = session.request({ ':path': '/slow', ...(await bearer(issuer, 'orders:read')) })
    stream.on('error', () => undefined)
    await done
    expect((await call('/nowhere')).status).toBe(404)
  })

  test('requests on one session are told apart', async () => {
    routes['/who'] = service.route(
      'GET /who',
      requires(authenticated()),
      async (request: RequestWithCaller<Http2ServerRequest>, response: Http2ServerResponse) => {
        await new Promise(setImmediate)
        response.end(request.caller.id)
      },
    )
    await start()
    const names = Array.from({ length: 50 }, (_, i) => `spiffe://test.example/caller-${i}`)
    const bodies = await Promise.all(
      names.map(async (spiffeId) => {
        const headers = await issuer.headersFor('caller', { claims: { spiffe_id: spiffeId } })
        return (await call('/who', headers)).body
      }),
    )
    expect(bodies).toEqual(names)
  })
})

describe('over HTTP/2 with TLS', () => {
  beforeEach(() => {
    routes['/orders'] = service.route(
      'GET /orders',
      requireScopes('orders:read'),
      (request: RequestWithCaller<Http2ServerRequest>, response: Http2ServerResponse) =>
        void response.end(request.caller.id),
    )
  })

  test('a caller is known by its certificate', async () => {
    await startTls(await ca.svid('/checkout'))
    expect(await call('/orders')).toMatchObject({ status: 200, body: 'spiffe://test.example/checkout' })
    expect((await call('/orders')).status).toBe(200)
  })

  test('T42 a resumed session whose path nobody has seen is refused, and ended', async () => {
    const issuing = await ca.intermediate()
    const below = await issuing.svid('/checkout')
    const ticketKeys = Buffer.alloc(48, 7)
    const serveOnce = async (own: Guard, resumed?: Buffer) => {
      const guarded = countersign(own)
      const route = guarded.route(
        'GET /',
        requires(authenticated()),
        (request: RequestWithCaller<Http2ServerRequest>, response: Http2ServerResponse) =>
          void response.end(request.caller.id),
      )
      const tls = tlsOptions({ cert: server.cert, key: server.key, guard: own })
      const made = tls.applyTo(createSecureServer(tls, guarded.listener(route))).listen(0, '127.0.0.1')
      made.setTicketKeys(ticketKeys)
      await once(made, 'listening')
      const { port: at } = made.address() as { port: number } // it listens on a port
      const client = connect(`https://localhost:${at}`, {
        ca: ca.bundle,
        cert: below.cert,
        key: below.key,
        ...(resumed === undefined ? {} : { session: resumed }),
      })
      let ticket = resumed
      const ended = new Promise((resolve) => client.once('goaway', resolve))
      await once(client, 'connect')
      client.socket.on('session', (given: Buffer) => (ticket = given))
      const { status } = await ask(client.request({ ':path': '/' }))
      if (resumed !== undefined) await ended
      client.destroy()
      made.close()
      return { status, ticket }
    }
    const trusting = (): Guard =>
      createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })
    const { ticket } = await serveOnce(trusting())
    expect(ticket).toBeInstanceOf(Buffer)
    expect((await serveOnce(trusting(), ticket)).status).toBe(403)
    await startTls()
  })

  test('another caller, a stranger and nobody are not', async () => {
    await startTls(await ca.svid('/other'))
    expect((await call('/orders')).status).toBe(403)
    session.destroy()
    stop()
    await startTls(await (await createTestCa()).svid('/checkout'))
    expect((await call('/orders')).status).toBe(403)
    session.destroy()
    stop()
    await startTls()
    expect((await call('/orders')).status).toBe(401)
  })
})

const get = (path: string): readonly (readonly [string, string])[] => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'orders'],
]

/** Sends one request in frames of our own (RFC 9113 §4.1), since Node's client sends no field twice, and waits for an answer to it. */
async function sendByHand(fields: readonly (readonly [string, string])[]): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1')
  const block = Buffer.concat(
    fields.map(([name, value]) =>
      Buffer.concat([[0], ...[name, value].map(literal)].map((part) => Buffer.from(part))),
    ),
  )
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(Buffer.from([0, 0, 0, settings, 0, 0, 0, 0, 0]))
  const head = Buffer.from([
    0,
    block.length >> 8,
    block.length & 255,
    headersFrame,
    endOfStreamAndHeaders,
    0,
    0,
    0,
    1,
  ])
  socket.write(Buffer.concat([head, block]))
  let seen = Buffer.alloc(0)
  for await (const chunk of socket) {
    seen = Buffer.concat([seen, chunk])
    if (framesOf(seen).includes(headersFrame)) break
  }
  socket.destroy()
}

function framesOf(octets: Buffer): readonly number[] {
  const types: number[] = []
  for (let at = 0; at + 9 <= octets.length; at += 9 + octets.readUIntBE(at, 3)) {
    types.push(octets[at + 3] ?? -1)
  }
  return types
}

/** A string without Huffman coding (RFC 7541 §5.2); its length has a prefix of seven bits (§5.1). */
function literal(text: string): Buffer {
  const length: number[] = []
  let rest = text.length - 127
  if (rest < 0) length.push(text.length)
  else {
    length.push(127)
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
    length.push(rest)
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')])
}

const settings = 4
const headersFrame = 1
const endOfStreamAndHeaders = 5
