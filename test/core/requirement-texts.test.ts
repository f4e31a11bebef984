// Every requirement reads as one line, and a refusal says what would have done, in a line that a log can hold.
import {
  allOf,
  anyOf,
  anyScope,
  authenticated,
  authenticatedWith,
  callerIn,
  callerIs,
  claim,
  enforced,
  freshWithin,
  not,
  provenBy,
  scopes,
  userScopes,
  type Caller,
  type Requirement,
} from '@countersign/core'
import { OtherRequirement, Refusal } from '@countersign/core/adapter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listed } from '../../packages/core/src/policy/requirement-text.ts'
import { present } from './support/asking.ts'
import { inZones, serviceWith, userWith } from './support/known-callers.ts'
import { occasion } from './support/occasion.ts'

const caller = await serviceWith({ scope: 'orders:read x:y' })
const id = '"https://issuer.test#client=checkout"'
const detailOf = (requirement: Requirement, who: Caller = caller) =>
  present(requirement.check(who, 0, occasion)).detail

test.each<[Requirement, string]>([
  [scopes('a:b', 'c:d'), 'scopes(a:b, c:d)'],
  [anyScope('a:b', 'c:d'), 'anyScope(a:b, c:d)'],
  [userScopes('a:b', 'c:d'), 'userScopes(a:b, c:d)'],
  [callerIs('spiffe://a/b', 'spiffe://a/*'), 'callerIs(spiffe://a/b, spiffe://a/*)'],
  [callerIn('shop', 'back-office'), 'callerIn(shop, back-office)'],
  [claim('tenant', 'acme', 5, true), 'claim(tenant, "acme", 5, true)'],
  [claim(['realm_access', 'roles'], 'a "b"\n'), 'claim(realm_access.roles, "a \\"b\\"\\n")'],
  [authenticated(), 'authenticated()'],
  [provenBy('dpop', 'certificate'), 'provenBy(dpop, certificate)'],
  [freshWithin('5m'), 'freshWithin(5m)'],
  [authenticatedWith('urn:x:mfa', 'phr'), 'authenticatedWith(urn:x:mfa, phr)'],
  [not(anyOf(scopes('a:b'), callerIn('lab'))), 'not(anyOf(scopes(a:b), callerIn(lab)))'],
  [allOf(authenticated(), not(callerIn('lab'))), 'allOf(authenticated(), not(callerIn(lab)))'],
  [enforced(scopes('a:b', 'c:d')), 'enforced(scopes(a:b, c:d))'],
])('%# reads as it was written: $text', (requirement, text) => {
  expect(requirement.text).toBe(text)
})

