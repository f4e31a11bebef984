// `npm start`: the stock on a port of its own, called as several callers would.
import { createGuard, formatCensus, sealRoutes } from '@countersign/node-http'
import { createTestIssuer } from '@countersign/testing'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createStock } from './app.ts'

// In a service: issuers: ['https://idp.internal']
const issuer = await createTestIssuer()
const guard = createGuard({ audience: 'stock', issuers: [issuer], log: false })
const { service, listener } = createStock(guard)
await sealRoutes(service)
const server = createServer(listener).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (typeof address !== 'object' || address === null) throw new Error('expected a port')

const calls: readonly (readonly [method: string, path: string, ...scopes: string[]])[] = [
  ['GET', '/healthz'],
  ['GET', '/stock/tea'],
  ['GET', '/stock/tea', 'stock:read'],
  ['POST', '/stock/tea', 'stock:read'],
  ['POST', '/stock/tea', 'stock:read', 'stock:take'],
  ['DELETE', '/stock', 'stock:read'],
]
for (const [method, path, ...scopes] of calls) {
  const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
    method,
    headers: scopes.length === 0 ? {} : await issuer.headersFor('checkout', { audience: 'stock', scopes }),
  })
  const answer = response.ok ? await response.text() : 'refused'
  console.log(
    `${method.padEnd(6)} ${path.padEnd(12)} ${scopes.join(' ').padEnd(22)} ${response.status} ${answer}`,
  )
}

console.log(`\n${formatCensus(guard.census())}`)
guard.close()
server.close()
server.closeAllConnections()
