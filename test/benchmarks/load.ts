// Requests over kept-alive connections, made beforehand: what a server uses is to be seen. A client that is slower than its server would
// hide it, and one that sleeps for one service and not for the next would have their servers pay for waking it; so this one does little.
import { connect } from 'node:net'
import { audience } from './tokens.ts'

/** A request as it goes over the wire. */
export const requestWith = (token: string): Buffer =>
  Buffer.from(
    `GET /orders/7 HTTP/1.1\r\nHost: ${new URL(audience).host}\r\nAccept: application/json\r\nUser-Agent: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    'latin1',
  )

export interface Connection {
  /** Sends a request, and is called back with the status of the answer, once all of it is there. One at a time. */
  send(request: Buffer, answered: (status: number) => void): void
  /** Rejects when the service ends the connection. */
  readonly broken: Promise<never>
  close(): void
}

/** Opens a connection. */
export function open(port: number): Promise<Connection> {
  let wholeLength = -1
  let received = ''
  let answered: (status: number) => void = () => undefined
  const read = (length: number, buffer: Uint8Array): boolean => {
    // Most answers are as long as the one before, and come in one piece.
    if (received === '' && length === wholeLength) {
      answered(statusIn(buffer))
      return true
    }
    received += Buffer.from(buffer.subarray(0, length)).toString('latin1')
    if (!isWhole(received)) return true
    wholeLength = received.length
    const status = Number(received.slice(9, 12))
    received = ''
    answered(status)
    return true
  }
  return new Promise((resolve, reject) => {
    const { promise: broken, reject: breakOff } = Promise.withResolvers<never>()
    // Not everybody waits for it.
    broken.catch(() => undefined)
    const onread = { buffer: Buffer.alloc(64 * 1024), callback: read }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, () =>
      resolve({
        broken,
        send(request, callback) {
          answered = callback
          socket.write(request)
        },
        close: () => socket.destroy(),
      }),
    )
    socket.once('error', reject)
    socket.once('close', () => breakOff(new Error('the service has ended the connection')))
  })
}

// After `HTTP/1.1 `.
const statusIn = (answer: Uint8Array): number =>
  [9, 10, 11].reduce((status, i) => status * 10 + (answer[i] ?? 0) - 48, 0)

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, headEnd)) ?? []
  return length === undefined
    ? answer.endsWith('\r\n0\r\n\r\n')
    : answer.length >= headEnd + 4 + Number(length)
}

/** Connections in parallel. */
export async function openAll(port: number, count: number): Promise<readonly Connection[]> {
  return Promise.all(Array.from({ length: count }, () => open(port)))
}

/** Sends one request, and resolves with the status of its answer. */
export function call({ send, broken }: Connection, request: Buffer): Promise<number> {
  return Promise.race([broken, new Promise<number>((resolve) => send(request, resolve))])
}

/**
 * Sends as many requests as `times` says, one at a time on each of the connections. Resolves with how many seconds that took, and rejects
 * where one is not answered by 200.
 */
export async function sendAll(
  connections: readonly Connection[],
  times: number,
  next: () => Buffer,
): Promise<number> {
  let sent = 0
  const start = performance.now()
  const all = connections.map(
    ({ send }) =>
      new Promise<void>((resolve, reject) => {
        const go = (): void => {
          if (sent >= times) return resolve()
          sent += 1
          return send(next(), (status) =>
            status === 200 ? go() : reject(new Error(`expected 200, got ${status}`)),
          )
        }
        go()
      }),
  )
  await Promise.race([Promise.all(all), ...connections.map(({ broken }) => broken)])
  return (performance.now() - start) / 1000
}