describe('a refusal says what was expected, what came, and what to do:', () => {
  test.each<[Requirement, { expected: string; actual: string; advice?: string }]>([
    [
      scopes('orders:read', 'a:b', 'c:d'),
      {
        expected: 'orders:read a:b c:d',
        actual: 'orders:read x:y',
        advice: `grant ${id} what is missing (a:b c:d): by its issuer, and in \`grants\` where the guard has any`,
      },
    ],
    [
      anyScope('a:b', 'c:d'),
      {
        expected: 'a:b or c:d',
        actual: 'orders:read x:y',
        advice: `grant ${id} what is missing (one of a:b c:d): by its issuer, and in \`grants\` where the guard has any`,
      },
    ],
    [
      userScopes('orders:read', 'x:y'),
      {
        expected: 'a user with orders:read x:y',
        actual: `${id} without a user`,
        advice: 'have the caller present the token of the user it calls for, in place of its own',
      },
    ],
    [callerIs('spiffe://a/b', 'spiffe://a/*'), { expected: 'spiffe://a/b or spiffe://a/*', actual: id }],
    [
      callerIn('shop'),
      {
        expected: 'a caller in the zone shop',
        actual: `${id} in no zone`,
        advice: 'if it belongs there, name it under `zones` in the policy document',
      },
    ],
    [
      claim(['realm', 'roles'], 'clerk', 5),
      {
        expected: '`realm.roles`: "clerk" or 5',
        actual: 'no `realm.roles`',
        advice: 'have the issuer write it into the tokens of those who may call',
      },
    ],
    [
      not(anyOf(scopes('orders:read'), callerIn('lab'))),
      {
        expected: 'a caller that does not meet anyOf(scopes(orders:read), callerIn(lab))',
        actual: `${id}, which does`,
      },
    ],
    [
      anyOf(
        scopes('a:b'),
        allOf(scopes('orders:read'), callerIn('lab')),
        anyOf(callerIn('shop'), scopes('c:d')),
      ),
      {
        expected: 'a:b, or allOf(scopes(orders:read), callerIn(lab)), or a caller in the zone shop, or c:d',
        actual: 'orders:read x:y',
      },
    ],
    [
      allOf(scopes('orders:read'), anyOf(callerIn('lab'), scopes('a:b'))),
      { expected: 'a caller in the zone lab, or a:b', actual: `${id} in no zone` },
    ],
  ])('$0.text', (requirement, detail) => {
    expect(detailOf(requirement)).toEqual(detail)
  })

  test('of callers in other zones', () => {
    expect(detailOf(callerIn('shop', 'bank'), inZones(caller, 'lab', 'back-office'))).toMatchObject({
      expected: 'a caller in one of the zones shop, bank',
      actual: `${id} in lab, back-office`,
    })
  })

  test('of users', async () => {
    const alice = await userWith({ scope: 'x:y' })
    expect(detailOf(userScopes('orders:read', 'x:y'), alice)).toMatchObject({
      expected: 'orders:read x:y',
      actual: 'x:y',
      advice: expect.stringContaining('(orders:read)'),
    })
  })

  test.each([
    ['acme\n', '"acme\\n"'],
    [5, '5'],
    [false, 'false'],
    [null, 'null'],
    [{ a: 'secret' }, 'an object'],
    [['secret'], 'a list that has none of it'],
    ['x'.repeat(200), JSON.stringify(`${'x'.repeat(80)}…`)],
  ])('of a claim that is %j', async (tenant, actual) => {
    expect(detailOf(claim('tenant', 'acme'), await serviceWith({ tenant })).actual).toBe(actual)
  })

  test('where an alternative says nothing', () => {
    const silent = new OtherRequirement({ text: 'silent', check: () => new Refusal('requirement_unmet') })
    expect(detailOf(anyOf(silent))).toEqual({ expected: '', actual: id })
  })
})

describe('what does not fit into a line is counted:', () => {
  const names = Array.from({ length: 50 }, (_, i) => `resource-${i}:action-of-some-length-${i}`) as [string]
  const ids = Array.from({ length: 50 }, (_, i) => `spiffe://prod.example/ns/shop/sa/service-${i}`) as [
    string,
  ]
  const each = names.map((name) => scopes(name)) as [Requirement]

  test.each<[string, Requirement]>([
    ['scopes', scopes(...names)],
    ['anyScope', anyScope(...names)],
    ['userScopes', userScopes(...names)],
    ['callerIs', callerIs(...ids)],
    ['callerIn', callerIn(...names)],
    ['claim', claim('permissions', ...names)],
    ['authenticatedWith', authenticatedWith(...names)],
    ['anyOf', anyOf(...each)],
    ['allOf', allOf(...each)],
    ['anyOf of allOf', anyOf(...(each.map((one) => allOf(one, ...each)) as [Requirement]))],
  ])('%s', (_, requirement) => {
    expect(requirement.text).toMatch(/, … \d+ more\)$/)
    expect(requirement.text.length).toBeLessThanOrEqual(1040)
    const { expected = '', actual = '', advice = '' } = detailOf(requirement)
    expect(expected.length + actual.length).toBeLessThanOrEqual(1200)
    expect(advice.length).toBeLessThanOrEqual(700)
  })

  test('not', () => {
    const negated = not(not(anyOf(...each)))
    expect(negated.text).toMatch(/^not\(not\(anyOf\(scopes\(resource-0:.*…\)$/)
    expect(negated.text.length).toBeLessThanOrEqual(1040)
    const held = scopes('x:y')
    const every = Array.from({ length: 200 }, () => held) as [Requirement]
    expect(detailOf(not(allOf(...every))).expected).toMatch(
      /^a caller that does not meet allOf\(scopes\(x:y\), .{400,480}…$/,
    )
  })

  test('what callers hold, and where they are', async () => {
    const held = await serviceWith({ scope: names.join(' ') })
    expect(detailOf(scopes('a:b'), held).actual).toMatch(/^resource-0:\S+ .* … \d+ more$/)
    expect(detailOf(callerIn('shop'), inZones(caller, ...names)).actual?.length).toBeLessThan(700)
  })

  test('however deep and wide they nest', () => {
    const leaf = fc.constantFrom(...each, callerIs(...ids), scopes('a:b'), claim('x', 'y'.repeat(3000)))
    const { tree } = fc.letrec<{ tree: Requirement }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 12, depthSize: 'xlarge' },
        leaf,
        tie('tree').map((part) => not(part)),
        fc
          .array(tie('tree'), { minLength: 1, maxLength: 5 })
          .map((parts) => allOf(...(parts as [Requirement]))),
        fc
          .array(tie('tree'), { minLength: 1, maxLength: 5 })
          .map((parts) => anyOf(...(parts as [Requirement]))),
      ),
    }))
    fc.assert(
      fc.property(tree, (requirement) => {
        expect(requirement.text.length).toBeLessThanOrEqual(1040)
        expect(requirement.text).not.toMatch(/[\r\n]/)
        const { expected = '' } = requirement.check(caller, 0, occasion)?.detail ?? {}
        expect(expected.length).toBeLessThanOrEqual(560)
      }),
    )
    let deep: Requirement = scopes('a:b')
    for (let i = 0; i < 1000; i += 1) deep = i % 2 === 0 ? allOf(deep) : not(deep)
    expect(deep.text).toMatch(/^not\(allOf\(not\(.*…\)$/)
    expect(deep.text.length).toBeLessThanOrEqual(1040)
  })

  test.each<[readonly string[], number, string]>([
    [[], 10, ''],
    [['a'], 10, 'a'],
    [['aaaa', 'bbbb'], 10, 'aaaa, bbbb'],
    [['aaaa', 'bbbb'], 9, 'aaaa, … 1 more'],
    [['aaaa', 'bbbb', 'c'], 10, 'aaaa, bbbb, … 1 more'],
    [['aaaa', 'bbbbb', 'c'], 10, 'aaaa, … 2 more'],
    [['aaaaaaaaaa'], 10, 'aaaaaaaaaa'],
    [['aaaaaaaaaaa'], 10, 'aaaaaaaaa…'],
    [['aaaaaaaaaaa', 'b'], 10, 'aaaaaaaaa…, … 1 more'],
  ])('%j in %i characters', (items, max, text) => {
    expect(listed(items, ', ', max)).toBe(text)
  })
})

