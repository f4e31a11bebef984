import { describe, expect, test } from 'vitest'
import { parsePolicy, PolicyError } from '@countersign/policy'
import { problemsOf, routeOf, whole, withLines } from './document.ts'

const callers = (...lines: readonly string[]) => withLines('callers:', ...lines.map((line) => `  ${line}`))
const callerIs = (name: string) => callers(`a: { is: [${name}] }`)
const grant = (text: string) => callers(`a: { is: [spiffe://td/a], grants: [${text}] }`)
const route = (text: string) => withLines('routes:', `  - ${text}`)

describe('the document', () => {
  test.each([
    ['', '1:1 expected a policy document, got nothing'],
    ['# nothing', '1:1 expected a policy document, got nothing'],
    ['[]', '1:1 expected a policy document, got an empty list'],
    ['service: orders', '1:1 say which format it is: `version: 1`'],
    ["version: '1'", '1:10 version: expected `version: 1`, the only format there is'],
    ['version: 2', '1:10 version: expected `version: 1`'],
    [withLines('servic: orders'), '2:1 servic: there is no such key: did you mean `service`?'],
    [
      withLines('colour: red'),
      '2:1 colour: there is no such key: write one of `version`, `service`, `zones`',
    ],
    [withLines('service: a b'), '2:10 service: expected the name of this service, such as orders, got "a b"'],
    [withLines('service: 7'), 'got the number 7: put it in quotes if it is meant as text'],
    [withLines('callers: []'), '2:10 callers: expected a mapping of callers'],
    [withLines('callers: { a b: {} }'), '2:12 callers["a b"]: expected the name of a caller'],
    [withLines('candidate: {}'), '2:12 candidate: expected what shall change'],
    [withLines('candidate: { service: b, zones: {} }'), '2:14 candidate.service: there is no such key'],
  ])('%j: %s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem)
  })
})

describe('a caller', () => {
  test.each([
    [callers('a: {}'), '3:3 callers.a: say who it is'],
    [callers('a: { is: [] }'), '3:3 callers.a: say who it is'],
    [callers('a: { is: spiffe://td/a }'), '3:12 callers.a.is: expected a list of names'],
    [callers('a:'), '3:5 callers.a: expected who it is'],
    [callerIs('orders'), '3:13 callers.a.is[0]: expected `spiffe://<trust domain>/<path>`'],
    [callerIs('spiffe://td/a*'), 'with `*` only for a whole path segment'],
    [callerIs('spiffe://*/a'), 'with `*` only for a whole path segment'],
    [callerIs('7'), 'got the number 7'],
    [callerIs('{ issuer: https://i }'), '3:13 callers.a.is[0]: expected exactly the keys of one of'],
    [callerIs('{ issuer: https://i, clientId: a, subject: b }'), 'expected exactly the keys of one of'],
    [
      callerIs('{ issuer: https://i, client: a }'),
      '3:34 callers.a.is[0].client: there is no such key: did you mean `clientId`?',
    ],
    [
      callerIs("{ issuer: 'https://i#client=b', clientId: a }"),
      '.issuer: expected the issuer as its tokens name it',
    ],
    [callerIs('{ issuer: https://i, clientId: a* }'), 'expected `spiffe://'],
    [callerIs('{ issuer: https://i, subject: "a\\u200bb" }'), 'characters that cannot be seen'],
    [callerIs('{ authority: "p#dns=x", dnsName: a }'), '.authority: expected the name of an authority'],
    [callerIs('{ authority: p, dnsName: a b }'), '.dnsName: expected a DNS name'],
    [
      callerIs('{ kubernetes: { namespace: a, serviceAccount: b } }'),
      '3:27 callers.a.is[0].kubernetes: expected { namespace',
    ],
    [
      callerIs('{ kubernetes: { namespace: a, serviceAccount: b, trustDomain: td, issuer: https://i } }'),
      'expected { namespace',
    ],
    [
      callerIs('{ kubernetes: { namespace: a/b, serviceAccount: b, trustDomain: td } }'),
      '.namespace: expected the name of a namespace',
    ],
    [
      callerIs('{ kubernetes: { namespace: a, serviceAccount: "b:c", issuer: https://i } }'),
      '.serviceAccount: expected',
    ],
    [
      callerIs('{ kubernetes: { namespace: a, serviceAccount: b, trustDomain: td/x } }'),
      '.trustDomain: expected',
    ],
    [
      callerIs('{ kubernetes: { namespace: a, serviceAccount: "*", issuer: https://i } }'),
      'expected `spiffe://',
    ],
    [callers('a: { is: [spiffe://td/a], mode: observed }'), '.mode: expected `enforce`, or `{ observe'],
    [callers('a: { is: [spiffe://td/a], mode: {} }'), '.mode: expected `enforce`, or `{ observe'],
    [callers('a: { is: [spiffe://td/a], mode: { observe: {} } }'), '.mode.observe: say when it ends'],
    [
      callers('a: { is: [spiffe://td/a], mode: { observe: { until: soon } } }'),
      '.mode.observe.until: expected a date',
    ],
  ])('%j: %s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem)
  })
})

