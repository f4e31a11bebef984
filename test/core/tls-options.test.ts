import { constants } from 'node:crypto'
import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect as connectHttp2, createSecureServer, type ClientHttp2Session } from 'node:http2'
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import {
  connect,
  createServer as createTls,
  type ConnectionOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'
import {
  authenticated,
  createGuard,
  decisionChannel,
  refusals,
  tlsOptions,
  type DecisionEvent,
  type Guard,
  type InboundRequest,
  type RefusalEntry,
  type TlsServerOptions,
} from '@countersign/core'
import { createTestCa, type TestSvid } from '@countersign/testing'
import fastify from 'fastify'
import { afterAll, describe, expect, test } from 'vitest'
import { requestWith } from './support/asking.ts'
import { authority, createKeys, name } from './support/der-certificate.ts'
import { pemOf } from './support/pem.ts'
import { askTwice } from './support/resuming.ts'
import {
  createPollingClock,
  listening,
  PairFiles,
  servedAt,
  ServedEvents,
  fingerprintOf,
} from './support/serving.ts'

const ca = await createTestCa()
const checkout = await ca.svid('/checkout')
const stranger = await (await createTestCa()).svid('/checkout')
const { cert, key } = await ca.serverCertificate()
const guard = createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })

const servers: Server[] = []
afterAll(() => servers.forEach((server) => server.close()))
async function open(server: Server): Promise<number> {
  servers.push(server)
  return listening(server)
}

/** Whom the guard says this is, or why it refuses. */
async function verdictOf(request: InboundRequest): Promise<string> {
  const decision = await guard.decide(request, authenticated())
  return decision.outcome === 'allow' ? (decision.caller?.id ?? 'nobody') : decision.refusal.code
}

type Client = Pick<TestSvid, 'cert' | 'key'>
const asClient = (client: Client | undefined): ConnectionOptions =>
  client === undefined ? {} : { cert: client.cert, key: client.key }

async function askHttps(port: number, client?: Client): Promise<string> {
  const sent = httpsRequest({
    host: 'localhost',
    port,
    family: 4,
    agent: false,
    ca: ca.bundle,
    ...asClient(client),
  })
  sent.end()
  const [response] = await once(sent, 'response')
  return Buffer.concat(await response.toArray()).toString()
}

async function askHttp2(port: number, client?: Client): Promise<string> {
  const session = sessionOver(toHttp2(port, asClient(client)))
  const answer = await answerOn(session)
  session.close()
  return answer
}

const toHttp2 = (port: number, more: ConnectionOptions): TLSSocket =>
  connect({ host: '127.0.0.1', servername: 'localhost', port, ca: ca.bundle, ALPNProtocols: ['h2'], ...more })

const sessionOver = (socket: TLSSocket): ClientHttp2Session =>
  connectHttp2('https://localhost', { createConnection: () => socket })

async function answerOn(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({ ':path': '/' })
  return Buffer.concat(await stream.toArray()).toString()
}

async function askTls(port: number, client?: Client): Promise<string> {
  const options: ConnectionOptions = {
    host: 'localhost',
    port,
    family: 4,
    ca: ca.bundle,
  } as ConnectionOptions
  const socket = connect({ ...options, ...asClient(client) })
  return Buffer.concat(await socket.toArray()).toString()
}

