// Client certificates: of connections that begin, that go on, and of sessions that are resumed.
import { once } from 'node:events'
import { connect as connectHttp2, createSecureServer, type Http2ServerRequest } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type Server, type TLSSocket } from 'node:tls'
import { callerOptional, tlsOptions, type Guard } from '@countersign/core'
import { brokenCertificateKinds, createTestClock, type TestCertificate } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { askTwice } from '../../../core/support/resuming.ts'
import type { HttpSubject, Service } from '../../../conformance/subject.ts'
import { ca, certificates, guardWith, issuer, wanted } from '../house.ts'

const identity = await ca.serverCertificate(['localhost'])
const checkout = await ca.svid('/checkout')
const issuing = await ca.intermediate()
const below = await issuing.svid('/below')
// Shared by servers, as in a cluster or behind a balancer.
const ticketKeys = Buffer.alloc(48, 7)

const service: Service = {
  routes: [
    {
      method: 'GET',
      path: '/',
      placement: callerOptional('the test looks'),
      handle: ({ caller }) => ({ body: `seen ${caller?.id ?? 'nobody'}` }),
    },
  ],
}

interface TlsServer extends Disposable {
  readonly port: number
}

/** Serves behind a guard of its own, which has seen no handshake. */
async function serve(subject: HttpSubject, guard: Guard, isHttp2 = false): Promise<TlsServer> {
  const { listener, close } = await subject.build(guard, service)
  const options = tlsOptions({ cert: identity.cert, key: identity.key, guard })
  const server: Server = isHttp2
    ? createSecureServer(options, listener as unknown as (request: Http2ServerRequest) => void) // made to be taken for it
    : createServer(options, listener)
  server.setTicketKeys(ticketKeys)
  const sockets = new Set<TLSSocket>()
  server.on('secureConnection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // it listens on a port
    [Symbol.dispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      guard.close()
      void close?.()
    },
  }
}

const own = (certificate?: TestCertificate): { cert?: string; key?: string } =>
  certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }

/** What is answered to requests that are sent one after the other on one connection. */
async function ask(
  port: number,
  certificate: TestCertificate | undefined,
  between: () => void = () => undefined,
  headers = '',
): Promise<readonly string[]> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: ca.bundle,
    servername: 'localhost',
    ...own(certificate),
  })
  socket.on('error', () => undefined) // where the handshake fails, there is nothing to read
  const closed = once(socket, 'close')
  const answers: string[] = []
  for (const connection of ['keep-alive', 'close']) {
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n${headers}\r\n`)
    const [chunk] = await Promise.race([once(socket, 'data'), closed.then(() => [''])])
    answers.push(String(chunk))
    between()
  }
  socket.destroy()
  return answers
}

export function handshakes(subject: HttpSubject): void {
  const guard = (environment = {}): Guard => guardWith({ certificates }, environment)

  describe('a connection', () => {
    // A client of Node does not even show a key that weak.
    test.each(brokenCertificateKinds.filter((kind) => kind !== 'weak-key'))(
      'T44 T45 T38 with a certificate that is %s is nobody’s',
      async (kind) => {
        using server = await serve(subject, guard())
        const answers = await ask(server.port, await ca.broken(kind, '/checkout'))
        for (const answer of answers) expect(answer).not.toMatch(/seen spiffe/)
        expect((await ask(server.port, checkout))[0]).toContain('seen spiffe://test.example/checkout')
      },
    )

    test('T45 T32 ends with its certificate, also while it is kept alive', async () => {
      const clock = createTestClock(new Date())
      using server = await serve(subject, guard({ clock }))
      const [first, second] = await ask(server.port, checkout, () => clock.advance({ seconds: 3601 }))
      expect(first).toContain('seen spiffe://test.example/checkout')
      expect(second).toMatch(/^HTTP\/1\.1 403 /)
    })

    test('T35 of another, or of nobody, is none for a token that is bound to a certificate', async () => {
      using server = await serve(subject, guard())
      const token = await issuer.token('checkout', {
        ...wanted,
        boundTo: checkout,
        claims: { spiffe_id: 'spiffe://test.example/checkout' },
      })
      const line = `Authorization: Bearer ${token}\r\n`
      expect((await ask(server.port, checkout, undefined, line))[0]).toContain(
        'seen spiffe://test.example/checkout',
      )
      for (const other of [undefined, await ca.svid('/checkout'), await ca.svid('/other')]) {
        for (const answer of await ask(server.port, other, undefined, line)) {
          expect(answer).toMatch(/^HTTP\/1\.1 40[013] /)
        }
      }
    })

    test.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'T42 that resumes a session of %s without a certificate is nobody’s, whichever comes with it',
      async (maxVersion) => {
        using server = await serve(subject, guard())
        const client = { port: server.port, ca: ca.bundle, maxVersion, servername: 'localhost' }
        const { session } = await askTwice(client)
        for (const certificate of [undefined, checkout]) {
          const answer = await askTwice({ ...client, session, ...own(certificate) })
          expect(answer).toMatchObject({
            isResumed: true,
            status: 200,
            body: expect.stringContaining('seen nobody'),
          })
        }
      },
    )

    test('T42 whose session comes from a path that nobody has seen is refused, and closed', async () => {
      using first = await serve(subject, guard())
      using second = await serve(subject, guard())
      const client = { ca: ca.bundle, maxVersion: 'TLSv1.2', servername: 'localhost', ...own(below) } as const
      const { session } = await askTwice({ ...client, port: first.port })
      const answer = await askTwice({ ...client, port: second.port, session })
      expect(answer).toMatchObject({ isResumed: true, status: 403, answers: 1 })
    })

    test.skipIf(subject.lacks?.['HTTP/2'] !== undefined)(
      'T42 of HTTP/2 whose session comes from a path that nobody has seen is refused, and closed',
      async () => {
        using first = await serve(subject, guard(), true)
        using second = await serve(subject, guard(), true)
        const client = { host: '127.0.0.1', servername: 'localhost', ca: ca.bundle, ...own(below) }
        const handshake = { ...client, ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' } as const
        const begun = connect({ ...handshake, port: first.port })
        await once(begun, 'secureConnect')
        const session = begun.getSession()
        begun.destroy()
        const socket = connect({ ...handshake, port: second.port, ...(session && { session }) })
        await once(socket, 'secureConnect')
        expect(socket.isSessionReused()).toBe(true)
        const http2 = connectHttp2('https://localhost', { createConnection: () => socket })
        const closed = once(http2, 'close').then(() => 'closed')
        const stream = http2.request({ ':path': '/' })
        const [{ ':status': status }] = await once(stream, 'response')
        stream.resume()
        expect(status).toBe(403)
        const waited = new Promise((resolve) => setTimeout(resolve, 2000, 'open'))
        expect(await Promise.race([closed, waited])).toBe('closed')
        http2.destroy()
      },
    )
  })
}
