import { authenticated, scopes } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { checkout, connectionOf, issuer, login, openPolicyHouse, reports } from './support/policy-house.ts'

const own = { sub: 'checkout', client_id: 'checkout' }
const alice = { sub: 'alice', client_id: 'checkout' }
const document = `
version: 1
callers:
  checkout:
    is: [spiffe://prod.example/ns/shop/sa/checkout, { issuer: ${issuer}, clientId: checkout }]
    grants:
      - orders:read
      - { scope: orders:write, via: both, reason: OPS-12 }
      - { scope: orders:list, via: token }
      - { scope: orders:audit, via: certificate }
      - { scope: orders:delete, until: 2030-01-02 }
  alice: { is: [{ issuer: ${issuer}, subject: alice }], grants: [orders:read, orders:write] }
`
const all = 'orders:read orders:write orders:list orders:audit orders:delete'

describe('a grant', () => {
  test.each([
    ['a token', { token: { ...own, scope: all } }, ['orders:read', 'orders:list', 'orders:delete']],
    ['a certificate', { svid: checkout }, ['orders:read', 'orders:audit', 'orders:delete']],
    [
      'both',
      { token: { ...own, scope: all }, svid: checkout },
      ['orders:read', 'orders:write', 'orders:list', 'orders:audit', 'orders:delete'],
    ],
  ])('counts with the credentials that it asks for: %s', async (_, credentials, expected) => {
    const { scopesOf } = openPolicyHouse(document)
    expect(await scopesOf({ ...credentials, code: authenticated() })).toEqual(expected)
  })

  test('never gives a token what it does not say', async () => {
    const { scopesOf } = openPolicyHouse(document)
    const credentials = { token: { ...own, scope: 'orders:read billing:read' }, svid: checkout }
    expect(await scopesOf({ ...credentials, code: authenticated() })).toEqual(['orders:read'])
  })

  test('of the service and of the user have to agree, and the service is held to its own without its certificate', async () => {
    const { scopesOf } = openPolicyHouse(document)
    const token = { ...alice, scope: all }
    expect(await scopesOf({ token, svid: checkout, code: authenticated() })).toEqual([
      'orders:read',
      'orders:write',
    ])
    expect(await scopesOf({ token, code: authenticated() })).toEqual(['orders:read'])
    expect(await scopesOf({ token, svid: reports, code: authenticated() })).toEqual([])
  })

  test('ends when it says, for a caller who is already known on the same connection', async () => {
    const { ask, clock } = openPolicyHouse(document)
    const asking = { socket: connectionOf(checkout), code: scopes('orders:delete') }
    expect(await ask(asking)).toBe('allow')
    clock.set(new Date('2030-01-02T23:59:59.999Z'))
    expect(await ask(asking)).toBe('allow')
    clock.advance(1)
    expect(await ask(asking)).toBe('scope_missing')
    expect(await ask({ ...asking, code: scopes('orders:read') })).toBe('allow')
  })

  test('of a user whose token names no client is asked of the user alone, also where wildcards name callers', async () => {
    const { scopesOf } = openPolicyHouse(
      document.replace('sa/checkout,', 'sa/*,').replace(`${issuer}, subject`, `${login}, subject`),
    )
    const token = { iss: login, sub: 'alice', client_id: undefined, scope: all }
    expect(await scopesOf({ token, code: authenticated() })).toEqual(['orders:read', 'orders:write'])
  })

  test('makes one caller of a connection, until it ends', async () => {
    const { decide, clock } = openPolicyHouse(document)
    const socket = connectionOf(checkout)
    const ask = async () => {
      const decision = await decide({ socket, code: authenticated() })
      return decision.outcome === 'allow' ? decision.caller : undefined
    }
    const first = await ask()
    expect(await ask()).toBe(first)
    clock.set(new Date('2030-01-03T00:00:00Z'))
    expect(await ask()).not.toBe(first)
  })

  test('of nobody gives nothing', async () => {
    const { scopesOf } = openPolicyHouse(document)
    expect(await scopesOf({ svid: reports, code: authenticated() })).toEqual([])
  })
})

describe('two credentials of one workload', () => {
  test('are one caller where an `is` list names both', async () => {
    const { decide } = openPolicyHouse(document)
    const decision = await decide({ token: { ...own, scope: all }, svid: checkout, code: authenticated() })
    expect(decision).toMatchObject({ outcome: 'allow', caller: { id: `${issuer}#client=checkout` } })
  })

  test.each([
    ['no list names them', document.replace(', { issuer: https://issuer.test, clientId: checkout }', '')],
    [
      'two lists name them',
      document
        .replace(', { issuer: https://issuer.test, clientId: checkout }]', ']')
        .concat(`  other: { is: [{ issuer: ${issuer}, clientId: checkout }] }\n`),
    ],
    ['only a wildcard names the one', document.replace('sa/checkout,', 'sa/*,')],
  ])('are two where %s', async (_, other) => {
    const { ask } = openPolicyHouse(other)
    expect(await ask({ token: { ...own, scope: all }, svid: checkout, code: authenticated() })).toBe(
      'identity_mismatch',
    )
  })
})

test('zones and callers of a document are known to code', async () => {
  const { decide } = openPolicyHouse(`${document}zones: { shop: [checkout] }\n`)
  expect(await decide({ svid: checkout, code: authenticated() })).toMatchObject({
    caller: { zones: ['shop'] },
  })
  expect(await decide({ svid: reports, code: authenticated() })).toMatchObject({ caller: { zones: [] } })
})