describe('the options of a server of one’s own', () => {
  const tls = tlsOptions({ cert, key, guard })

  test.each<[string, () => Promise<number>, (port: number, client?: Client) => Promise<string>]>([
    [
      'node:https',
      () =>
        open(
          createHttpsServer(tls, async (request, response) => void response.end(await verdictOf(request))),
        ),
      askHttps,
    ],
    [
      'node:http2, asked by HTTP/2',
      () =>
        open(
          createSecureServer(tls, async (request, response) => void response.end(await verdictOf(request))),
        ),
      askHttp2,
    ],
    [
      'node:http2, asked by HTTP/1',
      () =>
        open(
          createSecureServer({ ...tls, allowHTTP1: true }, async (request, response) => {
            response.end(await verdictOf(request))
          }),
        ),
      askHttps,
    ],
    [
      'node:tls',
      () =>
        open(
          createTls(tls, async (socket) => void socket.end(await verdictOf(requestWith(undefined, socket)))),
        ),
      askTls,
    ],
    [
      'Fastify',
      async () => {
        const app = fastify({ https: tls })
        app.get('/', async ({ raw }) => verdictOf(raw))
        await app.ready()
        return open(app.server)
      },
      askHttps,
    ],
  ])('let a guard decide behind %s', async (_, serve, ask) => {
    const port = await serve()
    expect(await ask(port, checkout)).toBe(checkout.spiffeId)
    expect(await ask(port, stranger)).toBe('certificate_untrusted')
    expect(await ask(port)).toBe('credential_missing')
  })

  test('work with rejectUnauthorized as well, where OpenSSL hangs up on strangers', async () => {
    const port = await open(
      createHttpsServer({ ...tls, rejectUnauthorized: true }, async (request, response) => {
        response.end(await verdictOf(request))
      }),
    )
    expect(await askHttps(port, checkout)).toBe(checkout.spiffeId)
    await expect(askHttps(port, stranger)).rejects.toThrow(/ECONNRESET|socket hang up|alert/)
    await expect(askHttps(port)).rejects.toThrow(/ECONNRESET|socket hang up|alert/)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = { port, ca: ca.bundle, maxVersion, cert: checkout.cert, key: checkout.key }
      const { session } = await askTwice(client)
      expect(await askTwice({ ...client, session })).toMatchObject({
        isResumed: true,
        body: checkout.spiffeId,
      })
    }
  })

  test('serve also where the names of the authorities are more than a handshake holds', async () => {
    const keys = createKeys()
    const rootsOf = (count: number): string =>
      Array.from({ length: count }, (_, i) =>
        pemOf(authority({ subject: name(String(i).padEnd(7000, 'x')), keys }).der),
      ).join('')
    for (const [count, isNamed] of [
      [8, true],
      [10, false],
    ] as const) {
      const partly = createGuard({
        certificates: { trustDomains: { 'test.example': ca.bundle, 'partner.example': rootsOf(count) } },
        log: false,
      })
      expect(partly.clientAuthorities.length > 0).toBe(isNamed)
      const server = createTls(tlsOptions({ cert, key, guard: partly }), async (socket) => {
        const decision = await partly.decide(requestWith(undefined, socket), authenticated())
        socket.end(decision.outcome)
      })
      const port = await open(server)
      expect(await askTls(port, checkout)).toBe('allow')
    }
  })

  test('never leave clients to the public authorities that Node trusts', () => {
    expect(tls).toMatchObject({
      ca: [expect.stringContaining('BEGIN')],
      requestCert: true,
      rejectUnauthorized: false,
    })
    const tokens = createGuard({ audience: 'orders', issuers: ['https://idp.internal'], log: false })
    expect(tlsOptions({ cert, key, guard: tokens })).toMatchObject({ ca: [], requestCert: false })
    const bound = tlsOptions({ cert, key, guard: tokens, requestCertificate: true })
    expect(bound).toMatchObject({ ca: [], requestCert: true, rejectUnauthorized: false })
    tokens.close()
  })
})

test('where HTTP/2 refuses a resumed session, its answer has no header for that, and its code says that it ends', async () => {
  const issuing = await ca.intermediate()
  const below = await issuing.svid('/below')
  const ticketKeys = Buffer.alloc(48, 7)
  const serve = async (own: Guard): Promise<number> =>
    open(
      createSecureServer(
        { ...tlsOptions({ cert, key, guard: own }), ticketKeys },
        async (request, response) => {
          const decision = await own.decide(request, authenticated())
          if (decision.outcome === 'allow') {
            response.end('allow')
            return
          }
          // Unlike the response, a stream throws at headers that HTTP/2 does not have.
          response.stream.respond({ ':status': decision.response.status, ...decision.response.headers })
          response.stream.end(decision.refusal.code)
          const { endsConnection }: RefusalEntry = refusals[decision.refusal.code]
          if (endsConnection === true) request.stream.session?.close()
        },
      ),
    )
  const own = (): Guard =>
    createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })
  const client = { ...asClient(below), maxVersion: 'TLSv1.2' } as const
  const socket = toHttp2(await serve(own()), client)
  const ticket = once(socket, 'session')
  const first = sessionOver(socket)
  await answerOn(first)
  first.close()
  const [session] = await ticket
  const second = sessionOver(toHttp2(await serve(own()), { ...client, session }))
  const ended = once(second, 'close')
  expect(await answerOn(second)).toBe('certificate_chain_unknown')
  await ended
})

