// Requests of HTTP/1.1 and HTTP/2, and their answers.
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { setTimeout as later } from 'node:timers/promises'
import type { TestCertificate } from '@countersign/testing'
import {
  recorded,
  serverCa,
  type Answer,
  type Call,
  type Calls,
  type Received,
  type Served,
  type Transport,
} from '../served.ts'
import type { Built, HttpSubject, Subject } from '../subject.ts'
import { received } from './http-answer.ts'
import { Listening, serverFor } from './listening.ts'

export const overHttp = (subject: HttpSubject): Subject => ({
  name: subject.name,
  adapter: subject.adapter,
  wire: 'HTTP',
  lacks: { 'open streams': 'what stays open is a WebSocket: `ws`', ...subject.lacks },
  spell: (method, path) => ({ method, path }),
  start: async (guard, service, { transport = 'http' } = {}) => {
    const built = await subject.build(guard, service)
    await built.seal()
    return HttpServed.start(built, guard, transport)
  },
  misplaced: async (guard, path, placement) => {
    const built = await subject.buildMisplaced?.(guard, path, placement)
    if (built === undefined) throw new Error(`${subject.name} does not say how it builds such a route`)
    return { seal: () => built.seal(), serve: () => HttpServed.start(built, guard, 'http') }
  },
})

class HttpServed implements Served {
  readonly opening = ['Connection: close']
  readonly #listening: Listening
  readonly #built: Built
  readonly #transport: Transport

  private constructor(listening: Listening, built: Built, transport: Transport) {
    this.#listening = listening
    this.#built = built
    this.#transport = transport
  }

  static async start(built: Built, guard: Parameters<Subject['start']>[0], transport: Transport) {
    // Requests and responses of HTTP/2 are made to be taken for those of HTTP/1.
    const server = serverFor(guard, transport).on('request', built.listener)
    return new HttpServed(await Listening.start(server), built, transport)
  }

  call(path: string, call: Call = {}): Promise<Answer> {
    return recorded(async () =>
      received(
        await (this.#transport === 'http2' ? this.#overHttp2(path, call) : this.#overHttp1(path, call)),
      ),
    )
  }

  kept(connections: number): Calls {
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    return {
      call: (path, call = {}) => recorded(async () => received(await this.#overHttp1(path, call, agent))),
      close: () => agent.destroy(),
    }
  }

  async abandon(
    path: string,
    { method = 'POST', headers = {} }: Call,
    when: 'at once' | 'begun',
  ): Promise<void> {
    const socket = await this.raw()
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n${fields.join('')}\r\nabc`)
    if (when === 'begun') await later(5)
    socket.destroy()
    await once(socket, 'close')
  }

  raw(): ReturnType<Served['raw']> {
    return this.#listening.raw()
  }

  async close(): Promise<void> {
    this.#listening.close()
    await this.#built.close?.()
  }

  async #overHttp1(path: string, call: Call, agent?: Agent): Promise<Omit<Received, 'outcome'>> {
    const { method = 'GET', headers = {}, body, certificate } = call
    const common = {
      host: 'localhost',
      family: 4,
      port: this.#listening.port,
      path,
      method,
      headers: mutable(headers),
      agent: agent ?? false,
    }
    const sent =
      this.#transport === 'http'
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

  async #overHttp2(path: string, call: Call): Promise<Omit<Received, 'outcome'>> {
    const { method = 'GET', headers = {}, body, certificate } = call
    const session = connectHttp2(`https://localhost:${this.#listening.port}`, {
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

export const pemOf = (certificate: TestCertificate | undefined): { cert?: string; key?: string } =>
  certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all).toString()
}

export const mutable = (headers: NonNullable<Call['headers']>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
