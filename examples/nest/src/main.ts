// Starts the service with an issuer of its own, and calls it as several callers would.
import 'reflect-metadata'
import { once } from 'node:events'
import { createGuard, formatCensus } from '@countersign/nest'
import { createTestIssuer } from '@countersign/testing'
import { WebSocket } from 'ws'
import { createApp } from './app.ts'

const issuer = await createTestIssuer() // real keys, no port
const guard = createGuard({ audience: 'orders', issuers: [issuer], undeclared: 'fail-start', log: false })
const app = await createApp(guard)
await app.listen(0, '127.0.0.1')
console.log(`${formatCensus(guard.census())}\n`)

const { port } = app.getHttpServer().address()
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

const feed = new WebSocket(`ws://127.0.0.1:${port}/feed`, { headers: { ...reader } })
await once(feed, 'open')
for (const event of ['follow', 'publish']) {
  feed.send(JSON.stringify({ event, data: 'order 1' }))
  const [answer] = await once(feed, 'message')
  console.log(`checkout ${event} → ${String(answer)}`)
}

feed.close()
await app.close()
guard.close()
