// Clients that resume TLS sessions, and see whether their connection was kept.
import { once } from 'node:events'
import { connect, type ConnectionOptions } from 'node:tls'

export interface ResumingClient {
  readonly port: number
  /** PEM of the authority behind the server's certificate. */
  readonly ca: string
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly cert?: string
  readonly key?: string
  /** Default: none, as for a client that connects to an address. */
  readonly servername?: string
  readonly session?: Buffer
  readonly host?: string
}

export interface ResumableAnswer {
  readonly isResumed: boolean
  readonly status: number
  readonly body: string
  /** How many of two requests on the connection were answered. */
  readonly answers: number
  /** For the next connection. */
  readonly session: Buffer
}

/** Asks twice on one connection. */
export async function askTwice({ host = 'localhost', ...client }: ResumingClient): Promise<ResumableAnswer> {
  const options: ConnectionOptions = { host: '127.0.0.1', checkServerIdentity: () => undefined, ...client }
  const socket = connect(options)
  // A server need not give a new one for one that was resumed.
  let { session } = client
  socket.on('session', (ticket) => (session = ticket))
  await once(socket, 'secureConnect')
  const isResumed = socket.isSessionReused()
  const lines = `GET / HTTP/1.1\r\nHost: ${host}\r\n`
  socket.write(`${lines}\r\n${lines}Connection: close\r\n\r\n`)
  const text = Buffer.concat(await socket.toArray()).toString()
  const [, status, body = ''] = /^HTTP\/1\.1 (\d+)[^]*?\r\n\r\n([^]*?)(?:HTTP|$)/.exec(text) ?? []
  if (session === undefined) throw new Error('expected a session to resume')
  return { isResumed, status: Number(status), body, answers: text.split('HTTP/1.1 ').length - 1, session }
}
