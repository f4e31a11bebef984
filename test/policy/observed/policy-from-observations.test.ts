// What a record becomes as text: a document that can be read, whatever was seen.
import { refusals, type Observation, type RefusalCode } from '@countersign/core'
import { parsePolicy, policyFromObservations } from '@countersign/policy'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mistakeOf } from '../../core/support/mistake.ts'

const idp = 'https://idp.internal'
const checkout = 'spiffe://prod.example/ns/shop/sa/checkout'

const seen = (more: Partial<Observation> = {}): Observation => ({
  route: 'GET /orders',
  caller: more.names?.[0] ?? checkout,
  requirement: 'scopes(orders:read)',
  scopes: ['orders:read'],
  used: (more.allowed ?? 1) > 0 ? ['orders:read'] : [],
  names: [checkout],
  users: null,
  via: 'certificate',
  allowed: 1,
  refused: {},
  firstAt: Date.UTC(2030, 0, 1),
  lastAt: Date.UTC(2030, 0, 8),
  ...more,
})
const nobody = { caller: null, names: [], used: [], via: null, allowed: 0 } as const
const namesOf = (...ids: readonly string[]): readonly string[] =>
  parsePolicy(policyFromObservations(ids.map((id) => seen({ names: [id] })))).callers.map(({ name }) => name)
const routesOf = (...observations: readonly Observation[]): readonly string[] =>
  policyFromObservations(observations)
    .split('\n')
    .filter((line) => line.startsWith('  - '))

test('nothing seen is a policy of nobody', () => {
  const policy = parsePolicy(policyFromObservations([]))
  expect(policy).toMatchObject({ callers: [], service: undefined })
  expect(policy.routes.size).toBe(0)
})

test('the service has the name that is given', () => {
  expect(parsePolicy(policyFromObservations([], { service: 'orders' })).service).toBe('orders')
  for (const service of ['', 'a b', 'x: 1\ncallers: {}', '-']) {
    expect(mistakeOf(() => policyFromObservations([], { service }))).toMatchObject({
      code: 'configuration_invalid',
      option: 'service',
    })
  }
})

describe('callers are named', () => {
  test.each([
    [checkout, 'checkout'],
    [`${idp}#client=shop-web`, 'shop-web'],
    [`${idp}#client=shop web/ü`, 'shop-web'],
    [`${idp}#client=müller`, 'm-ller'],
    [`${idp}#client=true`, 'caller-true'],
    [`${idp}#client=12`, 'caller-12'],
    [`${idp}#client=1e5`, 'caller-1e5'],
    [`${idp}#client=null`, 'caller-null'],
    [`${idp}#client=NO`, 'caller-NO'],
    [`${idp}#client=___`, 'caller'],
    [`${idp}#client=${'x'.repeat(100)}`, 'x'.repeat(48)],
    ['https://oidc.cluster.example#sub=system:serviceaccount:shop:sweeper', 'sweeper'],
    ['x509:corp#dns=reports.corp.example', 'reports.corp.example'],
  ])('%s → %s', (id, name) => {
    expect(namesOf(id)).toEqual([name])
  })

  test('each otherwise, and the same whatever was seen first', () => {
    const ids = ['a', 'b', 'c'].map((domain) => `spiffe://${domain}.example/checkout`)
    const named = (order: readonly string[]) =>
      parsePolicy(policyFromObservations(order.map((id) => seen({ names: [id] })))).callers.map(
        ({ name, is }) => `${name} ${is[0]?.text}`,
      )
    expect(named(ids)).toEqual([`checkout ${ids[0]}`, `checkout-2 ${ids[1]}`, `checkout-3 ${ids[2]}`])
    expect(named(ids.toReversed())).toEqual(named(ids))
    const long = 'x'.repeat(100)
    expect(namesOf(`${idp}#client=${long}`, `${idp}#client=${long}y`)).toHaveLength(2)
  })

  test('once, where they were seen by several names', () => {
    const [a, b, c] = ['spiffe://prod.example/a', `${idp}#client=b`, `${idp}#client=c`]
    const text = policyFromObservations([
      seen({ names: [a] }),
      seen({ names: [b, a], via: 'both' }),
      seen({ names: [c] }),
      seen({ names: [c, b], via: 'both' }),
    ])
    const [caller, other] = parsePolicy(text).callers
    expect(other).toBeUndefined()
    expect(caller?.is.map(({ text: id }) => id)).toEqual([b, c, a])
    expect(caller?.grants.map(({ scope, via }) => `${scope} ${via}`).toSorted()).toEqual([
      'orders:read both',
      'orders:read certificate',
    ])
  })
})

