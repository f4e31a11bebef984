import { createGuard } from '@countersign/node-http'
import { createTestIssuer } from '@countersign/testing'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStock } from '../../examples/node-http/src/app.ts'
import { ServedApp, bearer } from '../express/served-app.ts'

describe('the example for plain Node servers', async () => {
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  let served: ServedApp
  beforeAll(async () => {
    served = await ServedApp.start(createStock(guard).listener)
  })
  afterAll(async () => {
    await served.close()
    guard.close()
  })

  test('refuses who presents nothing, and what nobody has declared', async () => {
    expect((await served.call('/stock/tea')).code).toBe('credential_missing')
    const headers = await bearer(issuer, 'stock:read', 'stock:take')
    expect((await served.call('/stock', { method: 'DELETE', headers })).code).toBe('route_undeclared')
    expect((await served.call('/stock/tea', { headers })).body).toContain('"left":12')
  })

  test('lets only those take who may', async () => {
    const take = async (...scopes: string[]) =>
      served.call('/stock/tea', { method: 'POST', headers: await bearer(issuer, ...scopes) })
    expect((await take('stock:read')).code).toBe('scope_missing')
    expect(JSON.parse((await take('stock:read', 'stock:take')).body)).toEqual({
      article: 'tea',
      left: 11,
      takenBy: 'https://issuer.test#client=checkout',
    })
    expect((await served.call('/healthz')).body).toBe('ok')
    expect((await served.call('/other')).status).toBe(404)
  })

  test('runs as it stands', async () => {
    const main = fileURLToPath(new URL('../../examples/node-http/src/main.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', main])
    expect(stdout).toMatch(/^GET +\/stock\/tea +401 refused$/m)
    expect(stdout).toMatch(/^GET +\/stock\/tea +stock:read +200 /m)
    expect(stdout).toMatch(/^DELETE \/stock +stock:read +403 refused$/m)
    expect(stdout).toMatch(/^DELETE +\/stock +\(undeclared\)/m)
  })
})
