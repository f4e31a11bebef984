import { allOf, anyOf, authenticated, callerIs, scopes, unprotected, type Decision } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { checkout, issuer, openPolicyHouse, reports } from './support/policy-house.ts'

const document = `version: 1
service: orders
callers:
  checkout:
    is: [spiffe://prod.example/ns/shop/sa/checkout, { issuer: ${issuer}, clientId: checkout }]
    grants:
      - orders:read
      - { scope: orders:write, via: both }
      - { scope: orders:old, until: 2029-01-01 }
  alice: { is: [{ issuer: ${issuer}, subject: alice }], grants: [] }
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read] } }
`
const house = openPolicyHouse(document)
const explained = async (asking: Parameters<typeof house.decide>[0]) =>
  house.guard.explain(await house.decide(asking))
const alice = { sub: 'alice', client_id: 'checkout' }

test('an allow names the rules that spoke, and where each scope comes from', async () => {
  expect(await explained({ svid: checkout, token: { scope: 'orders:read' }, code: authenticated() })).toEqual(
    {
      outcome: 'allow',
      code: null,
      route: 'GET /orders/:id',
      caller: `${issuer}#client=checkout`,
      rules: ['code: authenticated()', 'policy: `routes[0]` (line 12): scopes(orders:read)'],
      scopes: [{ scope: 'orders:read', by: ['the token', '`callers.checkout.grants[0]` (line 7)'] }],
      changes: [],
    },
  )
})

describe('a refusal names the smallest change that would have allowed it', () => {
  test.each([
    [
      'a scope that nobody granted',
      { svid: checkout, code: scopes('orders:admin') },
      ['add `orders:admin` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'a scope that needs another credential',
      { svid: checkout, code: scopes('orders:write') },
      [
        'have "spiffe://prod.example/ns/shop/sa/checkout" present both a token and a certificate, which `callers.checkout.grants[1]` (line 8) asks for (`via`)',
      ],
    ],
    [
      'a grant that has ended',
      { svid: checkout, code: scopes('orders:old') },
      ['move the `until` of `callers.checkout.grants[2]` (line 9), which has passed'],
    ],
    [
      'a scope that the token lacks',
      { token: { scope: 'x:y' } },
      ['have the issuer of the token put `orders:read` into it'],
    ],
    [
      'a user who has no grant',
      { token: { ...alice, scope: 'orders:read' } },
      ['add `orders:read` to the grants of `callers.alice` (line 10)'],
    ],
    [
      'somebody whom no entry names',
      { svid: reports },
      [
        'name "spiffe://prod.example/ns/back/sa/reports" in the `is` list of a caller, and grant it `orders:read`',
      ],
    ],
    [
      'alternatives: the one that lacks least',
      {
        svid: checkout,
        code: anyOf(scopes('a:a', 'b:b', 'c:c'), allOf(scopes('orders:read'), scopes('d:d'))),
      },
      ['add `d:d` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'something else than a scope',
      { svid: checkout, code: callerIs('spiffe://prod.example/x') },
      ['have "spiffe://prod.example/ns/shop/sa/checkout" meet callerIs(spiffe://prod.example/x)'],
    ],
    [
      'a route that nobody declared',
      { svid: checkout, route: 'GET /new' },
      ['say who may call it: in code, or by `- { route: GET /new, requires: … }` in the policy document'],
    ],
  ])('%s', async (_, asking, changes) => {
    expect(await explained(asking)).toMatchObject({ outcome: 'deny', changes })
  })

  test('a credential that was not accepted: what the operator is told', async () => {
    const explanation = await explained({ token: { aud: 'payments' } })
    expect(explanation).toMatchObject({
      code: 'audience_mismatch',
      caller: null,
      rules: ['audience_mismatch'],
      scopes: [],
    })
    expect(explanation?.changes).toHaveLength(1)
  })

  test('and says nothing of who was let by all the same', async () => {
    expect(await explained({ route: 'GET /open', code: unprotected('probe') })).toMatchObject({
      outcome: 'allow',
      rules: ['code: unprotected(probe)'],
      changes: [],
    })
  })
})

test('without a policy, the issuer and the grants are what can be changed', async () => {
  const { guard, decide } = openPolicyHouse('version: 1\n')
  const explanation = guard.explain(await decide({ svid: checkout, code: scopes('a:b') }))
  expect(explanation?.changes).toEqual([
    `name "${checkout.spiffeId}" in the \`is\` list of a caller, and grant it \`a:b\``,
  ])
})

test('only a decision of the guard itself is explained', async () => {
  const other = openPolicyHouse(document)
  const decision = await other.decide({ svid: checkout })
  expect(house.guard.explain(decision)).toBeUndefined()
  expect(house.guard.explain({ outcome: 'allow' } as unknown as Decision)).toBeUndefined()
})
