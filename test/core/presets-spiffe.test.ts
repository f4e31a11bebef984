// SPIFFE: JWT-SVIDs of a trust domain, verified with its bundle as it is published.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scopes, spiffe } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openSite } from './support/issuer-site.ts'
import { bundleKey, guardOf, signShape } from './support/scripted-issuers.ts'

const clock = createTestClock()
const now = clock.now() / 1000
const id = 'spiffe://prod.example/ns/shop/sa/checkout'
// As SPIRE writes them: with `iat`, and `typ` JWT.
const svid = { header: { typ: 'JWT' }, claims: { sub: id, aud: ['orders'], exp: now + 300, iat: now } }
const bundle = {
  spiffe_sequence: 3,
  spiffe_refresh_hint: 300,
  keys: [
    { use: 'x509-svid', kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', x5c: ['MIIB'] },
    { use: 'wit-svid', kid: 'wit', kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    bundleKey,
  ],
}

describe('the bundle', () => {
  test('is taken as it is published', async () => {
    const caller = await callerFor(guardOf(spiffe('prod.example', bundle), clock), signShape(svid))
    expect(caller.service).toMatchObject({
      id,
      spiffeId: id,
      issuer: 'spiffe://prod.example',
      clientId: undefined,
    })
    expect(caller.user).toBeUndefined()
  })

  test('may be a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
    const path = join(folder, 'bundle.json')
    writeFileSync(path, JSON.stringify(bundle))
    const guard = guardOf(spiffe('prod.example', path), clock)
    expect(await codeFor(guard, signShape(svid))).toBe('allow')
    guard.close()
    rmSync(folder, { recursive: true })
  })

  test('may be what an endpoint shows over HTTPS', async () => {
    await using endpoint = await openSite(() => ({ '/bundle': bundle }))
    const guard = guardOf({ ...spiffe('prod.example', `${endpoint.origin}/bundle`), ca: endpoint.ca }, clock)
    expect(await codeFor(guard, signShape(svid))).toBe('allow')
    expect(endpoint.hits).toEqual(['/bundle'])
    guard.close()
  })
})

const guard = guardOf(spiffe('prod.example', bundle), clock, { grants: { [id]: ['orders:read'] } })

test('scopes come from policy alone', async () => {
  expect(await codeFor(guard, signShape(svid), scopes('orders:read'))).toBe('allow')
  expect(await codeFor(guard, signShape(svid, { scope: 'orders:write' }), scopes('orders:write'))).toBe(
    'scope_missing',
  )
})

test.each([
  [
    'a workload of another trust domain',
    { sub: 'spiffe://other.example/ns/shop/sa/checkout' },
    {},
    'issuer_unknown',
  ],
  ['the trust domain itself', { sub: 'spiffe://prod.example' }, {}, 'issuer_unknown'],
  ['a subject that is no SPIFFE ID', { sub: 'checkout', iss: 'spiffe://prod.example' }, {}, 'issuer_unknown'],
  ['another audience', { aud: ['billing'] }, {}, 'audience_mismatch'],
  ['a token that is expired', { exp: now - 60 }, {}, 'token_expired'],
  ['a token that never expires', { exp: undefined }, {}, 'claim_missing'],
  ['a header member that SPIFFE does not have', {}, { x5t: 'AA' }, 'token_type_mismatch'],
  ['an access token', {}, { typ: 'at+jwt' }, 'token_type_mismatch'],
])('refuses %s', async (_, claims, header, code) => {
  expect(await codeFor(guard, signShape(svid, claims, header))).toBe(code)
})

test.each(['x509-svid', 'wit-svid', 'sig', undefined])(
  'does not count a key that is marked %s',
  async (use) => {
    const marked = { keys: [{ ...bundleKey, use, kid: 'other' }, bundleKey] }
    const { kid } = bundleKey
    expect(await codeFor(guardOf(spiffe('prod.example', marked), clock), signShape(svid, {}, { kid }))).toBe(
      'allow',
    )
    expect(
      await codeFor(guardOf(spiffe('prod.example', marked), clock), signShape(svid, {}, { kid: 'other' })),
    ).toBe('key_unknown')
  },
)
