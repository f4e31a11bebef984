import { execFileSync } from 'node:child_process'
import { createTestCa, createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'

/** Runs a module in a fresh process and reports the packages and built-in modules that it loaded. */
function loadedBy(script: string): readonly string[] {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = new Set()
    registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context) } })
    const { countersign, createGuard } = await import('@countersign/express')
    ${script}
    console.log(JSON.stringify([...loaded, ...process.moduleLoadList]))`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return JSON.parse(output)
}

const bundle = `-----BEGIN CERTIFICATE-----
MIIBtDCCAVmgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlUZXN0IFJvb3QwHhcNMjAwMTAxMDAwMDAwWhcN
-----END CERTIFICATE-----`

test('registering for tokens loads neither jose, nor the certificate library, nor Node’s fetch and WebSocket client', () => {
  const loaded = loadedBy(`countersign({ audience: 'orders', issuers: ['https://idp.internal'] })`)
  expect(
    loaded.filter((name) => /@peculiar|reflect-metadata|\/jose\/|undici|NativeModule https$/.test(name)),
  ).toEqual([])
  expect(loaded.some((name) => name.includes('/core/src/guard.ts'))).toBe(true)
})

test('being ready means that nothing is left to load on the first request', () => {
  const loaded = loadedBy(`
    const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }
    await createGuard({ audience: 'orders', issuers: [{ issuer: 'https://idp.internal', jwks }] }).ready()`)
  expect(loaded.some((name) => name.includes('/jose/'))).toBe(true)
})

test('registering for tokens loads the built-in modules that it needs, and no package', () => {
  const loaded = loadedBy(`countersign({ audience: 'orders', issuers: ['https://idp.internal'] })`)
  expect(loaded.filter((name) => name.includes('/node_modules/'))).toEqual([])
  expect(loaded.filter((name) => name.startsWith('node:')).toSorted()).toEqual([
    'node:buffer',
    'node:crypto',
    'node:diagnostics_channel',
    'node:fs',
    'node:fs/promises',
    'node:net',
    'node:path',
    'node:url',
    'node:util',
  ])
})

test('neither the first token nor the first certificate has anything loaded', async () => {
  const issuer = await createTestIssuer({ audience: 'orders' })
  const ca = await createTestCa()
  const issuing = await ca.intermediate()
  const { chain } = await issuing.svid('/checkout')
  const given = {
    audience: 'orders',
    issuer: { issuer: issuer.issuer, jwks: issuer.jwks, represents: 'user' as const },
    token: await issuer.token('checkout'),
    roots: ca.bundle,
    chain: chain.map((der) => Buffer.from(der).toString('base64')),
  }
  await issuer.close()
  const loaded = loadedBy(`
    const { audience, issuer, token, roots, chain } = ${JSON.stringify(given)}
    const { authenticated } = await import('@countersign/express')
    const certificates = { trustDomains: { '${ca.trustDomain}': roots } }
    const guard = createGuard({ audience, issuers: [issuer], certificates, log: false })
    await guard.ready()
    const before = new Set(loaded)
    const [leaf, above] = chain.map((der) => Buffer.from(der, 'base64'))
    const issuerCertificate = { raw: above }
    const socket = { authorized: true, getPeerCertificate: () => ({ raw: leaf, issuerCertificate }) }
    const outcomes = []
    for (const headers of [{ authorization: 'Bearer ' + token }, {}]) {
      const request = { method: 'GET', url: '/', headers, rawHeaders: Object.entries(headers).flat() }
      const connection = headers.authorization === undefined ? socket : {}
      const { outcome } = await guard.decide({ ...request, socket: connection }, authenticated())
      outcomes.push(outcome)
    }
    const after = [...loaded].filter((name) => !before.has(name))
    console.log(JSON.stringify([...outcomes, ...after]))
    process.exit()`)
  expect(loaded).toEqual(['allow', 'allow'])
})

test('a guard that was registered and closed lets the process exit', () => {
  const loaded = loadedBy(`
    const guard = createGuard({ audience: 'orders', issuers: ['https://127.0.0.1:9'], log: false })
    console.error((await guard.ready()).ready)
    guard.close()`)
  expect(loaded.length).toBeGreaterThan(0)
})

test('a bundle that is not a certificate is refused at registration', () => {
  expect(() =>
    loadedBy(`createGuard({ certificates: { trustDomains: { 'a.example': ${JSON.stringify(bundle)} } } })`),
  ).toThrow(/certificate 1 cannot be read/)
})
