// What `node:http2` makes of connections: a new object for each request, which stands for the stream once that has ended.
import { connect as connectHttp2, constants, createSecureServer, type ClientHttp2Session } from 'node:http2'
import { connect } from 'node:tls'
import { callerOptional, createGuard, rfc9440, tlsOptions, type Decision } from '@countersign/core'
import { createTestCa, type TestSvid } from '@countersign/testing'
import { afterAll, expect, test } from 'vitest'
import { codeOf } from './support/asking.ts'
import { listening } from './support/serving.ts'

const ca = await createTestCa()
const checkout = await ca.svid('/checkout')
const stranger = await (await createTestCa()).svid('/checkout')
const { cert, key } = await ca.serverCertificate()
const guard = createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })

const decisions: Decision[] = []
const sockets = new Set<object>()
let before: () => Promise<void> = async () => {}
let decided = Promise.withResolvers<void>()
const server = createSecureServer(tlsOptions({ cert, key, guard }), async (request, response) => {
  sockets.add(request.socket)
  await before()
  decisions.push(await guard.decide(request, callerOptional('the test looks at both')))
  response.end()
  decided.resolve()
})
const port = await listening(server)
afterAll(() => server.close())

function open(client: TestSvid): ClientHttp2Session {
  const socket = connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca: ca.bundle,
    cert: client.cert,
    key: client.key,
    ALPNProtocols: ['h2'],
  })
  return connectHttp2('https://localhost', { createConnection: () => socket })
}

async function askThrice(client: TestSvid): Promise<readonly Decision[]> {
  const session = open(client)
  decisions.length = 0
  for (let i = 0; i < 3; i += 1) await session.request({ ':path': '/' }).toArray()
  session.close()
  return [...decisions]
}

test('what is known of a connection serves all of its streams: a stranger has no path searched for each', async () => {
  const [first, ...others] = await askThrice(stranger)
  expect(first && codeOf(first)).toBe('certificate_untrusted')
  for (const other of others) {
    expect(other.outcome === 'deny' && first?.outcome === 'deny' && other.refusal === first.refusal).toBe(
      true,
    )
  }
  expect((await askThrice(checkout)).map(codeOf)).toEqual(['allow', 'allow', 'allow'])
})

test('who hangs up on a stream does not hide its certificate', async () => {
  const session = open(stranger)
  decisions.length = 0
  decided = Promise.withResolvers()
  const arrived = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  before = () => {
    arrived.resolve()
    return gone.promise
  }
  server.once('stream', (stream) => stream.once('close', () => gone.resolve()))
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => undefined)
  await arrived.promise
  stream.close(constants.NGHTTP2_CANCEL)
  await decided.promise
  session.close()
  expect(decisions.map(codeOf)).toEqual(['certificate_malformed'])
})

test('a proxy is known by its address also where an adapter hands in what stands for the socket of the session', async () => {
  const proxied = createGuard({
    certificates: {
      trustDomains: { 'test.example': ca.bundle },
      forwarded: rfc9440({ from: { addresses: ['127.0.0.1'] } }),
    },
    log: false,
  })
  const leaf = Buffer.from(checkout.der).toString('base64')
  const known = Promise.withResolvers<Decision>()
  server.once('stream', (stream) => {
    const request = {
      method: 'GET',
      url: '/',
      headers: { 'client-cert': `:${leaf}:` },
      rawHeaders: ['client-cert', `:${leaf}:`],
      socket: stream.session?.socket ?? {},
    }
    known.resolve(proxied.decide(request, callerOptional('the test looks at it')))
  })
  const session = open(stranger)
  await session.request({ ':path': '/' }).toArray()
  session.close()
  const decision = await known.promise
  expect(decision.outcome === 'allow' && decision.caller?.id).toBe('spiffe://test.example/checkout')
})
