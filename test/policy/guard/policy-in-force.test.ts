// A policy as it is asked, beside what guards make of it: names that join nobody, what observes, and what is kept in memory.
import { authenticated } from '@countersign/core'
import { parsePolicy } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { PolicyInForce } from '../../../packages/core/src/policy/policy-in-force.ts'
import { checkout, issuer, openPolicyHouse } from './support/policy-house.ts'

const callers = `
version: 1
callers:
  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [orders:read] }
  reports: { is: [spiffe://prod.example/ns/back/sa/reports] }
`
const routes = `routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read] } }
  - { route: PUT /orders/:id, requires: { scopes: [orders:write] } }
`
const observe = ', mode: { observe: { until: 2030-01-31 } } }'
const until = Date.parse('2030-02-01T00:00:00Z')
const inForce = (document: string): PolicyInForce => new PolicyInForce(parsePolicy(document))

test('a name that looks like a wildcard is not the workload that the wildcard stands beside', async () => {
  const { decide, ask } = openPolicyHouse(
    callers.replace('sa/checkout]', `sa/checkout, { issuer: ${issuer}, clientId: '*' }]`),
  )
  const token = { sub: '*', client_id: '*', scope: 'orders:read' }
  expect(await decide({ token, code: authenticated() })).toMatchObject({
    caller: { id: `${issuer}#client=*` },
  })
  expect(await ask({ token, svid: checkout, code: authenticated() })).toBe('identity_mismatch')
})

test('two names are one workload only where one entry writes down both', () => {
  const client = `${issuer}#client=checkout`
  const [one, other] = [
    'spiffe://prod.example/ns/shop/sa/checkout',
    'spiffe://prod.example/ns/back/sa/reports',
  ]
  const policy = inForce(
    callers.replace('sa/checkout]', `sa/checkout, { issuer: ${issuer}, clientId: checkout }]`),
  )
  const asked = [
    [one, client],
    [client, one],
    [one, other],
    [one, 'spiffe://prod.example/x'],
    ['spiffe://prod.example/x', one],
    ['spiffe://prod.example/x', 'spiffe://prod.example/x'],
  ] as const
  expect(asked.map(([a, b]) => policy.isSameWorkload(a, b))).toEqual([true, true, false, false, false, false])
})

// Documents give each name to one entry; the policies of other sources may not.
test('a name of two entries is one workload with the names of either, and those are not one another', () => {
  const [shared, own, other] = [
    'spiffe://prod.example/a',
    'spiffe://prod.example/b',
    'spiffe://prod.example/c',
  ]
  const entry = (...names: readonly string[]) =>
    parsePolicy(`version: 1\ncallers: { one: { is: [${names.join(', ')}] } }\n`)
  const one = entry(shared, own)
  const policy = new PolicyInForce({ ...one, callers: [...one.callers, ...entry(shared, other).callers] })
  expect(policy.callersOf(shared)).toEqual(policy.policy.callers)
  expect(policy.isSameWorkload(shared, own)).toBe(true)
  expect(policy.isSameWorkload(shared, other)).toBe(true)
  expect(policy.isSameWorkload(own, other)).toBe(false)
})

describe('modes', () => {
  test.each<[string, string, boolean]>([
    ['no entry', `${callers}${routes}`, false],
    ['a caller that observes', `${callers.replace(' }\n', `${observe}\n`)}${routes}`, true],
    ['a caller that is enforced', `${callers.replace(' }\n', ', mode: enforce }\n')}${routes}`, true],
    ['a route that observes', `${callers}${routes.replace(' }\n', `${observe}\n`)}`, true],
    ['the last route', `${callers}${routes.replace(/ \}\n$/, ', mode: enforce }\n')}`, true],
  ])('are looked for on each request only where there are any: %s', (_, document, hasModes) => {
    expect(inForce(document).hasModes).toBe(hasModes)
  })

  test('that observe are told when the guard starts: of routes and callers, and until when', () => {
    const { lines } = openPolicyHouse(
      `${callers.replace('grants: [orders:read] }', `grants: [orders:read]${observe}`).replace('sa/reports] }', 'sa/reports], mode: enforce }')}${routes.replace('[orders:write] } }', `[orders:write] }${observe}`)}`,
    )
    expect(lines.filter((line) => line.includes('observe mode'))).toEqual([
      expect.stringContaining(
        `the policy of PUT /orders/:id refuses nobody until ${new Date(until).toISOString()}`,
      ),
      expect.stringContaining(
        `the policy of the caller checkout refuses nobody until ${new Date(until).toISOString()}`,
      ),
    ])
  })
})

describe('what the document says of a route', () => {
  const asking = (method: string, path: string, registered = 'GET') => ({
    route: `${method} ${path}`,
    registered: `${registered} ${path}`,
  })

  test('is looked for once for each spelling, and each keeps its own answer', () => {
    const policy = inForce(`${callers}${routes}`)
    const read = policy.routeOf(asking('GET', '/orders/:id', '*'))
    const written = policy.routeOf(asking('PUT', '/orders/:id', '*'))
    const others = policy.routeOf(asking('GET', '/other'))
    expect([read, written, others].map(({ placement }) => placement?.text)).toEqual([
      'scopes(orders:read)',
      'scopes(orders:write)',
      undefined,
    ])
    expect(policy.routeOf(asking('GET', '/orders/:id', '*'))).toBe(read)
    expect(policy.routeOf(asking('PUT', '/orders/:id', '*'))).toBe(written)
    expect(policy.routeOf(asking('GET', '/other'))).toBe(others)
  })

  test('is kept for 64 methods of a route, whatever callers write for one', () => {
    const policy = inForce(`${callers}${routes}`)
    const methods = Array.from({ length: 65 }, (_, i) => `M${i}`)
    const first = methods.map((method) => policy.routeOf(asking(method, '/any', '*')))
    const again = methods.map((method) => policy.routeOf(asking(method, '/any', '*')))
    expect(again.map((found, i) => found === first[i])).toEqual(methods.map((_, i) => i < 64))
    expect(again.at(-1)).toEqual(first.at(-1))
  })

  test('is kept for 10,000 routes, of a guard that is told each path as it came', () => {
    const policy = inForce(`${callers}${routes}`)
    const ask = (i: number) => policy.routeOf(asking('GET', `/${i}`))
    const first = Array.from({ length: 10_001 }, (_, i) => ask(i))
    expect(ask(0)).toBe(first[0])
    expect(ask(9999)).toBe(first[9999])
    expect(ask(10_000)).not.toBe(first[10_000])
    expect(policy.routeOf(asking('PUT', '/orders/:id', 'PUT')).placement?.text).toBe('scopes(orders:write)')
  })
})
