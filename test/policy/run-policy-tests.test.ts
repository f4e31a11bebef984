import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scopes } from '@countersign/core'
import { PolicyError, runPolicyTests } from '@countersign/policy'
import { afterAll, describe, expect, test } from 'vitest'

const policy = `
version: 1
service: orders
zones: { shop: [checkout, orders], back-office: [reports] }
calls: { shop: [shop] }
callers:
  orders: { is: [spiffe://prod.example/ns/shop/sa/orders] }
  checkout:
    is: [spiffe://prod.example/ns/shop/sa/checkout, { issuer: https://idp.internal, clientId: checkout }]
    grants: [orders:read, { scope: orders:write, until: 2027-01-31, via: both }]
  reports: { is: [{ issuer: https://idp.internal, clientId: reports }], grants: ['orders:*'] }
  batch: { is: [spiffe://prod.example/ns/batch/sa/*], grants: [orders:read] }
  alice: { is: [{ issuer: https://idp.internal, subject: alice }], grants: [orders:read] }
  legacy: { is: [{ authority: internal, dnsName: legacy.internal }] }
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read] } }
  - { route: POST /orders, requires: { scopes: [orders:write], when: 'resource.params.tenant == caller.claims.tenant' } }
  - { route: GET /mine, requires: { userScopes: [orders:read] } }
  - { route: GET /risky, requires: { when: 'context.risk < 5' } }
  - { route: GET /proven, requires: { provenBy: [certificate] } }
candidate:
  callers:
    orders: { is: [spiffe://prod.example/ns/shop/sa/orders] }
    reports: { is: [{ issuer: https://idp.internal, clientId: reports }] }
    checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [] }
  routes:
    - { route: GET /orders/:id, requires: { scopes: [orders:read] } }
`
const at = '2027-01-01'
const casesOf = (...cases: readonly string[]): string =>
  ['cases:', ...cases.map((each) => `  - ${each}`), ''].join('\n')
const both =
  'caller: { name: checkout, via: both, scopes: [orders:read, orders:write], claims: { tenant: acme } }'

describe('a case comes out as a guard would decide', () => {
  test.each([
    'caller: checkout, route: GET /orders/:id, expect: allow',
    'caller: none, route: GET /orders/:id, expect: credential_missing',
    'caller: reports, route: GET /orders/:id, expect: caller_not_allowed',
    'caller: batch, route: GET /orders/:id, expect: caller_not_allowed',
    'caller: checkout, route: GET /other, expect: route_undeclared',
    'caller: checkout, route: POST /orders, expect: scope_missing',
    `${both}, route: POST /orders, params: { tenant: acme }, at: ${at}, expect: allow`,
    `${both}, route: POST /orders, params: { tenant: other }, at: ${at}, expect: requirement_unmet`,
    `${both}, route: POST /orders, params: { tenant: acme }, at: 2027-02-01, expect: scope_missing`,
    'caller: { name: checkout, via: token, scopes: [] }, route: GET /orders/:id, expect: scope_missing',
    'caller: { name: checkout, user: alice, scopes: [orders:read] }, route: GET /mine, expect: allow',
    'caller: checkout, route: GET /mine, expect: caller_not_allowed',
    'caller: checkout, route: GET /risky, context: { risk: 3 }, expect: allow',
    'caller: checkout, route: GET /risky, context: { risk: 7 }, expect: deny',
    'caller: checkout, route: GET /risky, expect: context_unavailable',
    'caller: checkout, route: GET /proven, expect: allow',
    'caller: { name: checkout, via: token }, route: GET /proven, expect: proof_insufficient',
  ])('%s', (written) => {
    const [result] = runPolicyTests({ policy, tests: casesOf(`{ ${written} }`) })
    expect(result).toMatchObject({ passed: true, line: 2 })
  })
})

