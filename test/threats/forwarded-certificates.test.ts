import { hash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authenticated,
  callerOptional,
  createGuard,
  envoy,
  headersChannel,
  istioSidecar,
  nginx,
  rfc9440,
  type ForwardedOptions,
  type Guard,
  type TrustedProxy,
} from '@countersign/core'
import { callerOf, countersign, createTlsServer, requires } from '@countersign/express'
import { createTestCa, type TestSvid } from '@countersign/testing'
import type { Application, Request } from 'express'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../core/support/asking.ts'
import { pemOf } from '../core/support/pem.ts'
import { connectionFrom, forwardedRequest, written } from '../core/support/proxies.ts'
import { expressVersions, serve } from './support/served.ts'

const ca = await createTestCa({ trustDomain: 'prod.example' })
const checkout = await ca.svid('/ns/shop/sa/checkout')
const evil = await ca.svid('/ns/shop/sa/evil')
const gateway = await ca.svid('/ns/edge/sa/gateway')
const trustDomains = { 'prod.example': ca.bundle }
const victim = 'spiffe://prod.example/ns/shop/sa/admin'
const self = 'spiffe://prod.example/ns/shop/sa/orders'
const loopback = { addresses: ['127.0.0.1'] } as const satisfies TrustedProxy
const secret = 'k3yLmZ0Q8vTt1xWfN5uHc7rBp2dGs9aE4jYi6oXw'

const guardFor = (forwarded: ForwardedOptions, log: false | { warn(line: string): void } = false): Guard =>
  createGuard({ certificates: { trustDomains, forwarded }, log })

/** Shows who calls, and everything in which a handler could read a header. */
function applicationWith(express: () => Application, guard: Guard): Application {
  const app = express()
  app.use(countersign(guard))
  const show = (request: Request): string =>
    JSON.stringify([callerOf(request)?.id, request.headers, request.headersDistinct, request.rawHeaders])
  app.get(
    '/',
    requires(callerOptional('shows what a handler can read')),
    (request, response) => void response.send(show(request)),
  )
  app.get('/closed', requires(authenticated()), (request, response) => void response.send(request.caller.id))
  return app
}

type Headers = Parameters<typeof forwardedRequest>[0]
const lines = (headers: Headers): readonly string[] => headers.map(([name, value]) => `${name}: ${value}`)
const decide = async (
  forwarded: ForwardedOptions,
  headers: Headers,
  address = '10.0.7.9',
): Promise<string> => {
  const decision = await guardFor(forwarded).decide(
    forwardedRequest(headers, connectionFrom(address)),
    authenticated(),
  )
  return decision.outcome === 'allow' ? (decision.caller?.id ?? '') : codeOf(decision)
}

