import { once } from 'node:events'
import { Agent, request } from 'node:https'
import {
  ConfigurationError,
  createGuard,
  createTlsServer,
  countersign,
  requireScopes,
  requires,
  callerIs,
} from '@countersign/express'
import { createTestCa, createTestIssuer, type TestCa, type TestCertificate } from '@countersign/testing'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let ca: TestCa
let serverCertificate: TestCertificate
beforeAll(async () => {
  ca = await createTestCa()
  serverCertificate = await ca.serverCertificate()
})

describe('a server for a guard that trusts certificates and tokens', () => {
  const closing: (() => void)[] = []
  afterAll(() => closing.forEach((close) => close()))

  async function start(): Promise<
    (
      path: string,
      options?: { cert?: TestCertificate; headers?: Record<string, string>; agent?: Agent },
    ) => Promise<{ status: number; body: string }>
  > {
    const issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['test.example'] })
    const guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      grants: { 'spiffe://test.example/checkout': ['orders:read'] },
      log: false,
    })
    const app = express()
    app.use(countersign(guard))
    app.get(
      '/orders',
      requireScopes('orders:read'),
      (incoming, response) => void response.send(incoming.caller.id),
    )
    app.get(
      '/mine',
      requires(callerIs('spiffe://test.example/*')),
      (incoming, response) => void response.send(incoming.caller.provenBy.join()),
    )
    const server = createTlsServer(app, { ...pair(), guard }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(
      () => server.close(),
      () => guard.close(),
    )
    const { port } = server.address() as { port: number } // listening on a port
    return async (path, { cert, headers = {}, agent } = {}) => {
      const identity = cert === undefined ? {} : { cert: cert.cert, key: cert.key }
      const sent = request({
        host: 'localhost',
        port,
        path,
        headers,
        ca: ca.bundle,
        agent: agent ?? false,
        ...identity,
      }).end()
      const [response] = await once(sent, 'response')
      let body = ''
      for await (const chunk of response) body += String(chunk)
      return { status: response.statusCode, body }
    }
  }

  test('knows a caller by its certificate alone', async () => {
    const call = await start()
    const checkout = await ca.svid('/checkout')
    expect(await call('/orders', { cert: checkout })).toEqual({
      status: 200,
      body: 'spiffe://test.example/checkout',
    })
    expect(await call('/mine', { cert: await ca.svid('/other') })).toEqual({
      status: 200,
      body: 'certificate',
    })
    expect((await call('/orders', { cert: await ca.svid('/other') })).status).toBe(403)
  })

  test('still answers who presents no certificate, so that a token may do', async () => {
    const call = await start()
    expect((await call('/orders')).status).toBe(401)
  })

  test('answers a certificate it does not trust by a refusal, not by a broken connection', async () => {
    const call = await start()
    const stranger = await createTestCa()
    expect((await call('/orders', { cert: await stranger.svid('/checkout') })).status).toBe(403)
  })

  test('remembers the certificate of a connection that is kept open', async () => {
    const call = await start()
    const cert = await ca.svid('/checkout')
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.bundle, cert: cert.cert, key: cert.key })
    for (let i = 0; i < 3; i += 1) expect((await call('/orders', { agent })).status).toBe(200)
    agent.destroy()
  })
})

describe('a server that cannot be set up says what to write', () => {
  const guard = createGuard({ audience: 'orders', issuers: ['https://idp.internal'] })
  afterAll(() => guard.close())

  test.each([
    ['a missing certificate', () => ({ ...pair(), cert: '' }), 'cert'],
    ['a file that is not there', () => ({ ...pair(), cert: './nowhere.pem' }), 'cert'],
    ['a certificate in place of the key', () => ({ ...pair(), key: pair().cert }), 'key'],
    ['a misspelt option', () => ({ ...pair(), certificate: 'x' }), 'createTlsServer.certificate'],
  ])('%s', (_what, options, option) => {
    expect(() => createTlsServer(express(), { ...options(), guard })).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', option }),
    )
  })

  test('a key of another certificate, without showing either', async () => {
    const other = await ca.serverCertificate()
    const attempt = (): unknown => createTlsServer(express(), { cert: pair().cert, key: other.key, guard })
    expect(attempt).toThrow(ConfigurationError)
    expect(attempt).toThrow(expect.not.objectContaining({ message: expect.stringContaining('BEGIN') }))
  })

  test('a route that says too late who may call it', () => {
    const app = express()
    app.use(countersign(guard))
    app.get('/orders', (_request, response) => void response.send('x'), requireScopes('orders:read'))
    expect(() => createTlsServer(app, { ...pair(), guard })).toThrow(
      expect.objectContaining({ option: 'GET /orders' }),
    )
  })
})

const pair = (): { cert: string; key: string } => ({
  cert: serverCertificate.cert,
  key: serverCertificate.key,
})