describe('a condition reads of an imagined request what it would of a real one', () => {
  const shop = 'spiffe://prod.example/ns/shop/sa/checkout'
  const client = 'https://idp.internal#client=checkout'
  test.each([
    ['checkout', `caller.id == "${shop}" && caller.service.id == "${shop}"`],
    ['checkout', `caller.service.spiffeId == "${shop}" && !has(caller.service.clientId)`],
    ['checkout', '!has(caller.user) && !has(caller.service.issuer)'],
    ['{ name: checkout, via: token }', `caller.service.id == "${client}"`],
    ['{ name: checkout, via: token }', 'caller.service.clientId == "checkout"'],
    ['{ name: checkout, via: token }', 'caller.service.issuer == "https://idp.internal"'],
    ['{ name: checkout, via: token }', '!has(caller.service.spiffeId)'],
    ['legacy', 'caller.service.id == "x509:internal#dns=legacy.internal"'],
    ['legacy', '!has(caller.service.spiffeId) && !has(caller.service.clientId)'],
    ['alice', '!has(caller.service) && caller.id == caller.user.id && caller.zones.size() == 0'],
    ['alice', 'caller.user.id == "https://idp.internal#sub=alice"'],
    ['alice', 'caller.user.issuer == "https://idp.internal" && caller.user.subject == "alice"'],
    ['{ name: checkout, user: alice }', `caller.id == "${shop}" && caller.user.subject == "alice"`],
    ['checkout', 'caller.provenBy == ["certificate"] && caller.zones == ["shop"]'],
    ['{ name: checkout, via: token }', 'caller.provenBy == ["token"]'],
    ['{ name: checkout, via: both }', 'caller.provenBy == ["token", "certificate"]'],
    ['checkout', '!has(caller.actor) && caller.scopes == ["orders:read"]'],
    ['checkout', 'request.method == "PUT" && request.path == "/" && request.headers.size() == 0'],
    ['checkout', 'resource.route == "PUT /read" && !has(request.remoteAddress)'],
  ])('%s: %s', (caller, condition) => {
    const route = `  - { route: PUT /read, requires: { when: '${condition}' } }`
    const reading = policy.replace('calls: { shop: [shop] }\n', '').replace('routes:', `routes:\n${route}`)
    const tests = casesOf(`{ caller: ${caller}, route: PUT /read, expect: allow }`)
    expect(runPolicyTests({ policy: reading, tests })).toMatchObject([{ actual: 'allow' }])
  })
})

test('a case that comes out otherwise says what was expected, and what came', () => {
  const tests = casesOf(
    '{ caller: reports, route: GET /orders/:id, expect: allow }',
    '{ caller: checkout, route: GET /orders/:id, expect: deny }',
  )
  expect(runPolicyTests({ policy, tests })).toMatchObject([
    {
      name: 'reports: GET /orders/:id',
      line: 2,
      expected: 'allow',
      actual: 'caller_not_allowed',
      passed: false,
      message: expect.stringContaining('a caller in zone shop'),
    },
    {
      expected: 'deny',
      actual: 'allow',
      passed: false,
      message: 'FAILED checkout: GET /orders/:id: expected deny, got allow',
    },
  ])
})

test('what code asks counts beside the document', () => {
  const tests = casesOf(
    '{ caller: checkout, route: GET /orders/:id, expect: scope_missing }',
    '{ caller: checkout, route: GET /code, expect: allow }',
  )
  const code = { 'GET /orders/:id': scopes('orders:admin'), 'GET /code': scopes('orders:read') }
  expect(runPolicyTests({ policy, tests, code }).map(({ passed }) => passed)).toEqual([true, true])
})

test('the candidate can be tried, too', () => {
  const tests = casesOf('{ caller: checkout, route: GET /orders/:id, expect: scope_missing }')
  expect(runPolicyTests({ policy, tests, candidate: true })[0]).toMatchObject({ passed: true })
  expect(() => runPolicyTests({ policy: 'version: 1\n', tests, candidate: true })).toThrow('has no candidate')
})

test('a caller whom the policy does not know is a mistake, not a refusal', () => {
  const tests = casesOf('{ caller: chekout, route: GET /orders/:id, expect: deny }')
  expect(() => runPolicyTests({ policy, tests })).toThrow(PolicyError)
  expect(() => runPolicyTests({ policy, tests })).toThrow(
    'policy.test.yaml:2:5 cases[0]: there is no caller "chekout": did you mean `checkout`?',
  )
  const ofUser = casesOf('{ caller: { name: checkout, user: bob }, route: GET /mine, expect: deny }')
  expect(() => runPolicyTests({ policy, tests: ofUser })).toThrow('there is no caller "bob"')
})

test('files are read by their paths, which messages name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'policy-tests-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const [document, tests] = [join(folder, 'p.yaml'), join(folder, 't.yaml')]
  writeFileSync(document, policy)
  writeFileSync(tests, casesOf('{ caller: checkout, route: GET /orders/:id, expect: allow }'))
  expect(runPolicyTests({ policy: document, tests })).toMatchObject([{ passed: true }])
  writeFileSync(tests, 'cases: 1\n')
  expect(() => runPolicyTests({ policy: document, tests })).toThrow(`${tests}:1:8`)
})