describe.each(expressVersions)('%s', (_version, express) => {
  test('T39 a certificate header of a stranger names nobody, reaches no handler, is counted and told', async () => {
    const told: string[] = []
    const events: unknown[] = []
    const listen = (event: unknown): void => void events.push(event)
    subscribe(headersChannel, listen)
    const guard = guardFor(rfc9440({ from: { addresses: ['10.0.7.9'] } }), {
      warn: (line) => void told.push(line),
    })
    await using served = await serve(applicationWith(express, guard))
    const forged = lines(written.rfc9440(checkout.chain))
    for (const requests of [1, 2]) {
      const { status, body } = await served.get('/', ...forged)
      expect(status).toBe(200)
      expect(body.toLowerCase()).not.toMatch(/client-cert|checkout/)
      expect(events.at(-1)).toEqual({ names: ['client-cert'], requests })
    }
    expect((await served.get('/closed', ...forged)).status).toBe(403)
    unsubscribe(headersChannel, listen)
    expect(told.filter((line) => line.includes('deleted "client-cert"'))).toHaveLength(1)
  })

  test('T39 it refuses the request where the guard says so', async () => {
    const guard = guardFor(rfc9440({ from: { addresses: ['10.0.7.9'] }, untrusted: 'refuse' }))
    await using served = await serve(applicationWith(express, guard))
    for (const headers of [
      written.rfc9440(checkout.chain),
      written.nginx(checkout.chain),
      [['Client_Cert', 'x']] as const,
    ]) {
      expect((await served.get('/', ...lines(headers))).status).toBe(400)
    }
    expect((await served.get('/')).status).toBe(200)
  })

  test('T39 the header of a trusted proxy names the caller and reaches no handler either', async () => {
    await using served = await serve(applicationWith(express, guardFor(nginx({ from: loopback }))))
    const { body } = await served.get('/', ...lines(written.nginx(checkout.chain)), 'X-Kept: yes')
    expect(JSON.parse(body)[0]).toBe(checkout.spiffeId)
    expect(body.toLowerCase()).not.toMatch(/ssl-client|certificate/)
    expect(body).toContain('"x-kept":"yes"')
    expect((await served.get('/closed', ...lines(written.nginx(checkout.chain)))).body).toBe(
      checkout.spiffeId,
    )
  })

  test('T39 neither does the secret that a proxy is known by', async () => {
    const guard = guardFor(rfc9440({ from: { secretHeader: 'X-Proxy-Secret', secrets: [secret] } }))
    await using served = await serve(applicationWith(express, guard))
    const { body } = await served.get(
      '/',
      ...lines(written.rfc9440(checkout.chain)),
      `X-Proxy-Secret: ${secret}`,
    )
    expect(JSON.parse(body)[0]).toBe(checkout.spiffeId)
    expect(body).not.toContain(secret)
    const other = await served.get(
      '/',
      ...lines(written.rfc9440(checkout.chain)),
      `X-Proxy-Secret: ${secret}x`,
    )
    expect(JSON.parse(other.body)[0]).toBeNull()
    expect(other.body).not.toContain(secret)
  })

  test('T39 a proxy is known by its own certificate on the connection; another workload is only itself', async () => {
    const guard = guardFor(rfc9440({ from: { spiffeId: gateway.spiffeId } }))
    const app = applicationWith(express, guard)
    const { cert, key } = await ca.serverCertificate(['localhost'])
    const server = createTlsServer(app, { cert, key, guard }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const call = (client: TestSvid | undefined, headers: Headers) =>
      send(httpsRequest, '/closed', headers, {
        host: '127.0.0.1',
        port,
        ca: ca.bundle,
        servername: 'localhost',
        ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
      })
    const headers = written.rfc9440(checkout.chain)
    expect(await call(gateway, headers)).toEqual([200, checkout.spiffeId])
    expect((await call(gateway, []))[0]).toBe(403)
    expect(await call(evil, headers)).toEqual([200, evil.spiffeId])
    expect((await call(undefined, headers))[0]).toBe(403)
    server.close()
  })

  test('T39 a proxy on a unix socket is known by the path, and TCP beside it is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orders-'))
    const socketPath = join(folder, 'orders.sock')
    const app = applicationWith(express, guardFor(rfc9440({ from: { unixSocket: socketPath } })))
    const server = createServer(app).listen(socketPath)
    await once(server, 'listening')
    const headers = written.rfc9440(checkout.chain)
    expect(await send(httpRequest, '/closed', headers, { socketPath })).toEqual([200, checkout.spiffeId])
    await using served = await serve(app)
    expect((await served.get('/closed', ...lines(headers))).status).toBe(403)
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true, force: true })
  })

  test('T41 a spelling that a trusted proxy lets pass beside its own header refuses the request', async () => {
    await using served = await serve(
      applicationWith(express, guardFor(envoy({ from: loopback, verifiedByProxy: ['prod.example'] }))),
    )
    const genuine = `x-forwarded-client-cert: Hash=${hash('sha256', evil.der)};URI=${evil.spiffeId}`
    expect((await served.get('/closed', genuine)).body).toBe(evil.spiffeId)
    for (const name of [
      'x_forwarded_client_cert',
      'X-Forwarded-Client_Cert',
      'x-forwarded.client-cert',
      'X-FORWARDED-CLIENT-CERT',
      'client_cert',
    ]) {
      const { status, body } = await served.get(
        '/closed',
        genuine,
        `${name}: Hash=${'0'.repeat(64)};URI=${victim}`,
      )
      expect(status, name).toBe(400)
      expect(body).not.toContain('admin')
    }
  })
})

/** Status and body. */
async function send(
  open: typeof httpRequest,
  path: string,
  headers: Headers,
  options: RequestOptions & { readonly servername?: string; readonly ca?: string },
): Promise<[status: number | undefined, body: string]> {
  const sent = open({ path, agent: false, headers: Object.fromEntries(headers), ...options })
  sent.end()
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return [response.statusCode, Buffer.concat(chunks).toString()]
}