describe('an id belongs to one caller only', () => {
  const two = (a: string, b: string) => problemsOf(callers(`a: { is: [${a}] }`, `b: { is: [${b}] }`))

  test('and a second owner is told where the first one stands', () => {
    expect(two('spiffe://td/x', 'spiffe://td/x')).toEqual([
      '4:13 callers.b.is[0]: an id belongs to one caller: it is a name of `a`, in line 3, column 13',
    ])
  })

  test('also in one list', () => {
    expect(problemsOf(callerIs('spiffe://td/x, spiffe://td/x'))).toEqual([
      expect.stringContaining('a name of this caller already'),
    ])
  })

  test.each([
    ['spiffe://td/ns/*', 'spiffe://td/ns/x'],
    ['spiffe://td/ns/x', 'spiffe://td/ns/*'],
    ['spiffe://td/*/x', 'spiffe://td/y/*'],
    ["'https://i#client=*'", "'https://i#client=x'"],
    ["'https://i#client=*'", "{ issuer: https://i, clientId: '*' }"],
    ["'x509:p#dns=*'", '{ authority: p, dnsName: x.example }'],
  ])('however it is written: %s and %s', (a, b) => {
    expect(two(a, b)).toEqual([expect.stringContaining('an id belongs to one caller')])
  })

  test.each([
    ['spiffe://td/ns/*', 'spiffe://td/ns/x/y'],
    ['spiffe://td/ns/*', 'spiffe://other/ns/x'],
    ['spiffe://td/*/x', 'spiffe://td/*/y'],
    ["'https://i#client=*'", "'https://i#sub=x'"],
    ["'https://i#client=*'", "'https://j#client=*'"],
  ])('which %s and %s do not touch', (a, b) => {
    expect(two(a, b)).toEqual([])
  })

  test('a caller may take in its own names', () => {
    expect(problemsOf(callerIs('spiffe://td/a/*, spiffe://td/a/x'))).toEqual([])
  })

  test('wildcards are held against every name, and are bounded', () => {
    const many = Array.from({ length: 501 }, (_, i) => `spiffe://td${i}/*`)
    expect(problemsOf(callerIs(many.join(', ')))).toEqual([
      expect.stringContaining('at most 500 names with `*`'),
    ])
    expect(problemsOf(callerIs(many.slice(1).join(', ')))).toEqual([])
  })
})

describe('a grant', () => {
  test.each([
    [
      "'orders:*:x'",
      '3:38 callers.a.grants[0]: a wildcard stands for the whole action only: write `orders:*`, not `orders:*:x`',
    ],
    ["'*'", 'a wildcard stands for the whole action only'],
    ['a b', '3:38 callers.a.grants[0]: expected a scope such as `orders:read` or `orders:*`, got "a b"'],
    ['7', 'expected a scope such as orders:read or orders:*, got the number 7'],
    ['{ until: 2027-01-31 }', 'callers.a.grants[0]: say which scope'],
    ['{ scope: a, unitl: 2027-01-31 }', 'grants[0].unitl: there is no such key: did you mean `until`?'],
    ['{ scope: a, via: cookie }', '.via: expected token or certificate or both, got "cookie"'],
    ["{ scope: a, reason: '' }", '.reason: expected a reason'],
    ['{ scope: a, until: 2027-02-30 }', '.until: expected a date such as 2027-01-31 (the whole day in UTC)'],
    ['{ scope: a, until: 2027 }', '.until: expected a date'],
    ['{ scope: a, until: 2027-01-31T24:00:00Z }', '.until: expected a date'],
    ['{ scope: a, until: 2027-01-31T12:00:00 }', '.until: expected a date'],
    ['{ scope: a, until: tomorrow }', '.until: expected a date'],
  ])('%s: %s', (text, problem) => {
    expect(problemsOf(grant(text)).join('\n')).toContain(problem)
  })

  test.each([
    ['2020-02-29', Date.UTC(2020, 2, 1)],
    ['2027-01-31T12:00:00Z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31t12:00:00.5z', Date.UTC(2027, 0, 31, 12, 0, 0, 500)],
    ['2027-01-31 12:00:00-05:30', Date.UTC(2027, 0, 31, 17, 30)],
    ['2027-01-01T00:00:00+14:00', Date.UTC(2026, 11, 31, 10)],
  ])('may end at %s, also in the past', (text, until) => {
    const [a] = parsePolicy(grant(`{ scope: a, until: ${text} }`)).callers
    expect(a?.grants[0]?.until).toBe(until)
  })
})

