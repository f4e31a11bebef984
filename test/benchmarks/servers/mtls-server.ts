// A process of its own, so that its CPU is told apart from that of whoever sends it requests.
import { hash } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { countersign, createGuard, createTlsServer, requires, callerIs } from '@countersign/node-http'
import { serveInChild } from './serve-in-child.ts'

export interface MtlsServerSetup {
  /** What is done with the certificate of a connection before a request is answered. */
  readonly kind: keyof typeof servers
  readonly cert: string
  readonly key: string
  /** PEM of the root. */
  readonly roots: string
  /** PEM of the issuing CA: some versions of Node show servers nothing but the leaf (nodejs/node#65579). */
  readonly intermediates: string
  readonly trustDomain: string
  /** How many certificates are remembered; the default where it is undefined. */
  readonly maxEntries?: number
}

const ok = (_: IncomingMessage, response: ServerResponse): void => {
  response.end('ok')
}

const looking =
  (look: (socket: TLSSocket) => string | undefined): RequestListener =>
  (request, response) => {
    // An https server has no other sockets.
    if (look(request.socket as TLSSocket) === undefined) response.statusCode = 401
    ok(request, response)
  }

const withNode = (setup: MtlsServerSetup, listener: RequestListener) =>
  createServer(
    { cert: setup.cert, key: setup.key, ca: setup.roots, requestCert: true, rejectUnauthorized: true },
    listener,
  )

const servers = {
  bare: (setup: MtlsServerSetup) => withNode(setup, ok),
  countersign({ roots, intermediates, trustDomain, cert, key, maxEntries }: MtlsServerSetup) {
    const guard = createGuard({
      certificates: { trustDomains: { [trustDomain]: roots }, intermediates },
      ...(maxEntries === undefined ? {} : { cache: { maxEntries } }),
      log: false,
    })
    const service = countersign(guard)
    const route = service.route('GET /', requires(callerIs(`spiffe://${trustDomain}/client/*`)), ok)
    return createTlsServer(service.listener(route), { guard, cert, key })
  },
  x509: (setup: MtlsServerSetup) =>
    withNode(
      setup,
      looking((socket) => {
        const certificate = socket.getPeerX509Certificate()
        return certificate && hash('sha256', certificate.raw) + certificate.subjectAltName
      }),
    ),
  peerCertificate: (setup: MtlsServerSetup) =>
    withNode(
      setup,
      looking((socket) => socket.getPeerCertificate(true).subjectaltname),
    ),
}

serveInChild(async (message) => {
  const setup = message as MtlsServerSetup // what the part of the benchmark has sent
  const server = servers[setup.kind](setup)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return [(server.address() as AddressInfo).port] // it listens on a port
})
