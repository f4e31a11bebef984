import type { Clock, RefusalResponse } from '@countersign/core'
import type { Duplex } from 'node:stream'

/** Answers an upgrade on its bare socket, and closes that: nothing behind the request is read (RFC 6455 §4.2.2, RFC 9112 §9.6). */
export function writeAnswer(socket: Duplex, { status, headers, body }: RefusalResponse, clock: Clock): void {
  const fields = { ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  // What is unread when a socket is closed resets it, and the client may lose the answer.
  socket.resume()
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  socket.once('finish', () => socket.destroy())
  // A client that reads nothing never has it all.
  clock.schedule?.(() => socket.destroy(), graceMs)
}

/** For what no route is for, and for what nothing was decided of: there is nothing to say. */
export const bare = (status: number): RefusalResponse => ({ status, headers: {}, body: '' })

/** How long a client has to take what it was sent last. */
export const graceMs = 5000

// An import of `node:http` by name reads all its names, and so loads Node's fetch and WebSocket client.
const { STATUS_CODES } = process.getBuiltinModule('node:http')