describe('zones', () => {
  test.each([
    [
      withLines('zones: { shop: [chekcout] }', 'callers: { checkout: { is: [spiffe://td/a] } }'),
      '2:17 zones.shop[0]: there is no caller "chekcout": did you mean `checkout`?',
    ],
    [withLines('zones: { shop: [a] }'), 'there is no caller "a": none are declared'],
    [withLines('zones: { shop: a }'), 'zones.shop: expected a list of callers, got "a"'],
    [withLines('zones: { sh op: [] }'), 'expected the name of a zone'],
    [
      withLines('service: a', 'zones: { x: [a] }', 'calls: { x: [y] }'),
      '4:14 calls.x[0]: there is no zone "y"',
    ],
    [withLines('service: a', 'zones: { x: [a] }', 'calls: { y: [x] }'), '4:10 calls.y: there is no zone "y"'],
    [
      withLines('zones: { x: [] }', 'calls: { x: [x] }'),
      "3:8 calls: it says who may call this service's zone: write `service`",
    ],
    [withLines('service: a', 'zones: { x: [] }', 'calls: { x: [x] }'), '4:8 calls: it says who'],
  ])('%j: %s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem)
  })
})

describe('a route', () => {
  test.each([
    ['{ requires: { authenticated: true } }', '3:5 routes[0]: say which route'],
    [
      '{ route: /orders, requires: { authenticated: true } }',
      '3:14 routes[0].route: expected a method and a path',
    ],
    [
      '{ route: get /orders, unprotected: why }',
      '3:14 routes[0].route: methods are written in capitals: write "GET /orders"',
    ],
    ['{ route: GET /orders }', '3:5 routes[0]: say who may call it: exactly one of `requires`'],
    ['{ route: GET /, unprotected: a, callerOptional: b }', 'say who may call it: exactly one of'],
    ['{ route: GET /, unprotected: true }', '.unprotected: expected the reason, such as `liveness probe'],
    [
      '{ route: GET /, unprotected: liveness probe, returns no data }',
      'If it belongs to the text before the comma, put all of that in quotes',
    ],
    ['{ route: GET /, unprotected: a, mode: enforce }', '.mode: an unprotected route refuses nobody'],
    ['{ route: GET /, requirements: { authenticated: true } }', '.requirements: there is no such key'],
  ])('%s: %s', (text, problem) => {
    expect(problemsOf(route(text)).join('\n')).toContain(problem)
  })

  test('is written once', () => {
    const twice = `${route('{ route: GET /, unprotected: a }')}  - { route: GET /, unprotected: b }\n`
    expect(problemsOf(twice)).toEqual(['4:5 routes[1]: the route is written twice: first in line 3'])
  })
})

