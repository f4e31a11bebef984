import { once } from 'node:events'
import { createGuard, formatCensus, sealRoutes } from '@countersign/hono'
import { createTestIssuer } from '@countersign/testing'
import { createAdaptorServer } from '@hono/node-server'
import { createApp } from './app.ts'

// In a real service: issuers: ['https://idp.internal'].
const issuer = await createTestIssuer()
const guard = createGuard({ audience: 'orders', issuers: [issuer], undeclared: 'fail-start', log: false })
const app = createApp(guard, () => undefined)

await sealRoutes(app)
console.log(`${formatCensus(guard.census())}\n`)

const server = createAdaptorServer({ fetch: app.fetch }).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const port = typeof address === 'object' ? address?.port : undefined

const reader = await issuer.headersFor('dashboard', { scopes: ['orders:read'] })
const writer = await issuer.headersFor('checkout', { scopes: ['orders:read', 'orders:write'] })
await ask('a stranger', 'GET', '/orders/7')
await ask('the dashboard', 'GET', '/orders/7', reader)
await ask('the dashboard', 'POST', '/orders', reader)
await ask('checkout', 'POST', '/orders', writer)
await ask('a stranger', 'GET', '/prices')
await ask('checkout', 'GET', '/prices', writer)
await ask('a probe', 'GET', '/healthz')

server.close()
guard.close()

async function ask(
  who: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const body = method === 'POST' ? JSON.stringify({ tea: 2 }) : null
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body })
  console.log(`${who}: ${method} ${path} -> ${response.status} ${await response.text()}`)
}