describe('is left out and told', () => {
  test('who was refused, with the codes and how often', () => {
    const text = policyFromObservations([
      seen({ allowed: 0, refused: { scope_missing: 12, proof_insufficient: 1 } }),
    ])
    expect(parsePolicy(text).callers).toEqual([])
    expect(text).toContain(
      `#   ${checkout} on GET /orders, which asks scopes(orders:read): scope_missing 12 times, proof_insufficient 1 time\n`,
    )
  })

  test('who had no valid credential', () => {
    const text = policyFromObservations([
      seen({ ...nobody, requirement: null, route: 'GET /new', refused: { route_undeclared: 2 } }),
      seen({ ...nobody, refused: { token_expired: 3 } }),
    ])
    expect(parsePolicy(text)).toMatchObject({ callers: [] })
    expect(text).toContain('#   GET /new: route_undeclared 2 times\n')
    expect(text).toContain('#   GET /orders, which asks scopes(orders:read): token_expired 3 times\n')
    expect(routesOf(seen({ ...nobody, requirement: null, refused: { route_undeclared: 2 } }))).toEqual([])
  })

  test.each<[string, Partial<Observation>]>([
    ['a caller that no document can name', { names: [`${idp}#client=*`] }],
    ['a caller with half a character', { names: [`${idp}#client=\ud800`] }],
    ['a caller with what cannot be seen', { names: [`${idp}#client=a\u200bb`] }],
    ['a caller by no name', { names: [], caller: 'x509:?' }],
    ['a scope that no grant can name', { scopes: ['a*'], used: ['a*'], requirement: 'scopes(a*)' }],
    [
      'a scope that a grant would take for several',
      { scopes: ['orders:*'], used: ['orders:*'], requirement: 'scopes(orders:*)' },
    ],
    ['a route that is none', { route: 'every path' }],
    ['users whose issuer is none', { users: 'idp#sub=*' }],
  ])('%s, although it was allowed', (_, more) => {
    const text = policyFromObservations([seen(more)])
    expect(text).toContain('# Was allowed, and could not be written down.')
    expect(text).not.toContain('\u200b')
    expect(policyFromObservations([seen()])).not.toContain('could not be written')
  })

  test('users that cannot be told from services', () => {
    const users = { names: [`${idp}#client=web`], users: `${idp}#sub=*`, caller: `${idp}#sub=alice` }
    const service = { names: [`${idp}#sub=job`], via: 'token' } as const
    const both = policyFromObservations([seen(users), seen(service)])
    expect(parsePolicy(both).callers.map(({ name }) => name)).toEqual(['job', 'web'])
    expect(both).toContain(`#   ${idp}#sub=alice on GET /orders`)
    const alone = parsePolicy(policyFromObservations([seen(users)])).callers
    expect(alone.map(({ name }) => name)).toEqual(['users-of-idp.internal', 'web'])
  })

  test('no more than can be read', () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      seen({ ...nobody, route: `GET /${i}`, refused: { token_expired: 1 } }),
    )
    const told = policyFromObservations(many)
      .split('\n')
      .filter((line) => line.startsWith('#   '))
    expect(told).toHaveLength(501)
    expect(told.at(-1)).toBe('#   and 100 more')
  })
})

