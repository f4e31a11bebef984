// A built service on a loopback port, and clients that call it over real connections.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type Agent,
  type IncomingHttpHeaders,
  type Server,
} from 'node:http'
import {
  connect as connectHttp2,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { decisionChannel, tlsOptions, type DecisionEvent, type Guard } from '@countersign/core'
import { createTestCa, type TestCertificate } from '@countersign/testing'
import type { Built } from './subject.ts'

export type Transport = 'http' | 'https' | 'http2'

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | AsyncIterable<Uint8Array>
  /** The client certificate. */
  readonly certificate?: TestCertificate
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Of the decisions that were recorded while the call was under way, the last one's code: null where it allowed. */
  readonly code: string | null | undefined
  readonly events: readonly DecisionEvent[]
}

const serverCa = await createTestCa({ name: 'CA of the services' })
const identity = await serverCa.serverCertificate(['localhost'])

export class Served {
  readonly port: number
  readonly transport: Transport
  readonly #server: Server | Http2SecureServer
  readonly #built: Built
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server | Http2SecureServer, built: Built, transport: Transport) {
    this.#server = server
    this.#built = built
    this.transport = transport
    this.port = (server.address() as AddressInfo).port // it listens on a port
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(built: Built, guard: Guard, transport: Transport = 'http'): Promise<Served> {
    const server = serverFor(built, guard, transport)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Served(server, built, transport)
  }

  async call(path: string, call: Call = {}): Promise<Answer> {
    const events: DecisionEvent[] = []
    const listen = (event: unknown): void => void events.push(event as DecisionEvent) // the channel's own
    subscribe(decisionChannel, listen)
    try {
      const answer = this.transport === 'http2' ? this.#overHttp2(path, call) : this.#overHttp1(path, call)
      return { ...(await answer), events, code: events.at(-1)?.code }
    } finally {
      unsubscribe(decisionChannel, listen)
    }
  }

  /** A connection on which a test writes what it likes. */
  async raw(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await this.#built.close?.()
  }

  async #overHttp1(path: string, call: Call): Promise<Pick<Answer, 'status' | 'headers' | 'body'>> {
    const { method = 'GET', headers = {}, body, certificate, agent } = call
    const common = {
      host: 'localhost',
      family: 4,
      port: this.port,
      path,
      method,
      headers: mutable(headers),
      agent: agent ?? false,
    }
    const sent =
      this.transport === 'http'
        ? httpRequest(common)
        : httpsRequest({ ...common, ca: serverCa.bundle, ...pemOf(certificate) })
    if (body === undefined || typeof body === 'string') sent.end(body)
    else {
      for await (const chunk of body) if (!sent.write(chunk)) await once(sent, 'drain')
      sent.end()
    }
    const [response] = await once(sent, 'response')
    return { status: response.statusCode, headers: response.headers, body: await textOf(response) }
  }

  async #overHttp2(path: string, call: Call): Promise<Pick<Answer, 'status' | 'headers' | 'body'>> {
    const { method = 'GET', headers = {}, body, certificate } = call
    const session = connectHttp2(`https://localhost:${this.port}`, {
      ca: serverCa.bundle,
      ...pemOf(certificate),
      lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
    })
    try {
      const stream = session.request({ ...mutable(headers), ':method': method, ':path': path })
      stream.end(typeof body === 'string' ? body : undefined)
      const [answered] = await once(stream, 'response')
      const { ':status': status, ...fields } = answered
      return { status, headers: fields, body: await textOf(stream) }
    } finally {
      session.destroy()
    }
  }
}

function serverFor(built: Built, guard: Guard, transport: Transport): Server | Http2SecureServer {
  if (transport === 'http') return createServer(built.listener)
  const options = tlsOptions({ cert: identity.cert, key: identity.key, guard })
  if (transport === 'https') return createHttpsServer(options, built.listener)
  // Its requests and responses are made to be taken for those of HTTP/1.
  const listener = built.listener as unknown as (
    request: Http2ServerRequest,
    response: Http2ServerResponse,
  ) => void
  return createSecureServer({ ...options, allowHTTP1: true }, listener)
}

const pemOf = (certificate: TestCertificate | undefined): { cert?: string; key?: string } =>
  certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all).toString()
}

const mutable = (headers: NonNullable<Call['headers']>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
