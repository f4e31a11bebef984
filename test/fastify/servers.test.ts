// TLS with client certificates and HTTP/2, on Fastify's own servers.
import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { connect as tlsConnect, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Decider } from '@countersign/core'
import {
  authenticated,
  callerIs,
  countersign,
  requireScopes,
  requires,
  tlsOptions,
  unprotected,
} from '@countersign/fastify'
import {
  createTestCa,
  createTestIssuer,
  type TestCa,
  type TestCertificate,
  type TestIssuer,
} from '@countersign/testing'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Opened, fastifyVersions, recording, type Answer, type Call } from './served-fastify.ts'

let ca: TestCa
let issuer: TestIssuer
let pair: { cert: string; key: string }
beforeAll(async () => {
  ca = await createTestCa()
  issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['test.example'] })
  const { cert, key } = await ca.serverCertificate()
  pair = { cert, key }
})

describe.each(fastifyVersions)('%s', (_name, fastify) => {
  let opened: Opened
  const closing: (() => void)[] = []
  beforeEach(() => {
    opened = new Opened()
  })
  afterEach(async () => {
    for (const close of closing.splice(0)) close()
    await opened.close()
  })

  async function serve(
    options: object,
    deciders: readonly Decider[] = [],
  ): Promise<{ app: FastifyInstance; port: number; replies: readonly FastifyReply[] }> {
    const replies: FastifyReply[] = []
    const guard = opened.guard(issuer, {
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      deciders,
      grants: { 'spiffe://test.example/checkout': ['orders:read'] },
    })
    const tls = tlsOptions({ ...pair, guard })
    const app = opened.app(fastify({ ...options, https: { ...tls, ...options } }))
    tls.applyTo(app.server as unknown as Parameters<typeof tls.applyTo>[0]) // a TLS server
    app.addHook('onRequest', async (_request, reply) => void replies.push(reply))
    await app.register(countersign(guard))
    app.get('/orders', requireScopes('orders:read'), async (request) => request.caller.id)
    app.post('/orders', requireScopes('orders:read'), async (request) => request.body)
    app.get('/mine', requires(callerIs('spiffe://test.example/*')), async ({ caller }) =>
      caller.provenBy.join(),
    )
    app.get('/healthz', unprotected('liveness probe'), async () => 'ok')
    app.get('/me', requires(authenticated()), async (request) => request.caller.id)
    app.get('/seen', unprotected('for this test'), async ({ headers, raw }) => [
      headers['x-forwarded-client-cert'] ?? null,
      raw.rawHeaders.filter((text) => /forwarded/i.test(text)),
    ])
    app.setNotFoundHandler((_request, reply) => reply.code(200).send('secret'))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as { readonly port: number } // it listens on a port
    return { app, port, replies }
  }

  async function callHttps(
    port: number,
    path: string,
    { cert, ...call }: Call & { cert?: TestCertificate } = {},
  ): Promise<Answer> {
    return recording(async () => {
      const identity = cert === undefined ? {} : { cert: cert.cert, key: cert.key }
      const sent = httpsRequest({
        host: 'localhost',
        port,
        path,
        ca: ca.bundle,
        agent: false,
        ...identity,
        ...call,
      })
      sent.end(call.body)
      const [response] = await once(sent, 'response')
      let body = ''
      for await (const chunk of response) body += String(chunk)
      return { status: response.statusCode, headers: response.headers, body }
    })
  }

  function openSession(port: number, cert?: TestCertificate): ClientHttp2Session {
    const identity = cert === undefined ? {} : { cert: cert.cert, key: cert.key }
    const session = connect(`https://localhost:${port}`, { ca: ca.bundle, ...identity })
    closing.push(() => session.destroy())
    return session
  }

  const callHttp2 = (session: ClientHttp2Session, path: string, call: Call = {}): Promise<Answer> =>
    recording(async () => {
      const { method = 'GET', headers = {}, body: content } = call
      const stream = session.request({ ':path': path, ':method': method, ...headers })
      stream.end(content)
      const [answered] = await once(stream, 'response')
      let body = ''
      for await (const chunk of stream) body += String(chunk)
      return { status: answered[':status'], headers: answered, body }
    })

  test('knows a caller by its certificate alone over HTTPS', async () => {
    const { port } = await serve({})
    const cert = await ca.svid('/checkout')
    expect(await callHttps(port, '/orders', { cert })).toMatchObject({
      status: 200,
      body: 'spiffe://test.example/checkout',
    })
    const other = await ca.svid('/other')
    expect((await callHttps(port, '/mine', { cert: other })).body).toBe('certificate')
    expect((await callHttps(port, '/orders', { cert: other })).code).toBe('scope_missing')
    expect((await callHttps(port, '/orders')).code).toBe('credential_missing')
  })

  test('knows callers by certificate and by token over HTTP/2, several at once on one connection', async () => {
    const { port } = await serve({ http2: true })
    const session = openSession(port, await ca.svid('/checkout'))
    const answers = await Promise.all(Array.from({ length: 20 }, () => callHttp2(session, '/orders')))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
      new Set(['200 spiffe://test.example/checkout']),
    )
    const anonymous = openSession(port)
    const called = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const options = { scopes: ['orders:read'], claims: { spiffe_id: `spiffe://test.example/s${i % 5}` } }
        const headers = await issuer.headersFor(`s${i % 5}`, options)
        return (await callHttp2(anonymous, '/me', { headers })).body
      }),
    )
    expect(called).toEqual(called.map((_, i) => `spiffe://test.example/s${i % 5}`))
  })

  test('refuses over HTTP/2 with status, challenge and body, and reads no body for it', async () => {
    const { port } = await serve({ http2: true })
    const session = openSession(port)
    const answer = await callHttp2(session, '/orders')
    expect([answer.status, answer.code]).toEqual([401, 'credential_missing'])
    expect(answer.headers['www-authenticate']).toContain('scope="orders:read"')
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, decision: answer.events[0]?.id })
    const headers = { 'content-type': 'application/json' }
    const posted = await callHttp2(session, '/orders', { method: 'POST', headers, body: '{ broken' })
    expect([posted.status, posted.code]).toEqual([401, 'credential_missing'])
    const head = await callHttp2(session, '/orders', { method: 'HEAD' })
    expect([head.status, head.body]).toEqual([401, ''])
  })

  test('deletes headers that claim an identity over HTTP/2, and replaces an answer without an allow', async () => {
    const { port } = await serve({ http2: true })
    const session = openSession(port)
    const warned: string[] = []
    const listen = ({ message }: Error): void => void warned.push(message)
    process.on('warning', listen)
    const seen = await callHttp2(session, '/seen', {
      headers: { 'x-forwarded-client-cert': 'By=spiffe://x' },
    })
    expect(JSON.parse(seen.body)).toEqual([null, []])
    const replaced = await callHttp2(session, '/nothing')
    expect([replaced.status, replaced.code]).toEqual([403, 'route_undeclared'])
    expect(replaced.body).not.toContain('secret')
    process.off('warning', listen)
    expect(warned).toEqual([])
  })

  test('serves HTTP/1 beside HTTP/2 where it is allowed, each held to the same', async () => {
    const { port } = await serve({ http2: true, allowHTTP1: true })
    const cert = await ca.svid('/checkout')
    for (const answer of [
      await callHttps(port, '/orders', { cert }),
      await callHttp2(openSession(port, cert), '/orders'),
    ]) {
      expect([answer.status, answer.body]).toEqual([200, 'spiffe://test.example/checkout'])
    }
    expect((await callHttps(port, '/orders')).code).toBe('credential_missing')
  })

  test('T42 ends an HTTP/2 connection whose resumed session comes from a path that nobody has seen', async () => {
    const issuing = await ca.intermediate()
    const below = await issuing.svid('/below')
    const ticketKeys = Buffer.alloc(48, 7)
    async function connectTo(resumed?: Buffer): Promise<readonly [ClientHttp2Session, TLSSocket]> {
      const { app, port } = await serve({ http2: true })
      ;(app.server as unknown as TlsServer).setTicketKeys(ticketKeys) // a TLS server
      const { cert, key } = below
      const own = { port, host: 'localhost', ca: ca.bundle, cert, key, ALPNProtocols: ['h2'] }
      const socket = tlsConnect({ ...own, maxVersion: 'TLSv1.2', ...(resumed && { session: resumed }) })
      await once(socket, 'secureConnect')
      const session = connect(`https://localhost:${port}`, { createConnection: () => socket })
      closing.push(() => session.destroy())
      return [session, socket]
    }
    const [first, begun] = await connectTo()
    // Which of the two, depends on whether this Node shows the intermediate that the client sent.
    expect([null, 'certificate_untrusted']).toContain((await callHttp2(first, '/me')).code)
    const [second, resumed] = await connectTo(begun.getSession())
    expect(resumed.isSessionReused()).toBe(true)
    const closed = once(second, 'close')
    expect((await callHttp2(second, '/me')).code).toBe('certificate_chain_unknown')
    await closed
    expect(first.closed).toBe(false)
  })

  test('answers nothing more to a request that was given up while it was decided, and disturbs no other', async () => {
    const asked = Promise.withResolvers<void>()
    const decided = Promise.withResolvers<{ effect: 'forbid' }>()
    const decide = () => {
      asked.resolve()
      return decided.promise
    }
    const { app, port, replies } = await serve({ http2: true }, [{ name: 'slow', decide, timeoutMs: 10_000 }])
    const session = openSession(port, await ca.svid('/checkout'))
    const stream = session.request({ ':path': '/orders' })
    stream.on('error', () => undefined)
    await asked.promise
    const gone = replies.map(({ raw }) => once(raw, 'close'))
    stream.close(8) // CANCEL
    await Promise.all(gone)
    decided.resolve({ effect: 'forbid' })
    await expect.poll(() => replies[0]?.sent).toBe(true)
    expect((await callHttp2(session, '/healthz')).status).toBe(200)
    expect(app.server.listening).toBe(true)
  })
})