describe('routes ask', () => {
  const undeclared = { requirement: null, scopes: [], used: [], allowed: 0, refused: { route_undeclared: 1 } }

  test.each<[string, readonly Partial<Observation>[], string | undefined]>([
    ['the scopes that they asked', [{}], 'requires: { scopes: [orders:read] }'],
    ['for a caller', [{ requirement: 'authenticated()', scopes: [] }], 'requires: { authenticated: true }'],
    [
      'to be one of those who called',
      [undeclared, { ...undeclared, names: [`${idp}#client=b`] }],
      'requires: { callers: [b, checkout] }',
    ],
    [
      'to be one of those who were allowed, where nothing else says it',
      [{ requirement: 'when(a)' }],
      'requires: { callers: [checkout] }',
    ],
    [
      'the same where they asked one thing and another',
      [{}, { requirement: 'authenticated()' }],
      'requires: { callers: [checkout] }',
    ],
    [
      'the same where a long list was cut',
      [{ requirement: 'scopes(orders:read, … 3 more)' }],
      'requires: { callers: [checkout] }',
    ],
    [
      'for callers, too, where something else refused one',
      [{}, { names: [`${idp}#client=b`], allowed: 0, refused: { caller_not_allowed: 1 } }],
      'requires: { scopes: [orders:read], callers: [checkout] }',
    ],
    [
      'nothing more where only scopes were missing',
      [
        {},
        { names: [`${idp}#client=b`], allowed: 0, refused: { scope_missing: 1 } },
        { ...nobody, refused: { token_expired: 1 } },
      ],
      'requires: { scopes: [orders:read] }',
    ],
    ['nothing', [{ ...nobody, requirement: 'unprotected(a probe)', allowed: 1 }], 'unprotected: a probe'],
    ['nothing of who presents nothing', [{ requirement: 'callerOptional(a: b)' }], 'callerOptional: "a: b"'],
  ])('%s', (_, observations, asked) => {
    expect(routesOf(...observations.map(seen))).toEqual([`  - { route: GET /orders, ${asked} }`])
  })

  test('for nobody who was refused there, whoever it is elsewhere', () => {
    const b = { names: [`${idp}#client=b`] }
    const elsewhere = seen({ ...b, route: 'GET /' })
    const refused = seen({ ...b, requirement: 'when(a)', allowed: 0, refused: { requirement_unmet: 1 } })
    const [, orders] = routesOf(seen({ requirement: 'when(a)' }), refused, elsewhere)
    expect(orders).toBe('  - { route: GET /orders, requires: { callers: [checkout] } }')
  })

  test.each<[string, Partial<Observation>]>([
    ['nobody was allowed', { requirement: 'when(a)', allowed: 0, refused: { requirement_unmet: 1 } }],
    ['the reason cannot be written', { ...nobody, requirement: 'unprotected(a\nb)', allowed: 1 }],
  ])('nothing that stands in the document where %s', (_, more) => {
    expect(routesOf(seen(more))).toEqual([])
  })
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    'a: b',
    '# x',
    '- a',
    '"',
    "'",
    '\n',
    'null',
    '{}',
    '[a]',
    '&a',
    '*',
    '!t',
    '%',
    '\ud800',
    '\u2028',
    'yes',
    '1e3',
    'a #b',
    'a:',
  ),
)
const anId = fc.oneof(
  anyText,
  anyText.map((name) => `spiffe://prod.example/${name}`),
  anyText.map((name) => `${idp}#client=${name}`),
  anyText.map((name) => `${idp}#sub=${name}`),
  anyText.map((name) => `x509:corp#dns=${name}`),
)
const aRoute = fc.oneof(
  anyText,
  anyText.map((path) => `GET /${path}`),
  fc.constant('* /orders/:id'),
)
const aScope = fc.oneof(anyText, fc.constantFrom('orders:read', 'orders:*', 'a*'))
const aCode = fc.constantFrom(...(Object.keys(refusals) as readonly RefusalCode[])) // of the table itself
const anObservation: fc.Arbitrary<Observation> = fc
  .record({
    route: aRoute,
    scopes: fc.array(aScope, { maxLength: 3 }),
    kind: fc.constantFrom('scopes', 'none', 'authenticated()', 'unprotected', 'callerOptional', 'other'),
    text: anyText,
    names: fc.array(anId, { maxLength: 2 }),
    users: fc.oneof(fc.constant(null), fc.constant(`${idp}#sub=*`), anId),
    isKnown: fc.boolean(),
    via: fc.constantFrom('token', 'certificate', 'both', null),
    allowed: fc.nat(3),
    refused: fc.dictionary(aCode, fc.nat(3)),
    firstAt: fc.oneof(fc.nat(), fc.constant(Number.NaN)),
    lastAt: fc.nat(),
  })
  .map(({ kind, text, isKnown, ...rest }) =>
    Object.assign({}, rest, {
      caller: isKnown ? (rest.names[0] ?? text) : null,
      used: rest.scopes.slice(1),
      requirement: requirementOf(kind, text, rest.scopes),
    }),
  )

function requirementOf(kind: string, text: string, scopes: readonly string[]): string | null {
  if (kind === 'none') return null
  if (kind === 'other') return text
  if (kind === 'scopes') return `scopes(${scopes.join(', ')})`
  return kind.endsWith(')') ? kind : `${kind}(${text})`
}

test('whatever was seen, the document can be read, and says no more than that', () => {
  fc.assert(
    fc.property(fc.array(anObservation, { maxLength: 8 }), (observations) => {
      const { callers, routes } = parsePolicy(policyFromObservations(observations))
      const known = observations.filter(({ caller }) => caller !== null)
      const ids = new Set(known.flatMap(({ names, users }) => names.concat(users ?? [])))
      expect(callers.flatMap(({ is }) => is).filter(({ text }) => !ids.has(text))).toEqual([])
      const used = new Set(observations.flatMap((each) => each.used))
      expect(callers.flatMap(({ grants }) => grants).filter(({ scope }) => !used.has(scope))).toEqual([])
      const asked = new Set(observations.map(({ route }) => route))
      expect([...routes.keys()].filter((route) => !asked.has(route))).toEqual([])
      expect(
        callers.flatMap(({ is }) => is).filter(({ isExact, text }) => !isExact && !text.endsWith('#sub=*')),
      ).toEqual([])
    }),
    { numRuns: 500 },
  )
})
