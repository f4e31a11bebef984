// Services in processes of their own, and the keys that some of them fetch.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FrameworkName, ServeOrder } from './servers/contract.ts'
import { startServer } from './servers/start-server.ts'
import type { Signer } from './tokens.ts'

/** A service with one route, behind one contender. */
export interface Service {
  readonly name: string
  readonly port: number
  /** Microseconds of CPU that its process has used. */
  cpu(): Promise<number>
}

/** Where peers fetch the keys of an issuer. */
export async function serveKeys({ jwk }: Signer): Promise<{ readonly url: string; close(): void }> {
  const body = JSON.stringify({ keys: [jwk] })
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listening on a port
  return {
    url: `http://127.0.0.1:${port}/jwks`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Starts a service for each name. `isTogether`: all in one process, where it does not matter what each of them uses. */
export async function startServices(
  framework: FrameworkName,
  names: readonly string[],
  { signer: { jwk }, jwksUri, isTogether }: { signer: Signer; jwksUri: string; isTogether: boolean },
): Promise<{ readonly services: readonly Service[]; close(): void }> {
  const groups = isTogether ? [names] : names.map((name) => [name])
  const started = await Promise.all(
    groups.map(async (contenders) => {
      const order: ServeOrder = { framework, contenders, jwk, jwksUri }
      return { contenders, server: await startServer('serve.ts', order) }
    }),
  )
  return {
    services: started.flatMap(({ contenders, server: { ports, cpu } }) =>
      contenders.map((name, i): Service => ({ name, port: ports[i] ?? 0, cpu })),
    ),
    close() {
      for (const { server } of started) server.close()
    },
  }
}
