import {
  allOf,
  anyOf,
  anyScope,
  authenticated,
  callerIs,
  callerOptional,
  enforced,
  scopes,
  unprotected,
  userScopes,
  type Decision,
  type Placement,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { requestWith } from '../../core/support/asking.ts'
import { createHouse } from '../../core/support/house.ts'
import { checkout as party, guardOf } from '../../core/support/parties.ts'
import { checkout, connectionOf, issuer, openPolicyHouse, reports } from './support/policy-house.ts'

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

describe('where each scope comes from', () => {
  test('is told of those that are asked for and held, and of the parties that were granted them', async () => {
    const code = anyScope('orders:read', 'orders:write')
    expect(await explained({ svid: checkout, route: 'GET /any', code })).toMatchObject({
      outcome: 'allow',
      scopes: [{ scope: 'orders:read', by: ['`callers.checkout.grants[0]` (line 7)'] }],
    })
    const ofUser = document.replace(
      'subject: alice }], grants: []',
      'subject: alice }], grants: [orders:read]',
    )
    const { guard, decide } = openPolicyHouse(ofUser)
    expect(guard.explain(await decide({ token: { ...alice, scope: 'orders:read' } }))?.scopes).toEqual([
      {
        scope: 'orders:read',
        by: ['the token', '`callers.checkout.grants[0]` (line 7)', '`callers.alice.grants[0]` (line 10)'],
      },
    ])
  })

  test('is told of callers whom a wildcard names', async () => {
    const { guard, decide } = openPolicyHouse(document.replace('sa/checkout,', 'sa/*,'))
    const explanation = guard.explain(await decide({ svid: checkout }))
    expect(explanation?.scopes).toEqual([
      { scope: 'orders:read', by: ['`callers.checkout.grants[0]` (line 7)'] },
    ])
  })

  test('is not told where none is asked for', async () => {
    const code = callerOptional('greets')
    expect(await explained({ svid: checkout, route: 'GET /hello', code })).toMatchObject({
      outcome: 'allow',
      caller: checkout.spiffeId,
      rules: ['code: callerOptional(greets)'],
      scopes: [],
    })
  })
})

test('what the document alone asks is the only rule', async () => {
  expect((await explained({ svid: checkout }))?.rules).toEqual([
    'policy: `routes[0]` (line 12): scopes(orders:read)',
  ])
})

test('an allow that observes only says what would have been refused, and what would change that', async () => {
  const { guard, decide } = openPolicyHouse(document, { mode: { observe: { until: '2030-01-31' } } })
  expect(guard.explain(await decide({ svid: checkout, code: scopes('orders:admin') }))).toMatchObject({
    outcome: 'allow',
    code: 'scope_missing',
    changes: ['add `orders:admin` to the grants of `callers.checkout` (line 4)'],
  })
})

test('zones that say which may call which are a rule where somebody is refused', async () => {
  const zoned =
    `${document}zones: { shop: [orders, checkout], back: [alice] }\ncalls: { back: [shop] }\n`.replace(
      'callers:\n',
      'callers:\n  orders: { is: [spiffe://prod.example/ns/shop/sa/orders] }\n',
    )
  const { guard, decide } = openPolicyHouse(zoned)
  const explanation = guard.explain(await decide({ svid: checkout }))
  expect(explanation).toMatchObject({
    code: 'caller_not_allowed',
    rules: ['policy: `routes[0]` (line 13): scopes(orders:read)', 'policy: calls(back → shop)'],
    changes: [
      'put the caller into a zone, or let its zone call this one, in `zones` and `calls` of the policy',
    ],
  })
  const open = openPolicyHouse(zoned.replace('back: [shop]', 'shop: [shop]'))
  expect(open.guard.explain(await open.decide({ svid: checkout }))).toMatchObject({
    outcome: 'allow',
    rules: ['policy: `routes[0]` (line 13): scopes(orders:read)'],
  })
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
      'alternatives: the first, where it lacks least',
      { svid: checkout, code: anyOf(scopes('a:a'), scopes('b:b', 'c:c')) },
      ['add `a:a` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'alternatives: the first of those that lack as much',
      { svid: checkout, code: anyOf(scopes('b:b', 'c:c'), scopes('a:a'), scopes('d:d')) },
      ['add `a:a` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'what is enforced: what it lacks by itself',
      { svid: checkout, code: enforced(scopes('orders:admin')) },
      ['add `orders:admin` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'one scope of several that would do: the first',
      { svid: checkout, code: anyScope('orders:admin', 'orders:write', 'a:a') },
      ['add `orders:admin` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'one scope of several that would do, of which one is held: what else is asked',
      { svid: checkout, code: allOf(anyScope('orders:admin', 'orders:read'), scopes('a:a')) },
      ['add `a:a` to the grants of `callers.checkout` (line 4)'],
    ],
    [
      'the scopes of a user: those that are missing, for each party',
      {
        token: { ...alice, scope: 'orders:read a:a' },
        route: 'GET /any',
        code: userScopes('a:a'),
      },
      [
        'add `a:a` to the grants of `callers.checkout` (line 4)',
        'add `a:a` to the grants of `callers.alice` (line 10)',
      ],
    ],
    [
      'the scopes of a user, where there is none: a user, whatever the service holds',
      { svid: checkout, route: 'GET /any', code: userScopes('orders:read', 'orders:admin') },
      ['have the caller present the token of the user it calls for, in place of its own'],
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
    expect(explanation?.changes).toEqual([
      'ask the issuer for a token whose `aud` names this service, or add that audience to `audience`',
    ])
  })

  test('somebody without a credential: what to present', async () => {
    expect(await explained({ code: authenticated() })).toMatchObject({
      code: 'credential_missing',
      caller: null,
      scopes: [],
      changes: [expect.stringContaining('have the caller send `Authorization: Bearer <token>`')],
    })
  })

  test('another engine that forbids: a permit of that engine', async () => {
    const deciders = [{ name: 'engine', decide: () => ({ effect: 'forbid' as const }) }]
    const { guard, decide } = openPolicyHouse(document, { deciders })
    expect(guard.explain(await decide({ svid: checkout }))).toMatchObject({
      code: 'decider_forbids',
      changes: ['what is expected: a permit of "engine"'],
    })
  })

  test('a guard that was closed: what the caller is told', async () => {
    const { guard, decide } = openPolicyHouse(document)
    guard.close()
    expect(guard.explain(await decide({ svid: checkout }))?.changes).toEqual([
      'what is expected: the service is shutting down',
    ])
  })

  test('a guard that was closed while an optional caller was asked about', async () => {
    const { guard, decide } = openPolicyHouse(document)
    const decision = decide({ token: { scope: 'x:y' }, route: 'GET /hello', code: callerOptional('greets') })
    guard.close()
    expect(guard.explain(await decision)).toMatchObject({ code: 'guard_closed', scopes: [] })
  })

  test('and says nothing of who was let by all the same', async () => {
    expect(await explained({ route: 'GET /open', code: unprotected('probe') })).toMatchObject({
      outcome: 'allow',
      rules: ['code: unprotected(probe)'],
      changes: [],
    })
  })
})

describe('of several things to change, each is told', () => {
  const write = scopes('orders:write')

  test('at the issuer, for the service and for the user', async () => {
    expect(
      await explained({ token: { ...alice, scope: 'x:y' }, code: scopes('orders:admin') }),
    ).toMatchObject({
      changes: [
        'have the issuer of the token put `orders:admin` into it',
        'add `orders:admin` to the grants of `callers.checkout` (line 4)',
        'add `orders:admin` to the grants of `callers.alice` (line 10)',
        'have the issuer of the token put `orders:read` into it',
        'add `orders:read` to the grants of `callers.alice` (line 10)',
      ],
    })
  })

  test.each([
    ['via: certificate', { token: { scope: 'orders:write' } }, 'a certificate'],
    ['via: token', { svid: checkout }, 'a token'],
  ])('by the credential that a grant asks for: %s', async (via, credentials, needs) => {
    const { guard, decide } = openPolicyHouse(document.replace('via: both', via))
    const explanation = guard.explain(await decide({ ...credentials, route: 'GET /any', code: write }))
    expect(explanation?.changes).toEqual([
      expect.stringContaining(`present ${needs}, which \`callers.checkout.grants[1]\` (line 8) asks for`),
    ])
  })

  test('a grant that is in time before one that has ended', async () => {
    const { guard, decide } = openPolicyHouse(
      document.replace('- orders:read', '- { scope: orders:write, until: 2029-01-01 }'),
    )
    const explanation = guard.explain(await decide({ svid: checkout, route: 'GET /any', code: write }))
    expect(explanation?.changes).toEqual([expect.stringContaining('present both a token and a certificate')])
  })

  test('what the issuer may not give', async () => {
    const { guard, token } = createHouse({ issuerOptions: { mayGrant: ['orders:read'] } })
    const request = requestWith(`Bearer ${token({ scope: 'orders:read orders:write' })}`)
    expect(guard.explain(await guard.decide(request, write))?.changes).toEqual([
      'let the issuer give `orders:write`, in its `mayGrant`',
    ])
  })

  test('but not what the issuer may give, beside other scopes', async () => {
    const { guard, token } = createHouse({
      issuerOptions: { mayGrant: ['orders:read', 'orders:write', 'a:*'] },
    })
    const request = requestWith(`Bearer ${token({ scope: 'orders:read' })}`)
    expect(guard.explain(await guard.decide(request, write))?.changes).toEqual([
      'have the issuer of the token put `orders:write` into it',
    ])
  })

  test('a credential without scopes, where nobody is granted any', async () => {
    const guard = guardOf({ represents: 'auto' })
    const request = requestWith(undefined, connectionOf(party))
    expect(guard.explain(await guard.decide(request, write))?.changes).toEqual([
      `grant \`orders:write\` to "${party.spiffeId}", in \`grants\` or a policy document: its credential carries no scopes`,
    ])
  })

  test('grants in code, by their place there', async () => {
    const guard = guardOf({ represents: 'auto' }, { [party.spiffeId]: ['orders:read'] })
    const request = requestWith(undefined, connectionOf(party))
    expect(guard.explain(await guard.decide(request, write))?.changes).toEqual([
      `add \`orders:write\` to the grants of \`grants['${party.spiffeId}']\``,
    ])
    expect(guard.explain(await guard.decide(request, scopes('orders:read')))?.scopes).toEqual([
      { scope: 'orders:read', by: [`\`grants['${party.spiffeId}'][0]\``] },
    ])
  })
})

describe('without a policy', () => {
  const { guard, token } = createHouse()
  const without = async (scope: string, code: Placement) =>
    guard.explain(await guard.decide(requestWith(`Bearer ${token({ scope })}`), code, 'GET /orders/:id'))

  test('code is the only rule, and the token the only origin', async () => {
    expect(await without('orders:read', scopes('orders:read'))).toEqual({
      outcome: 'allow',
      code: null,
      route: 'GET /orders/:id',
      caller: `${issuer}#client=checkout`,
      rules: ['code: scopes(orders:read)'],
      scopes: [{ scope: 'orders:read', by: ['the token'] }],
      changes: [],
    })
  })

  test('the issuer is what can be changed', async () => {
    expect(await without('orders:read', scopes('orders:write'))).toMatchObject({
      outcome: 'deny',
      rules: ['code: scopes(orders:write)'],
      scopes: [],
      changes: ['have the issuer of the token put `orders:write` into it'],
    })
  })
})

test('with a policy that names nobody, its list of callers is what can be changed', async () => {
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
