import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { TestCertificate } from '@countersign/testing'

/** Opens a connection by a whole handshake: no session is kept. `roots`: PEM. */
export async function openConnection(
  port: number,
  roots: string,
  client: TestCertificate | undefined,
): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: roots, cert: client?.cert, key: client?.key })
  await once(socket, 'secureConnect')
  return socket
}

/** One request, and its whole answer, which comes in one piece. */
export async function request(socket: TLSSocket): Promise<void> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [answer] = await once(socket, 'data')
  if (!/^HTTP\/1\.1 200 [^]*ok$/.test(String(answer))) throw new Error(`expected 200, got ${answer}`)
}
