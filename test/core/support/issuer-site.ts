// An issuer's web site that answers as a test tells it to, over real HTTPS on loopback.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { createTestCa } from '@countersign/testing'

/** Answers one path. Anything that is not a function is sent as JSON. */
export type Page = ((response: ServerResponse, request: IncomingMessage) => void) | object

export interface IssuerSite {
  readonly origin: string
  readonly ca: string
  /** Paths in the order in which they were asked for. */
  readonly hits: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

const ca = await createTestCa({ name: 'CA of the test site' })
const identity = await ca.serverCertificate(['localhost'])

export async function openSite(pages: (origin: string) => Record<string, Page>): Promise<IssuerSite> {
  const hits: string[] = []
  let served: Record<string, Page> = {}
  const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    const path = request.url ?? ''
    hits.push(path)
    const page = served[path]
    if (typeof page === 'function') {
      page(response, request)
      return
    }
    response.statusCode = page === undefined ? 404 : 200
    response.setHeader('content-type', 'application/json')
    response.end(page === undefined ? '' : JSON.stringify(page))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const origin = `https://localhost:${address.port}`
  served = pages(origin)
  return {
    origin,
    ca: ca.bundle,
    hits,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export const openId = '/.well-known/openid-configuration'
export const oauth = '/.well-known/oauth-authorization-server'
