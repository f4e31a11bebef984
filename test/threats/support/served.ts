// An application on a loopback port, spoken to octet by octet: clients that tidy up requests would hide the attack.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import express5 from 'express'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of Express 5 as far as tests go
import express4 from 'express4'

/** Both majors that the adapter promises to work on; the types are those of the newer. */
export const expressVersions: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5', express5],
  ['Express 4', express4],
]

export interface RawAnswer {
  readonly status: number
  /** Everything before the body, as it came. */
  readonly head: string
  readonly body: string
}

export interface Served {
  /** Sends these lines and reads until the server hangs up. */
  raw(requestLine: string, ...headers: string[]): Promise<RawAnswer>
  get(target: string, ...headers: string[]): Promise<RawAnswer>
  [Symbol.asyncDispose](): Promise<void>
}

export async function serve(app: RequestListener): Promise<Served> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const { port } = address

  const raw: Served['raw'] = async (requestLine, ...headers) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => undefined) // the server may hang up while more is sent
    const closed = once(socket, 'close')
    const lines = [requestLine, 'Host: orders.internal', 'Connection: close', ...headers, '', '']
    socket.write(Buffer.from(lines.join('\r\n'), 'latin1'))
    await closed
    const text = Buffer.concat(chunks).toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    const head = text.slice(0, end)
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: text.slice(end + 4) }
  }
  return {
    raw,
    get: (target, ...headers) => raw(`GET ${target} HTTP/1.1`, ...headers),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** The header line of a token. */
export const bearer = (token: string): string => `Authorization: Bearer ${token}`
