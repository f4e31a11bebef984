import { execFileSync } from 'node:child_process'
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
