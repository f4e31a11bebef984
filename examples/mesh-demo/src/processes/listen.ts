import { once } from 'node:events'
import type { Server } from 'node:net'

/** Listens on loopback, on a port that the system chooses. Resolves to the address under which it is reached. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  return `https://localhost:${address.port}`
}
