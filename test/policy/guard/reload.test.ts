import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, trustChannel, scopes, unprotected, type SourceListener } from '@countersign/core'
import { afterAll, describe, expect, test } from 'vitest'
import { present, settled } from '../../core/support/asking.ts'
import { checkout, connectionOf, openPolicyHouse, type PolicyHouse } from './support/policy-house.ts'

const folder = mkdtempSync(join(tmpdir(), 'policies-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
function fileWith(content: string): string {
  files += 1
  const path = join(folder, `${files}.yaml`)
  writeFileSync(path, content)
  return path
}
const granting = (scope: string): string =>
  `version: 1\ncallers:\n  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [${scope}] }\n`

/** Lets the guard look at its file, as often as it takes to be sure of it. */
async function look({ clock }: PolicyHouse, times = 3): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const listen = (): void => resolve()
    subscribe(trustChannel, listen)
    clock.advance(2000)
    await promise
    unsubscribe(trustChannel, listen)
  }
}

describe('a policy file', () => {
  test('that is replaced counts on the next request of an open connection', async () => {
    const path = fileWith(granting('orders:read'))
    const house = openPolicyHouse(path)
    const socket = connectionOf(checkout)
    const read = { socket, code: scopes('orders:read') }
    const write = { socket, code: scopes('orders:write') }
    expect([await house.ask(read), await house.ask(write)]).toEqual(['allow', 'scope_missing'])
    writeFileSync(path, granting('orders:write'))
    await look(house)
    expect([await house.ask(read), await house.ask(write)]).toEqual(['scope_missing', 'allow'])
    house.guard.close()
  })

  test('that is broken keeps the last good one, loudly, and up to a ceiling', async () => {
    const path = fileWith(granting('orders:read'))
    const house = openPolicyHouse(path)
    const read = { socket: connectionOf(checkout), code: scopes('orders:read') }
    writeFileSync(path, 'version: 1\ncallers: [\n')
    await look(house)
    expect(await house.ask(read)).toBe('allow')
    expect(await house.guard.ready()).toMatchObject({
      ready: true,
      policy: [{ source: 'policy', status: 'stale', problem: expect.stringContaining(`${path}:`) }],
    })
    expect(house.lines.join('\n')).toContain(`${path}:`)
    house.clock.advance({ seconds: 24 * 3600 })
    await settled()
    expect(await house.ask(read)).toBe('policy_unavailable')
    expect(await house.ask({ route: 'GET /by-document-alone' })).toBe('policy_unavailable')
    expect(await house.ask({ code: unprotected('liveness') })).toBe('allow')
    expect(await house.guard.ready()).toMatchObject({ ready: false })
    house.guard.close()
  })

  test('that is broken when the guard is made is an error that says where', () => {
    const path = fileWith('version: 1\ncallers:\n  checkout: { is: [], grants: [a b] }\n')
    expect(() => openPolicyHouse(path)).toThrow(ConfigurationError)
    expect(() => openPolicyHouse(path)).toThrow(`${path}:3`)
  })
})

test("a source of one's own is a policy as well, and nothing is decided before it speaks", async () => {
  let listener: SourceListener | undefined
  const house = openPolicyHouse({
    follow(told) {
      listener = told
      return () => undefined
    },
  })
  const read = { socket: connectionOf(checkout), code: scopes('orders:read') }
  expect(await house.ask(read)).toBe('policy_unavailable')
  present(listener).replace(granting('orders:read'))
  expect(await house.ask(read)).toBe('allow')
  present(listener).replace('version: 2')
  expect(await house.ask(read)).toBe('allow')
  house.guard.close()
})

test('an `is` list that is withdrawn joins nobody any more, on an open connection too', async () => {
  const joined = `version: 1
callers:
  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout, { issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
`
  let listener: SourceListener | undefined
  const house = openPolicyHouse({
    follow(told) {
      listener = told
      return () => undefined
    },
  })
  present(listener).replace(joined)
  const both = {
    socket: connectionOf(checkout),
    token: { scope: 'orders:read', jti: 'same', iat: 1_893_456_000 },
    code: scopes('orders:read'),
  }
  expect(await house.ask(both)).toBe('allow')
  present(listener).replace(joined.replace(', { issuer: https://issuer.test, clientId: checkout }', ''))
  expect(await house.ask(both)).toBe('identity_mismatch')
  house.guard.close()
})
