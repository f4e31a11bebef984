// `npm start`: the shop on a port of its own, called as four callers would.
import { once } from 'node:events'
import { createGuard } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import express from 'express'
import { addShop } from './app.ts'

// In a service: issuers: ['https://idp.internal']
const issuer = await createTestIssuer()
const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
const server = addShop(express(), guard).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (typeof address !== 'object' || address === null) throw new Error('expected a port')

const calls: readonly (readonly [method: string, path: string, ...scopes: string[]])[] = [
  ['GET', '/orders/7', 'orders:read'],
  ['GET', '/orders/7', 'orders:write'],
  ['POST', '/orders', 'orders:read', 'orders:write'],
  ['POST', '/orders', 'orders:read'],
  ['GET', '/orders/probes/live'],
  ['GET', '/orders/7'],
  ['GET', '/reports', 'orders:read'],
]

for (const [method, path, ...scopes] of calls) {
  const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
    method,
    headers: {
      ...(scopes.length === 0 ? {} : await issuer.headersFor('checkout', { scopes })),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: '{"article":"tea"}' } : {}),
  })
  const call = `${method.padEnd(4)} ${path.padEnd(20)} ${scopes.join(' ').padEnd(24)}`
  console.log(`${call} ${response.status} ${response.ok ? await response.text() : 'refused'}`)
}

console.log('\nWhat each route asks:')
for (const { method, path, requirement } of guard.census()) {
  console.log(`${method.padEnd(4)} ${path.padEnd(20)} ${requirement ?? 'undeclared, so it is refused'}`)
}
guard.close()
server.close()
server.closeAllConnections()
