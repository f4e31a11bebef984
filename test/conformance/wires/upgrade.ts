// Upgrades to WebSockets: the answer is what the service sends over one, or that of HTTP where it is not opened.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as later } from 'node:timers/promises'
import { dial, textOf, upgradeTo, type Opened } from '../../ws/served-sockets.ts'
import { recorded, serverCa, type Answer, type Call, type Calls, type OpenStream } from '../served.ts'
import type { Received, Served, Transport } from '../served.ts'
import { received } from './http-answer.ts'
import { mutable, pemOf } from './http.ts'
import type { Listening } from './listening.ts'

export class UpgradeServed implements Served {
  readonly opening = upgradeTo('/').slice(2)
  /** A close frame with a code (RFC 6455 §5.5.1), without the code's last octet: each handler sends one when it is done. */
  readonly ending = Buffer.from([0x88, 2, 1000 >> 8])
  readonly #listening: Listening
  readonly #transport: Transport
  readonly #close: () => Promise<void>

  constructor(listening: Listening, transport: Transport, close: () => Promise<void>) {
    this.#listening = listening
    this.#transport = transport
    this.#close = close
  }

  call(path: string, call: Call = {}): Promise<Answer> {
    return recorded(() =>
      call.method === undefined ? this.#upgrade(path, call) : this.#by(call.method, path, call),
    )
  }

  /** There are none to share: a connection that was upgraded is no one else's. */
  kept(): Calls {
    return { call: (path, call) => this.call(path, call), close: () => undefined }
  }

  async abandon(path: string, { headers = {} }: Call, when: 'at once' | 'begun'): Promise<void> {
    const socket = await this.raw()
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`)
    socket.on('error', () => undefined)
    socket.write([...upgradeTo(path, ...fields), '', ''].join('\r\n'))
    if (when === 'begun') await later(5)
    socket.destroy()
    if (!socket.closed) await once(socket, 'close')
  }

  open(path: string, call: Call): OpenStream {
    const heard: string[] = []
    let opened: Opened | undefined
    const ended = this.#dial(path, call).then(async (answer) => {
      if (!('socket' in answer)) return 'refused'
      opened = answer
      heard.push(...answer.messages)
      answer.socket.on('message', (text) => heard.push(textOf(text)))
      const [code] = await answer.closed
      return code === 1008 ? 'refused' : code === 1013 ? 'unavailable' : 'otherwise'
    })
    return {
      received: heard,
      ended,
      send: (text) => opened?.socket.send(text),
      close: () => opened?.socket.close(),
    }
  }

  raw(): ReturnType<Served['raw']> {
    return this.#listening.raw()
  }

  async close(): Promise<void> {
    this.#listening.close()
    await this.#close()
  }

  #dial(path: string, { headers = {}, certificate }: Call): ReturnType<typeof dial> {
    const at = this.#transport === 'http' ? 'ws://127.0.0.1' : 'wss://localhost'
    const tls = this.#transport === 'http' ? {} : { ca: serverCa.bundle, ...pemOf(certificate) }
    const fields = mutable(headers) as Record<string, string> // Node takes lists as well
    return dial(`${at}:${this.#listening.port}${path}`, { headers: fields, family: 4, ...tls })
  }

  async #upgrade(path: string, call: Call): Promise<Received> {
    const answer = await this.#dial(path, call).catch(hungUp)
    if (!('socket' in answer)) return 'outcome' in answer ? answer : received(answer)
    const { socket, messages, headers, closed } = answer
    for await (const chunk of chunksOf(call.body)) socket.send(chunk)
    // The end of what is sent.
    socket.send('')
    const [code] = await closed
    return { outcome: code === 1000 ? 'handled' : 'failed', status: 101, headers, body: messages.join('') }
  }

  /** By another method than that of WebSockets. */
  async #by(method: string, path: string, { headers = {} }: Call): Promise<Received> {
    const request = this.#transport === 'http' ? httpRequest : httpsRequest
    const sent = request({
      host: 'localhost',
      family: 4,
      port: this.#listening.port,
      path,
      method,
      headers: { ...fieldsOf(this.opening), ...mutable(headers) },
      agent: false,
      ...(this.#transport === 'http' ? {} : { ca: serverCa.bundle }),
    }).end()
    const opened = once(sent, 'upgrade').then(([, socket]) => {
      socket.destroy()
      return { outcome: 'handled', status: 101, headers: {}, body: '' } as const
    })
    const refused = once(sent, 'response').then(async ([response]) => {
      response.resume()
      return received({ status: response.statusCode, headers: response.headers, body: '' })
    })
    return Promise.race([opened, refused])
  }
}

/** As some frameworks answer what they have no route for. */
const hungUp = (): Received => ({ outcome: 'unknown', status: 0, headers: {}, body: '' })

const fieldsOf = (lines: readonly string[]): Record<string, string> =>
  Object.fromEntries(lines.map((line) => line.split(': ') as [string, string])) // as they are written there

async function* chunksOf(body: Call['body']): AsyncGenerator<Uint8Array | string> {
  if (typeof body === 'string') yield body
  else if (body !== undefined) yield* body
}
