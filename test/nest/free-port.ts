import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Nest tells nobody on which port a server of gRPC listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on one
  server.close()
  await once(server, 'close')
  return port
}
