// A server whose upgrades are protected, and clients that say how they were answered.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { WebSocket, WebSocketServer, type ClientOptions, type RawData } from 'ws'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of the newer release as far as tests go
import { WebSocketServer as WebSocketServer813 } from 'ws813'

/** The newest and the oldest release that the adapter promises to work on; the types are those of the newer. */
export const wsVersions: readonly (readonly [name: string, Server: typeof WebSocketServer])[] = [
  ['ws 8.23', WebSocketServer],
  ['ws 8.13', WebSocketServer813],
]

export interface Refused {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Opened {
  readonly socket: WebSocket
  /** Of the answer that opened it. */
  readonly headers: IncomingHttpHeaders
  /** What has come. */
  readonly messages: string[]
  readonly closed: Promise<readonly [code: number, reason: string]>
}

/** A message, which comes in one piece here. */
export const textOf = (data: RawData): string => (Buffer.isBuffer(data) ? data.toString() : '')

export async function listen(server: Server): Promise<number> {
  const accepted = new Set<Socket>()
  connections.set(server, accepted)
  server.on('connection', (socket: Socket) => accepted.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as { port: number }).port // it listens on a port
}

/** Closes a server and whatever was upgraded on it. */
export function hangUp(server: Server): void {
  server.close()
  for (const socket of connections.get(server) ?? []) socket.destroy()
}

const connections = new WeakMap<Server, Set<Socket>>()

export const makeServer = (): Server => createServer((_request, response) => response.writeHead(404).end())

/** Opens a WebSocket, or says how that was refused. */
export async function dial(url: string, options: ClientOptions = {}): Promise<Opened | Refused> {
  const socket = new WebSocket(url, { agent: false, ...options } as ClientOptions) // the types ask for an agent
  const messages: string[] = []
  socket.on('message', (text) => messages.push(textOf(text)))
  socket.on('error', () => undefined)
  const closed = new Promise<readonly [code: number, reason: string]>((resolve) =>
    socket.once('close', (code, reason) => resolve([code, String(reason)])),
  )
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {}
    socket.on('upgrade', (answer: IncomingMessage) => ({ headers } = answer))
    socket.on('open', () => resolve({ socket, headers, messages, closed }))
    socket.on('unexpected-response', (_request, answer: IncomingMessage) => {
      void readRefusal(answer).then(resolve, reject)
    })
    void closed.then(([code]) => reject(new Error(`closed with ${code} before it was open`)))
  })
}

async function readRefusal(answer: IncomingMessage): Promise<Refused> {
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  return { status: answer.statusCode ?? 0, headers: answer.headers, body }
}

export async function opened(...where: Parameters<typeof dial>): Promise<Opened> {
  const answer = await dial(...where)
  if ('socket' in answer) return answer
  throw new Error(`refused with ${answer.status}: ${answer.body}`)
}

export async function refused(...where: Parameters<typeof dial>): Promise<Refused> {
  const answer = await dial(...where)
  if (!('socket' in answer)) return answer
  answer.socket.terminate()
  throw new Error('expected a refusal')
}

/** Sends octets as they are, and reads until the server hangs up. */
export async function rawExchange(port: number, lines: readonly string[], more = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  socket.write(`${[...lines, '', ''].join('\r\n')}${more}`)
  await once(socket, 'close')
  return text
}

/** The lines of an upgrade. */
export const upgradeTo = (path: string, ...headers: readonly string[]): readonly string[] => [
  `GET ${path} HTTP/1.1`,
  'Host: orders',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ...headers,
]