describe('what is weak', () => {
  test.each([undefined, 'TLSv1.3'] as const)(
    'stays forbidden after the certificate was replaced: oldest version %s',
    async (minVersion) => {
      const clock = createPollingClock()
      await using files = await PairFiles.create({ cert, key })
      using events = new ServedEvents()
      const options = {
        cert: files.cert,
        key: files.key,
        guard,
        ...(minVersion === undefined ? {} : { minVersion }),
      }
      const tls = tlsOptions(options, { clock })
      const port = await open(
        tls.applyTo(createTls(tls, (socket) => socket.on('error', () => undefined).resume())),
      )
      await clock.settled()
      const next = await ca.serverCertificate()
      await files.put(next)
      await events.reach(1, clock)
      expect(await servedAt(port, ca)).toBe(fingerprintOf(next))
      const tooOld = minVersion === undefined ? 'TLSv1.1' : 'TLSv1.2'
      for (const servername of [undefined, 'localhost']) {
        const to: ConnectionOptions = {
          host: '127.0.0.1',
          port,
          ca: ca.bundle,
          ...(servername && { servername }),
        }
        const weak = connect({
          ...to,
          minVersion: 'TLSv1',
          maxVersion: tooOld,
          ciphers: 'DEFAULT@SECLEVEL=0',
        })
        const [error] = await once(weak, 'error')
        expect(error).toMatchObject({ code: expect.stringMatching(/PROTOCOL_VERSION/) })
        if (minVersion !== undefined) continue
        const renegotiating = connect({ ...to, maxVersion: 'TLSv1.2' })
        await once(renegotiating, 'secureConnect')
        renegotiating.renegotiate({}, () => undefined)
        const [refused] = await once(renegotiating, 'error')
        expect(refused).toMatchObject({ code: expect.stringMatching(/NO_RENEGOTIATION/) })
      }
    },
  )
})

test.each([
  { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
  { crl: '-----BEGIN X509 CRL-----' },
  { maxVersion: 'TLSv1.2' },
  { minVersion: 'TLSv1.3' },
  { secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET },
  { honorCipherOrder: false },
  { ticketKeys: Buffer.alloc(48, 7) },
] as const)('a server that was made with more than these options cannot follow: %o', (more) => {
  const tls = tlsOptions({ cert, key, guard })
  // Made as Node makes it, without having OpenSSL read what is no list of revoked certificates.
  const server = createTls(tls)
  Object.assign(server, more)
  expect(() => tls.applyTo(server)).toThrow(
    expect.objectContaining({ code: 'configuration_invalid', option: Object.keys(more)[0] }),
  )
  if ('crl' in more) return
  expect(() => tls.applyTo(createTls({ ...tls, ...more }))).toThrow(/would not keep it/)
})

test('over HTTP/2, requests on one connection share what is known of it', async () => {
  const known: string[] = []
  const heard = (event: unknown): void => void known.push((event as DecisionEvent).verification)
  subscribe(decisionChannel, heard)
  const server = createSecureServer(tlsOptions({ cert, key, guard }), async (request, response) => {
    response.end(await verdictOf(request))
  })
  const session = sessionOver(toHttp2(await open(server), asClient(checkout)))
  const answers = [await answerOn(session), await answerOn(session)]
  session.close()
  unsubscribe(decisionChannel, heard)
  expect(answers).toEqual([checkout.spiffeId, checkout.spiffeId])
  expect(known).toEqual(['fresh', 'connection'])
})

describe('options that cannot be', async () => {
  const expired = await ca.serverCertificate(undefined, { notAfter: new Date(Date.now() - 1000) })
  const good = { cert, key, guard }
  const cut = cert.slice(0, -30)

  test.each<[string, object, string, RegExp]>([
    ['no guard', { ...good, guard: undefined }, 'guard', /createGuard/],
    ['a misspelt option', { ...good, passphrase: 'x' }, 'tlsOptions.passphrase', /no such option/],
    ['an old version', { ...good, minVersion: 'TLSv1.1' }, 'minVersion', /TLSv1\.3/],
    ['a wish that is none', { ...good, requestCertificate: 'yes' }, 'requestCertificate', /true or false/],
    [
      'a certificate that has expired',
      { ...good, cert: expired.cert, key: expired.key },
      'cert',
      /is not now/,
    ],
    ['a certificate that is cut off', { ...good, cert: cut }, 'cert', /does not end/],
    ['no certificate', { ...good, cert: key }, 'cert', /`CERTIFICATE`/],
    ['no key', { ...good, key: cert }, 'key', /`PRIVATE KEY`/],
    ['a key of another certificate', { ...good, key: checkout.key }, 'key', /cannot be used together/],
    ['a file that is not there', { ...good, key: './nowhere.key' }, 'key', /cannot be read/],
  ])('%s is told when they are made', (_, options, option, message) => {
    const make = (): unknown => tlsOptions(options as TlsServerOptions)
    expect(make).toThrow(expect.objectContaining({ code: 'configuration_invalid', option }))
    expect(make).toThrow(message)
  })
})
