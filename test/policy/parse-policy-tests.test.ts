import { describe, expect, test } from 'vitest'
import { parsePolicyTests } from '@countersign/policy'
import { problemsOf } from './document.ts'

const casesOf = (...cases: readonly string[]) =>
  ['cases:', ...cases.map((each) => `  - ${each}`), ''].join('\n')
const one = (rest: string) => casesOf(`{ caller: a, route: GET /, expect: allow, ${rest} }`)

describe('a case', () => {
  test('says who calls which route, and what is to come of it', () => {
    expect(parsePolicyTests(casesOf('{ caller: checkout, route: GET /orders/:id, expect: allow }'))).toEqual([
      {
        name: 'checkout: GET /orders/:id',
        caller: { name: 'checkout', via: undefined, scopes: undefined, user: undefined, claims: {} },
        route: 'GET /orders/:id',
        params: {},
        context: {},
        atMs: undefined,
        expect: 'allow',
        at: { path: 'cases[0]', line: 2, column: 5 },
      },
    ])
  })

  test('can say all of it', () => {
    const [parsed] = parsePolicyTests(`cases:
  - name: alice reads on Sunday
    caller: { name: checkout, via: both, scopes: [orders:read], user: alice, claims: { tenant: acme, groups: [a] } }
    route: '* /orders/:id'
    params: { id: 7, rest: [a, b] }
    context: { risk: { score: 3 } }
    at: 2026-11-22
    expect: requirement_unmet
`)
    expect(parsed).toMatchObject({
      name: 'alice reads on Sunday',
      caller: {
        name: 'checkout',
        via: 'both',
        scopes: ['orders:read'],
        user: 'alice',
        claims: { tenant: 'acme', groups: ['a'] },
      },
      params: { id: 7, rest: ['a', 'b'] },
      context: { risk: { score: 3 } },
      atMs: Date.UTC(2026, 10, 22),
      expect: 'requirement_unmet',
    })
  })

  test('can have no caller', () => {
    const [parsed] = parsePolicyTests(casesOf('{ caller: none, route: GET /, expect: credential_missing }'))
    expect(parsed?.caller).toBeUndefined()
    expect(parsed?.name).toBe('none: GET /')
  })

  test('holds data without a prototype, which nobody can change', () => {
    const json = JSON.stringify({
      cases: [{ caller: 'a', route: 'GET /', expect: 'deny', params: { x: 1 } }],
    })
    const [parsed] = parsePolicyTests(json.replace('"x":1', '"__proto__":{"x":1}'))
    expect(Object.getPrototypeOf(parsed?.params)).toBeNull()
    expect(parsed?.params).not.toHaveProperty('x')
    expect(Object.isFrozen(parsed?.params)).toBe(true)
  })
})

describe('a mistake is told with its place', () => {
  test.each([
    ['', '1:1 expected `cases: ['],
    ['{}', '1:1 say what to test'],
    ['cases: []', '1:8 cases: expected a list'],
    ['case: []', '1:1 case: there is no such key: did you mean `cases`?'],
    [casesOf('{}'), '2:5 cases[0]: `caller` is missing'],
    [casesOf('{ caller: a, expect: allow }'), '`route` is missing'],
    [casesOf('{ caller: a, route: GET / }'), '`expect` is missing'],
    [
      casesOf('{ caller: a b, route: GET /, expect: allow }'),
      '2:15 cases[0].caller: expected the name of a caller',
    ],
    [casesOf('{ caller: {}, route: GET /, expect: allow }'), '.caller: say who'],
    [
      casesOf('{ caller: { name: a, via: cookie }, route: GET /, expect: allow }'),
      '.caller.via: expected token or',
    ],
    [casesOf('{ caller: { name: a, scope: [a] }, route: GET /, expect: allow }'), 'did you mean `scopes`?'],
    [casesOf('{ caller: { name: a, scopes: a }, route: GET /, expect: allow }'), '.scopes: expected a list'],
    [casesOf('{ caller: { name: a, claims: [] }, route: GET /, expect: allow }'), '.claims: expected claims'],
    [casesOf('{ caller: a, route: /, expect: allow }'), '.route: expected a method and a path'],
    [
      casesOf('{ caller: a, route: GET /, expect: allowed }'),
      '.expect: there is no outcome "allowed": did you mean `allow`?',
    ],
    [casesOf('{ caller: a, route: GET /, expect: scope_mising }'), 'did you mean `scope_missing`?'],
    [
      casesOf('{ caller: a, route: GET /, expect: true }'),
      '.expect: expected allow, deny, or the code of a refusal, got true',
    ],
    [one('params: [a]'), '.params: expected names of the path'],
    [one('context: risk'), '.context: expected names of context providers'],
    [one('at: noon'), '.at: expected a date such as 2027-01-31 (its first moment in UTC)'],
    [one("name: ''"), '.name: expected what the case is called'],
    [one('params: &a { x: 1 }'), 'anchors are not supported'],
  ])('%j: %s', (text, problem) => {
    expect(problemsOf(text, parsePolicyTests).join('\n')).toContain(problem)
  })

  test('and with the name of the file', () => {
    expect(() => parsePolicyTests('cases: 7')).toThrow('policy.test.yaml:1:8 cases: expected a list')
    expect(() => parsePolicyTests('cases: 7', 'orders.test.yaml')).toThrow('orders.test.yaml:1:8 cases')
  })
})
