// The schema and the parser are two answers to one question: what is a policy document.
import { describe, expect, test } from 'vitest'
import { problemsOf, routeOf, whole, withLines } from './document.ts'
import { schema, schemaProblemsOf } from './schema.ts'

const callerIs = (name: string) => withLines('callers:', `  a: { is: [${name}] }`)
const grant = (text: string) => withLines('callers:', `  a: { is: [spiffe://td/a], grants: [${text}] }`)
const mode = (text: string) => withLines('callers:', `  a: { is: [spiffe://td/a], mode: ${text} }`)
const route = (text: string) => withLines('routes:', `  - ${text}`)

describe('both take', () => {
  test.each([
    whole,
    'version: 1',
    JSON.stringify({ version: 1 }),
    withLines('service: a', 'zones: {}', 'callers: {}', 'routes: []'),
    withLines('service: a', 'zones: { z: [a] }', 'calls: { z: [] }'),
    callerIs("'*x'").replace("'*x'", 'spiffe://td/*/b'),
    callerIs("'https://i#client=*'"),
    callerIs("'x509:corp#commonName=reports'"),
    callerIs("{ issuer: https://i/realms/a, clientId: '*' }"),
    callerIs('{ issuer: http://localhost:8080, subject: a b }'),
    callerIs("{ authority: p, dnsName: '*' }"),
    callerIs("{ kubernetes: { namespace: a, serviceAccount: '*', trustDomain: td } }"),
    grant('orders:read, orders, "urn:x", https://graph/.default, "a:b:c"'),
    grant("'orders:*'"),
    grant('{ scope: a, until: 2027-01-31T12:00:00.123Z, via: token, reason: because }'),
    mode('enforce'),
    mode('{ observe: { until: 2027-01-31 } }'),
    route("{ route: '* /', unprotected: a }"),
    route('{ route: M-SEARCH /x y, callerOptional: a, mode: enforce }'),
    route("{ route: 'GET ^\\/x$', callerOptional: a }"),
    routeOf('{ freshWithin: 300 }'),
    routeOf('{ freshWithin: 7d, provenBy: [certificate, boundToken, dpop] }'),
    routeOf('{ authenticated: true, not: { scopes: [a] } }'),
    routeOf('{ anyOf: [{ allOf: [{ not: { not: { scopes: [a] } } }] }] }'),
    routeOf('{ claims: { a: [1, b, true], c: { d: { e: f } }, "": x } }').replace(', "": x', ''),
    routeOf('{ when: "has(caller.user)" }'),
    withLines('candidate: { routes: [] }'),
  ])('%j', (text) => {
    expect(problemsOf(text)).toEqual([])
    expect(schemaProblemsOf(text)).toEqual([])
  })
})

