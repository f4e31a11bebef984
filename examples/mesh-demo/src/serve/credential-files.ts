// Certificates, keys and tokens as files, for a person with curl. They live only as long as the demo.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onBehalfOf } from '../calls/delegated-token.ts'
import { expire } from '../calls/hostile-tokens.ts'
import type { Mesh } from '../mesh.ts'
import { protoFile } from '../services/prices-service.ts'
import { audienceOf } from '../workloads.ts'

/** Writes the files into a new folder that nobody else can read, and returns its path. */
export async function writeCredentialFiles(mesh: Mesh): Promise<string> {
  const files = await credentialFiles(mesh)
  const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-')) // made with mode 0700
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content, { mode: 0o600, flag: 'wx' })
  }
  return folder
}

async function credentialFiles({ homes, services }: Mesh): Promise<Readonly<Record<string, string>>> {
  const audience = audienceOf('orders')
  const scope = 'orders:read orders:write'
  const token = await services.checkout.process.ask('token', { audience, scope })
  return {
    'ca.pem': homes.shop.ca,
    'checkout.pem': services.checkout.certificate.cert,
    'checkout.key': services.checkout.certificate.key,
    'orders.pem': services.orders.certificate.cert,
    'orders.key': services.orders.certificate.key,
    'inventory.pem': services.inventory.certificate.cert,
    'inventory.key': services.inventory.certificate.key,
    'outsider.pem': services.outsider.certificate.cert,
    'outsider.key': services.outsider.certificate.key,
    'checkout.token': token,
    'read-only.token': await services.checkout.process.ask('token', { audience, scope: 'orders:read' }),
    'inventory.token': await services.checkout.process.ask('token', {
      audience: audienceOf('inventory'),
      scope: 'stock:read',
    }),
    'prices.token': await services.checkout.process.ask('token', {
      audience: audienceOf('pricing'),
      scope: 'prices:read',
    }),
    'alice.token': await onBehalfOf('alice', token, homes.shop.issuerProcess),
    'expired.token': await expire(token, homes.shop.issuerProcess),
    'outside.token': await services.outsider.process.ask('token', { audience, scope }),
    'pricing.proto': readFileSync(protoFile, 'utf8'),
  }
}