describe('what a requirement needs is what its parts need:', () => {
  const needs = (name: string, ...scopesNamed: readonly string[]): Requirement =>
    new OtherRequirement({ text: name, scopes: scopesNamed, contexts: [name], check: () => undefined })
  const a = needs('a', 'x:y', 'a:b')
  const b = needs('b', 'x:y')

  test.each<[Requirement, readonly string[], readonly string[]]>([
    [allOf(a, b, a), ['x:y', 'a:b'], ['a', 'b']],
    [anyOf(b, a), ['x:y', 'a:b'], ['b', 'a']],
    [not(allOf(a, b)), [], ['a', 'b']],
    [allOf(a, not(b)), ['x:y', 'a:b'], ['a', 'b']],
    [not(not(a)), [], ['a']],
    [enforced(allOf(a, b)), ['x:y', 'a:b'], ['a', 'b']],
    [scopes('x:y', 'x:y'), ['x:y'], []],
    [authenticated(), [], []],
    [callerIn('shop'), [], []],
    [claim('x', 'y'), [], []],
  ])('$0.text', (requirement, named, contexts) => {
    expect(requirement.scopes).toEqual(named)
    expect(requirement.contexts).toEqual(contexts)
  })

  test('no challenge tells callers what they must not have', () => {
    expect(not(allOf(freshWithin('5m'), authenticatedWith('phr'))).stepUp).toBeUndefined()
    expect(allOf(not(freshWithin('5m')), freshWithin('1h')).stepUp).toEqual({
      acrValues: [],
      maxAgeSeconds: 3600,
    })
  })

  test('and stays so', () => {
    for (const requirement of [
      allOf(a),
      anyOf(a),
      not(a),
      enforced(a),
      authenticated(),
      scopes('a:b'),
      claim('x', 'y'),
    ]) {
      expect(Object.isFrozen(requirement)).toBe(true)
      expect(Object.isFrozen(requirement.scopes)).toBe(true)
      expect(Object.isFrozen(requirement.contexts)).toBe(true)
    }
    expect(Object.isFrozen((allOf(a) as unknown as { parts: unknown }).parts)).toBe(true)
  })
})
