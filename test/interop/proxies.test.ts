// Proxies that nobody here wrote, configured as the documentation says, each known to the service in another way.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  apache,
  caddy,
  callerOptional,
  createGuard,
  haproxy,
  nginx,
  type ForwardedOptions,
} from '@countersign/core'
import { callerOf, countersign, createTlsServer, requires } from '@countersign/express'
import { createTestCa } from '@countersign/testing'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pemOf } from '../core/support/pem.ts'
import { proxyKinds, proxySecret, type ProxyKind } from './support/proxy-configuration.ts'
import { Proxy } from './support/proxy.ts'

const ca = await createTestCa({ trustDomain: 'prod.example' })
const intermediate = await ca.intermediate()
const checkout = await ca.svid('/ns/shop/sa/checkout')
const deep = await intermediate.svid('/ns/shop/sa/deep')
const gateway = await ca.svid('/ns/edge/sa/gateway')
const victim = await ca.svid('/ns/shop/sa/admin')
const folder = mkdtempSync(join(tmpdir(), 'service-'))
const socketPath = join(folder, 'service.sock')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Setting {
  readonly kind: ProxyKind
  readonly forwarded: ForwardedOptions
  /** How the service listens: in plain text on a port, on a socket, or by mutual TLS. */
  readonly listens: 'port' | 'socket' | 'tls'
}

const settings: Readonly<Record<string, Setting>> = {
  'nginx, known by its certificate': {
    kind: proxyKinds.nginx,
    forwarded: nginx({ from: { spiffeId: gateway.spiffeId } }),
    listens: 'tls',
  },
  'HAProxy, known by a secret': {
    kind: proxyKinds.haproxy,
    forwarded: haproxy({ from: { secretHeader: 'X-Proxy-Secret', secrets: [proxySecret] } }),
    listens: 'port',
  },
  'Apache, known by its address': {
    kind: proxyKinds.apache,
    forwarded: apache({ from: { addresses: ['127.0.0.1'] } }),
    listens: 'port',
  },
  'Caddy, known by a unix socket': {
    kind: proxyKinds.caddy,
    forwarded: caddy({ from: { unixSocket: socketPath } }),
    listens: 'socket',
  },
}

/** A service that shows who calls and every header that its handler can read. */
async function serve({ forwarded, listens }: Setting): Promise<{ server: Server; address: string }> {
  const trustDomains = { 'prod.example': ca.bundle }
  const guard = createGuard({
    certificates: { trustDomains, intermediates: intermediate.chain, forwarded },
    log: false,
  })
  const app = express()
  app.use(countersign(guard))
  app.get('/', requires(callerOptional('shows who calls')), (request, response) => {
    response.json({ caller: callerOf(request)?.id ?? null, headers: request.rawHeaders })
  })
  const { cert, key } = await ca.serverCertificate(['127.0.0.1'])
  const server = listens === 'tls' ? createTlsServer(app, { cert, key, guard }) : createServer(app)
  if (listens === 'socket') server.listen(socketPath)
  else server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    server,
    address: typeof address === 'object' ? `${address?.port}` : `/${address}`.replace('//', '/'),
  }
}

const base64 = Buffer.from(victim.der).toString('base64')
const forged: Readonly<Record<string, string>> = {
  'client-cert': `:${base64}:`,
  'ssl-client-cert': encodeURIComponent(pemOf(victim.der)),
  'ssl-client-verify': 'SUCCESS',
  'x-ssl-client-cert': base64,
  'x-forwarded-client-cert': `Hash=${'0'.repeat(64)};URI=${victim.spiffeId}`,
}
const underscored = Object.fromEntries(
  Object.entries(forged).map(([name, value]) => [name.replaceAll('-', '_'), value]),
)

describe.each(Object.entries(settings))('%s', (_, setting) => {
  let proxy: Proxy
  beforeAll(async () => {
    const { server, address } = await serve(setting)
    const started = await Proxy.start(setting.kind, ca, gateway, address)
    proxy = started
    return async () => {
      await started.close()
      server.close()
      server.closeAllConnections()
    }
  })
  const callerFor = async (...call: Parameters<Proxy['call']>) => {
    const { status, body } = await proxy.call(...call)
    expect(body).not.toContain(victim.spiffeId)
    return status === 200 ? (JSON.parse(body) as { caller: string | null }).caller : status
  }

  test('names the client whose certificate it forwards, and no handler reads it', async () => {
    const { status, body } = await proxy.call(checkout)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ caller: checkout.spiffeId })
    expect(body.toLowerCase()).not.toMatch(/ssl-client|client-cert|proxy-secret|begin/)
    expect(await callerFor(deep)).toBe(deep.spiffeId)
  })

  test('does not mix up its clients', async () => {
    const clients = Array.from({ length: 40 }, (_unused, i) =>
      i % 3 === 0 ? undefined : i % 3 === 1 ? checkout : deep,
    )
    const callers = await Promise.all(clients.map((client) => callerFor(client)))
    expect(callers).toEqual(clients.map((client) => client?.spiffeId ?? null))
  })

  test('has nobody to name where the client has no certificate', async () => {
    expect(await callerFor()).toBeNull()
  })

  test('lets nobody forge one', async () => {
    for (const headers of [forged, underscored]) {
      // Where the proxy passes one of these on beside its own, the request is refused.
      expect([null, 400]).toContain(await callerFor(undefined, headers))
      expect([checkout.spiffeId, 400]).toContain(await callerFor(checkout, headers))
    }
  })

  test.each(Object.entries(forged))(
    'deletes %s, or passes it on to its sender’s own harm',
    async (name, value) => {
      expect([null, 400, 403]).toContain(await callerFor(undefined, { [name]: value }))
      expect([checkout.spiffeId, 400]).toContain(await callerFor(checkout, { [name]: value }))
    },
  )
})
