// A test issuer's public face over HTTPS: discovery documents and the key set, on loopback only.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { JWK } from 'jose'
import { createTestCa } from './test-ca.ts'

/** A running HTTPS server that publishes an issuer's keys. */
export interface IssuerServer {
  /** `https://localhost:PORT`, which is also the issuer identifier. */
  readonly origin: string
  /** PEM of the test CA that signed the server's certificate. */
  readonly ca: string
  /** How many times the key set was asked for, answered or not. */
  readonly requests: () => number
  /** While down, every request is answered with 503. */
  readonly outage: (isDown: boolean) => void
  readonly close: () => Promise<void>
}

/** Listens on 127.0.0.1, on a port that the system chooses. The server does not keep the process alive. */
export async function listenAsIssuer(publishedKeys: () => { keys: JWK[] }): Promise<IssuerServer> {
  const ca = await createTestCa({ name: 'Test issuer CA' })
  const { cert, key } = await ca.serverCertificate(['localhost', '127.0.0.1'])
  let requests = 0
  let isDown = false

  const server = createServer({ cert, key }, (request, response) => {
    if (request.url === '/jwks') requests += 1
    const document = documents[request.url ?? '']
    response.statusCode = isDown ? 503 : document ? 200 : 404
    if (isDown || !document) return response.end()
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify(document()))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')

  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const origin = `https://localhost:${address.port}`
  const metadata = () => ({ issuer: origin, jwks_uri: `${origin}/jwks` })
  const documents: Record<string, () => object> = {
    '/.well-known/openid-configuration': metadata,
    '/.well-known/oauth-authorization-server': metadata,
    '/jwks': publishedKeys,
  }

  return {
    origin,
    ca: ca.bundle,
    requests: () => requests,
    outage: (down) => {
      isDown = down
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
