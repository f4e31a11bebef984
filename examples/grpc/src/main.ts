// `npm start`: the service on a port of its own, over mutual TLS, called as four callers would.
import { once } from 'node:events'
import { createGuard, createTlsServer, formatCensus } from '@countersign/grpc'
import { createTestCa } from '@countersign/testing'
import { call } from './call.ts'
import { HealthService, OrdersService } from './orders-service.ts'
import { createServer } from './server.ts'

// In a service: certificates: { trustDomains: { 'shop.example': './bundle.pem' } }
const ca = await createTestCa({ trustDomain: 'shop.example' })
const guard = createGuard({
  certificates: { trustDomains: { 'shop.example': ca.bundle } },
  grants: {
    'spiffe://shop.example/checkout': ['orders:read', 'orders:write'],
    'spiffe://shop.example/reports': ['orders:read', 'orders:write'],
  },
  undeclared: 'fail-start',
  log: false,
})
const server = createServer(guard)
const { cert, key } = await ca.serverCertificate()
const listening = createTlsServer(server, { cert, key, guard }).listen(0, '127.0.0.1')
await once(listening, 'listening')
const address = listening.address()
if (typeof address !== 'object' || address === null) throw new Error('expected a port')

const callers = [
  ['checkout', await ca.svid('/checkout')],
  ['reports', await ca.svid('/reports')],
  ['mail', await ca.svid('/mail')],
  ['nobody', undefined],
] as const
for (const [name, certificate] of callers) {
  for (const method of [...Object.values(OrdersService), HealthService.check]) {
    const outcome = await call(address.port, ca.bundle, certificate, method)
    console.log(`${name.padEnd(8)} ${method.path.padEnd(28)} ${outcome}`)
  }
}

console.log(`\nWhat each method asks:\n${formatCensus(guard.census())}`)
listening.close()
server.forceShutdown()
guard.close()
