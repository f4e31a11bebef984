// Starts the service with an issuer of its own, and calls it as several callers would.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createGuard, formatCensus, sealRoutes } from '@countersign/koa'
import { createTestIssuer } from '@countersign/testing'
import { createApp } from './app.ts'

const issuer = await createTestIssuer() // real keys, no port
const guard = createGuard({ audience: 'orders', issuers: [issuer], undeclared: 'fail-start', log: false })
const app = createApp(guard)
await sealRoutes(app)
console.log(`${formatCensus(guard.census())}\n`)

const listener = app.callback()
const server = createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const port = typeof address === 'object' ? address?.port : undefined

const reader = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
for (const [who, method, path, headers] of [
  ['anybody', 'GET', '/healthz', {}],
  ['anybody', 'GET', '/prices', {}],
  ['checkout', 'GET', '/prices', reader],
  ['anybody', 'GET', '/orders/1', {}],
  ['checkout', 'GET', '/orders/1', reader],
  ['checkout', 'DELETE', '/orders/1', reader],
] as const) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
  console.log(`${who} ${method} ${path} → ${response.status} ${await response.text()}`)
}

server.close()
guard.close()