describe('both refuse', () => {
  test.each([
    '[]',
    'service: a',
    'version: 2',
    "version: '1'",
    withLines('colour: red'),
    withLines('service: a b'),
    withLines('service: 7'),
    withLines('callers: []'),
    withLines('callers: { a b: { is: [spiffe://td/a] } }'),
    withLines('callers: { a: {} }'),
    withLines('callers: { a: { is: [spiffe://td/a], scopes: [a] } }'),
    callerIs(''),
    callerIs('orders'),
    callerIs('7'),
    callerIs('{}'),
    callerIs('{ issuer: https://i }'),
    callerIs('{ issuer: i, clientId: a }'),
    callerIs('{ issuer: "https://i#x", clientId: a }'),
    callerIs('{ issuer: https://i, clientId: a, subject: b }'),
    callerIs('{ issuer: https://i, dnsName: a }'),
    callerIs('{ authority: A, dnsName: a }'),
    callerIs('{ kubernetes: { namespace: a, serviceAccount: b } }'),
    callerIs('{ kubernetes: { namespace: a, serviceAccount: b, trustDomain: td, issuer: https://i } }'),
    callerIs('{ kubernetes: { namespace: A, serviceAccount: b, trustDomain: td } }'),
    callerIs('{ kubernetes: { serviceAccount: b, trustDomain: td } }'),
    grant("'orders:*:x'"),
    grant("'*'"),
    grant("'a*'"),
    grant('a b'),
    grant('7'),
    grant('{ until: 2027-01-31 }'),
    grant('{ scope: a, via: cookie }'),
    grant('{ scope: a, until: tomorrow }'),
    grant('{ scope: a, until: 2027 }'),
    grant("{ scope: a, reason: '' }"),
    grant('{ scope: a, why: b }'),
    mode('observe'),
    mode('{}'),
    mode('{ observe: {} }'),
    mode('{ observe: { until: soon } }'),
    mode('{ observe: { until: 2027-01-31 }, enforce: true }'),
    withLines('zones: [a]'),
    withLines('zones: { a: b }'),
    withLines('zones: { a b: [] }'),
    withLines('calls: { a: { b: c } }'),
    withLines('routes: { }'),
    route('{}'),
    route('{ route: GET / }'),
    route('{ route: /, unprotected: a }'),
    route('{ route: get /, unprotected: a }'),
    route('{ route: "GET / ", unprotected: a }'),
    route('{ route: GET /, unprotected: a, callerOptional: b }'),
    route('{ route: GET /, unprotected: a, mode: enforce }'),
    route('{ route: GET /, unprotected: true }'),
    route('{ route: GET /, unprotected: a, asks: b }'),
    routeOf('{}'),
    routeOf('[]'),
    routeOf('{ unprotected: a }'),
    routeOf('{ authenticated: false }'),
    routeOf('{ scopes: [] }'),
    routeOf('{ scopes: a }'),
    routeOf("{ anyScope: ['a:*'] }"),
    routeOf('{ userScopes: [a b] }'),
    routeOf('{ zones: [] }'),
    routeOf('{ callers: [] }'),
    routeOf('{ provenBy: [token] }'),
    routeOf('{ provenBy: [] }'),
    routeOf('{ freshWithin: 5 minutes }'),
    routeOf('{ freshWithin: 0 }'),
    routeOf('{ freshWithin: 1.5 }'),
    routeOf('{ authenticatedWith: [a b] }'),
    routeOf('{ authenticatedWith: [] }'),
    routeOf('{ claims: {} }'),
    routeOf('{ claims: { a: [] } }'),
    routeOf('{ claims: { a: [[b]] } }'),
    routeOf('{ claims: { a: null } }'),
    routeOf('{ when: true }'),
    routeOf("{ when: '' }"),
    routeOf('{ allOf: [] }'),
    routeOf('{ anyOf: { scopes: [a] } }'),
    routeOf('{ not: {} }'),
    withLines('candidate: {}'),
    withLines('candidate: { version: 1, routes: [] }'),
  ])('%j', (text) => {
    expect(problemsOf(text)).not.toEqual([])
    expect(schemaProblemsOf(text)).not.toEqual([])
  })
})

// What a name stands for, what a condition means, and what calendars and YAML know, no schema can say.
describe('the parser alone refuses', () => {
  test.each([
    withLines('zones: { a: [b] }'),
    withLines('zones: { a: [] }', 'calls: { a: [a] }'),
    withLines('service: s', 'zones: { a: [s] }', 'calls: { a: [b] }'),
    routeOf('{ zones: [a] }'),
    routeOf('{ callers: [a] }'),
    routeOf('{ when: caller.usr }'),
    routeOf('{ not: { authenticated: true } }'),
    routeOf('{ freshWithin: 0s }'),
    callerIs('spiffe://td/a, spiffe://td/a'),
    callerIs('spiffe://td/a*'),
    callerIs('{ issuer: https://i, clientId: a* }'),
    grant('{ scope: a, until: 2027-02-30 }'),
    withLines('routes: [{ route: GET /, unprotected: a }, { route: GET /, unprotected: b }]'),
    withLines('service: "a\\tb"').replace('a\\tb', 'no').replaceAll('"', ''),
  ])('%j', (text) => {
    expect(problemsOf(text)).not.toEqual([])
    expect(schemaProblemsOf(text)).toEqual([])
  })
})

test('every key is described, for editors that complete it', () => {
  const undescribed: string[] = []
  const { $defs } = schema as { $defs: Readonly<Record<string, Described>> }

  function visit(part: Described, path: string): void {
    for (const [key, value] of Object.entries(part.properties ?? {})) {
      const { description = $defs[value.$ref?.split('/').at(-1) ?? '']?.description } = value
      if (description === undefined) undescribed.push(`${path}.${key}`)
    }
    for (const [i, each] of (part.anyOf ?? []).entries()) visit(each, `${path}[${i}]`)
  }
  visit(schema, '')
  for (const [name, part] of Object.entries($defs)) visit(part, name)
  expect(undescribed).toEqual([])
})

interface Described {
  readonly description?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Described>>
  readonly anyOf?: readonly Described[]
}