describe('a requirement', () => {
  test.each([
    ['{}', '3:31 routes[0].requires: say what it asks'],
    [
      '[]',
      'routes[0].requires: expected what the route asks, such as { scopes: [orders:read] }, got an empty list',
    ],
    ['{ scope: [a] }', '.scope: there is no such key: did you mean `scopes`?'],
    [
      '{ scopes: [] }',
      '.scopes: expected a list of which each is a scope such as orders:read, got an empty list',
    ],
    [
      '{ scopes: [a, "orders:*"] }',
      '.scopes[1]: a requirement names the scope it needs: write `orders:read` instead of `orders:*`',
    ],
    ['{ scopes: a }', '.scopes: expected a list'],
    ['{ anyScope: [a b] }', '.anyScope[0]: expected a scope'],
    ['{ userScopes: [] }', '.userScopes: expected a list'],
    ['{ zones: [shop] }', '.zones[0]: there is no zone "shop": none are declared'],
    ['{ zones: [] }', '.zones: expected a list of zones, got an empty list'],
    ['{ callers: [a] }', '.callers[0]: there is no caller "a"'],
    ['{ callers: [] }', '.callers: expected a list of callers'],
    ['{ provenBy: [token] }', ".provenBy[0]: write 'certificate', 'boundToken' or 'dpop', got \"token\""],
    ['{ freshWithin: soon }', ".freshWithin: expected a time span such as '5m' or 300"],
    ['{ freshWithin: 0 }', '.freshWithin: expected a time span'],
    ['{ freshWithin: true }', '.freshWithin: expected a time span such as 5m, got true'],
    [
      '{ authenticatedWith: [a b] }',
      '.authenticatedWith[0]: expected the name of an authentication context class',
    ],
    ['{ claims: {} }', '.claims: expected claims and their values'],
    ['{ claims: { a: [] } }', '.claims.a: expected a value, or a list'],
    ['{ claims: { a: null } }', '.claims.a: expected text, a number, true or false, got nothing'],
    ['{ claims: { a: [[b]] } }', '.claims.a[0]: expected text'],
    ['{ claims: { a: {} } }', '.claims.a: expected claims and their values'],
    ['{ claims: { __proto__: a } }', 'expected the name of a claim'],
    ['{ when: true }', '.when: expected a condition in CEL, got true'],
    ["{ when: 'caller.usr == 1' }", '.when: there is no `caller.usr`: did you mean `user`?'],
    ['{ allOf: [] }', '.allOf: expected a list of what is asked'],
    ['{ allOf: [{}] }', '.allOf[0]: say what it asks'],
    ['{ anyOf: [{ scopes: [a] }, 7] }', '.anyOf[1]: expected what the route asks'],
    ['{ not: {} }', '.not: say what it asks'],
    ['{ not: { authenticated: true } }', '.not: every caller meets authenticated()'],
    ['{ authenticated: false }', '.authenticated: expected true, got false'],
    ['{ unprotected: why }', '.unprotected: there is no such key'],
  ])('%s: %s', (text, problem) => {
    expect(problemsOf(routeOf(text)).join('\n')).toContain(problem)
  })

  test('holds back nothing that is right beside what is wrong', () => {
    expect(problemsOf(routeOf('{ scopes: [a], callers: [b] }'))).toHaveLength(1)
    expect(problemsOf(routeOf('{ scopes: [a], callers: [b, c], zones: [d] }'))).toHaveLength(3)
  })
})

describe('the error', () => {
  const wrong = withLines('zones: { a: [b] }', 'callers: 7')

  function errorOf(text: string, name?: string): PolicyError {
    try {
      parsePolicy(text, name)
    } catch (error) {
      if (error instanceof PolicyError) return error
    }
    throw new Error('expected a PolicyError')
  }

  test('names file, line, column, path and problem, one to a line', () => {
    const { message, problems, code, name } = errorOf(wrong, 'orders.yaml')
    expect(message).toBe(
      [
        'orders.yaml:2:14 zones.a[0]: there is no caller "b": none are declared',
        'orders.yaml:3:10 callers: expected a mapping of callers, such as `checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout] }`, got the number 7: put it in quotes if it is meant as text',
      ].join('\n'),
    )
    expect(problems).toHaveLength(2)
    expect([code, name]).toEqual(['policy_invalid', 'PolicyError'])
    expect(problems[0]).toMatchObject({ path: 'zones.a[0]', line: 2, column: 14 })
  })

  test('tells twenty problems, and how many more there are', () => {
    const many = withLines(...Array.from({ length: 30 }, (_, i) => `wrong${i}: 1`))
    const { problems, message } = errorOf(many)
    expect(problems).toHaveLength(20)
    expect(message).toContain('countersign.policy.yaml: and 10 more')
  })

  test('quotes text and cuts it', () => {
    const { message } = errorOf(withLines(`service: "${'x'.repeat(3000)}\\u001b[31m\\n"`))
    expect(message.length).toBeLessThan(600)
    expect([...message].every((character) => character >= ' ')).toBe(true)
  })

  test('is in the order of the document', () => {
    const lines = problemsOf(whole.replace('version: 1', 'version: 2').replace('orders:read, {', 'a b, {'))
    expect(lines.map((line) => line.split(':')[0])).toEqual(['2', '9'])
  })
})
