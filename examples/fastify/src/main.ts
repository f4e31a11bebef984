// `npm start`: the shop on a port of its own, called as five callers would.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { createGuard } from '@countersign/fastify'
import { createTestCa, createTestIssuer, type TestSvid } from '@countersign/testing'
import { createApp } from './app.ts'

const ca = await createTestCa({ trustDomain: 'shop.example' })
const issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['shop.example'] })
const guard = createGuard({
  audience: 'orders',
  issuers: [issuer], // in a service: ['https://idp.internal']
  certificates: { trustDomains: { 'shop.example': ca.bundle } }, // in a service: './bundle.pem'
  grants: {
    'spiffe://shop.example/checkout': ['orders:*'],
    'spiffe://shop.example/operator': ['admin:read'],
  },
  undeclared: 'fail-start',
  log: false,
})
const { cert, key } = await ca.serverCertificate() // in a service: './tls.crt' and './tls.key'
const app = await createApp(guard, { cert, key })
const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))

interface Sent {
  readonly method: string
  readonly path: string
  readonly certificate?: TestSvid
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One request on a connection of its own. */
async function call(who: string, { method, path, certificate, headers = {}, body }: Sent): Promise<string> {
  const session = connect(`https://localhost:${port}`, {
    ca: ca.bundle,
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
  })
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const request = session.request({ ':method': method, ':path': path, ...type, ...headers })
  request.end(body)
  const [{ ':status': status }] = await once(request, 'response')
  let text = ''
  for await (const chunk of request) text += String(chunk)
  session.close()
  console.log(
    `${who.padEnd(9)} ${method.padEnd(4)} ${path.padEnd(18)} ${status} ${status < 400 ? text.trim() : 'refused'}`,
  )
  return text
}

const checkout = await ca.svid('/checkout')
const reports = await ca.svid('/reports')
const operator = await ca.svid('/operator')
const token = await issuer.headersFor('checkout', {
  scopes: ['orders:read'],
  claims: { spiffe_id: 'spiffe://shop.example/checkout' },
})
const order = '{"article":"tea"}'

await call('checkout', { method: 'POST', path: '/orders', certificate: checkout, body: order })
await call('token', { method: 'GET', path: '/orders/1', headers: token })
await call('token', { method: 'POST', path: '/orders', headers: token, body: order })
await call('reports', { method: 'GET', path: '/orders/1', certificate: reports })
await call('nobody', { method: 'GET', path: '/orders/1' })
await call('nobody', { method: 'GET', path: '/healthz' })
await call('nobody', { method: 'GET', path: '/public/prices.txt' })
await call('checkout', { method: 'GET', path: '/admin/routes', certificate: checkout })
await call('operator', { method: 'GET', path: '/admin/routes', certificate: operator })

await app.close()
guard.close()