describe('T40 XFCC', () => {
  const from = { addresses: ['10.0.7.9'] } as const
  const digest = hash('sha256', evil.der)
  const own = (more: string): string => `By=${self};Hash=${digest};${more}`
  const vouched = envoy({ from, self, verifiedByProxy: ['prod.example'] })
  const xfcc = (value: string): Headers => [['x-forwarded-client-cert', value]]
  const escapedCert = (svid: TestSvid): string => encodeURIComponent(pemOf(svid.der))

  test('T40 the first element is the caller’s own word', async () => {
    const value = `By=x;Hash=${'0'.repeat(64)};URI=${victim},${own(`URI=${evil.spiffeId}`)}`
    expect(await decide(vouched, xfcc(value))).toBe(evil.spiffeId)
  })

  test.each([
    ['a subject that holds pairs', String.raw`Subject="CN=x\"\;URI=${victim}";URI=${evil.spiffeId}`],
    [
      'a subject that holds an element',
      String.raw`Subject="CN=x\",By=${self}\;URI=${victim}";URI=${evil.spiffeId}`,
    ],
    ['a subject with bare separators', `Subject="CN=x;URI=${victim},URI=${victim}";URI=${evil.spiffeId}`],
    ['a subject that ends in a backslash', String.raw`Subject="CN=x\\";URI=${evil.spiffeId}`],
  ])('T40 %s stays a subject', async (_, more) => {
    expect(await decide(vouched, xfcc(own(more)))).toBe(evil.spiffeId)
  })

  // Envoy 1.40 was seen to write URI names as they are. An authority that lets its clients choose them lets them write this.
  test.each([
    ['a pair', `URI=spiffe://prod.example/x;URI=${victim}`],
    ['a pair in another case', `URI=spiffe://prod.example/x;uri=${victim}`],
    ['a digest', `URI=${victim};Hash=${'0'.repeat(64)}`],
    ['a whole element', `URI=spiffe://prod.example/x,By=${self};Hash=${'0'.repeat(64)};URI=${victim}`],
    ['an element without By', `URI=spiffe://prod.example/x,URI=${victim}`],
    ['an element of another proxy', `URI=spiffe://prod.example/x,By=y;Hash=${'0'.repeat(64)};URI=${victim}`],
    ['a space and an element', `URI=spiffe://prod.example/x, URI=${victim}`],
    ['a quote', `URI=spiffe://prod.example/x";URI=${victim}`],
    ['an equals sign', `URI=spiffe://prod.example/x=URI=${victim}`],
    ['a certificate of the victim', `URI=${checkout.spiffeId};Cert="${escapedCert(checkout)}"`],
    [
      'an element with a certificate of the victim',
      `URI=a,By=${self};Hash=${hash('sha256', checkout.der)};Cert="${escapedCert(checkout)}"`,
    ],
  ])('T40 a URI name that holds %s names nobody', async (_, more) => {
    const code = /^(svid_id_malformed|forwarded_certificate_(malformed|mismatch))$/
    for (const forwarded of [
      vouched,
      envoy({ from, self }),
      envoy({ from }),
      envoy({ from, verifiedByProxy: ['prod.example'] }),
    ]) {
      expect(await decide(forwarded, xfcc(own(more)))).toMatch(code)
    }
  })

  test('T40 an injected element does not pass for one of a relay', async () => {
    const forwarded = envoy({ from, self, relays: [gateway.spiffeId], verifiedByProxy: ['prod.example'] })
    const relay = (more: string): string => `By=${gateway.spiffeId};Hash=${digest};${more}`
    const last = own(`URI=${gateway.spiffeId}`)
    expect(await decide(forwarded, xfcc(`${relay(`URI=${evil.spiffeId}`)},${last}`))).toBe(evil.spiffeId)
    const injected = `${relay(`URI=x,${relay(`URI=${victim}`)}`)},${last}`
    expect(await decide(forwarded, xfcc(injected))).toBe('forwarded_certificate_mismatch')
  })

  test('T40 the sidecar of Istio is believed about its own trust domain, and nobody else at all', async () => {
    const istio = istioSidecar({ trustDomain: 'prod.example', self })
    const value = own(`Subject="";URI=${evil.spiffeId}`)
    expect(await decide(istio, xfcc(value), '127.0.0.6')).toBe(evil.spiffeId)
    expect(await decide(istio, xfcc(own('Subject="";URI=spiffe://other.example/a')), '127.0.0.6')).toBe(
      'trust_domain_unknown',
    )
    for (const address of ['127.0.0.1', '10.0.7.9', '::1']) {
      expect(await decide(istio, xfcc(value), address)).toBe('credential_missing')
    }
  })
})

test.each([
  ['ca-as-leaf', 'svid_not_a_leaf'],
  ['cert-sign-usage', 'svid_not_a_leaf'],
  ['server-auth-only', 'certificate_purpose_mismatch'],
  ['expired', 'certificate_expired'],
  ['not-yet-valid', 'certificate_not_yet_valid'],
  ['cn-only', 'svid_id_malformed'],
  ['two-uri-sans', 'svid_id_malformed'],
  ['self-signed', 'certificate_untrusted'],
  ['weak-key', 'certificate_algorithm_weak'],
] as const)('T45 a forwarded certificate is no better than a presented one: %s', async (kind, code) => {
  const { chain } = await ca.broken(kind, '/ns/shop/sa/admin')
  expect(await decide(rfc9440({ from: { addresses: ['10.0.7.9'] } }), written.rfc9440(chain))).toBe(code)
})
