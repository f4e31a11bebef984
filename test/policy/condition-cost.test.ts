// What the worst condition may cost with the worst credential. It is counted, and not timed.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Caller } from '@countersign/core'
import { conditionEnvironment } from '../../packages/policy/src/condition/environment.ts'
import { meteredText } from '../../packages/policy/src/condition/metered-text.ts'
import { maxCost } from '../../packages/policy/src/condition/meter.ts'
import { serviceWith } from '../core/support/known-callers.ts'
import { saidOf } from './asking.ts'

const service = await serviceWith()
const { meter } = conditionEnvironment()

/** The same caller, with a token that holds these claims: as much as 16 kB of it can. */
const withClaims = (claims: Readonly<Record<string, unknown>>): Caller =>
  Object.freeze({ ...service, claims })
const elements = (count: number) => Array.from({ length: count }, (_, i) => `g${i}`)
const worst = withClaims({
  l: elements(2500),
  n: Array.from({ length: 6000 }, () => 1),
  s: 'x'.repeat(12_000),
})
const modest = withClaims({ l: elements(200), s: 'x'.repeat(100) })

/** Applies `map` again and again, so that each time there is twice as much. */
const doubled = (start: string, step: string, times: number) => `${start}${`.map(x, ${step})`.repeat(times)}`

describe('ends early, and denies', () => {
  test.each([
    'caller.claims.n.exists(x, x == 2)',
    'caller.claims.l.all(x, caller.claims.l.exists(y, y == x))',
    'caller.claims.l.all(x, x in caller.claims.l)',
    'caller.claims.l.exists(x, caller.claims.s.contains(x + caller.claims.s))',
    'caller.claims.n.exists(x, x.missing == 1)',
    'caller.claims.s.split("").exists(c, c == "y")',
    'caller.claims.l.exists(x, time.getHours("Europe/Berlin") == 77)',
    'caller.claims.l.all(x, caller.claims.l + [x] != [])',
    `size(${doubled('[caller.claims.l]', 'x + x', 20)}) == 1`,
    `size(${doubled('[caller.claims.s]', 'x + x', 20)}) == 1`,
    `${doubled('["a"]', '[x, x]', 18)} == ${doubled('["a"]', '[x, x]', 18)}`,
    `caller.claims.s in ${doubled('["a"]', '[x, x]', 18)}`,
  ])('%s', (expression) => {
    expect(saidOf(expression, worst)).toBe('cost_exceeded')
  })

  test('also where an error of one element makes way for the next', () => {
    expect(saidOf('caller.claims.l.exists(x, x.missing == 1)', modest)).toBe('no_such_key')
    expect(meter.spent).toBeGreaterThan(maxCost)
    expect(saidOf('caller.claims.l.exists(x, x.missing == 1) || 1 in [caller.claims.l]', modest)).not.toBe(
      'true',
    )
  })

  test('however often its check is asked: few of them are made', () => {
    let asked = 0
    const counting = Object.freeze({
      ...modest,
      scopes: { has: () => ((asked += 1), true), [Symbol.iterator]: () => [][Symbol.iterator]() },
    })
    const expression = 'caller.claims.l.all(x, caller.claims.l.all(y, "a" in caller.scopes))'
    expect(saidOf(expression, counting)).toBe('cost_exceeded')
    expect(asked).toBeLessThan(maxCost)
    expect(asked).toBeGreaterThan(0)
  })

  test('however many elements are in error: few of them are evaluated', () => {
    let asked = 0
    const counting = Object.freeze({
      ...modest,
      scopes: { has: () => ((asked += 1), true), [Symbol.iterator]: () => [][Symbol.iterator]() },
    })
    const expression = 'caller.claims.l.exists(x, "a" in caller.scopes && x.missing == 1)'
    expect(saidOf(expression, counting)).toBe('no_such_key')
    expect(asked).toBeLessThan(60)
    expect(asked).toBeGreaterThan(10)
  })

  test('also where every calendar of the world is looked up', () => {
    const lookups = Array(26).fill('time.getHours("Europe/Berlin") == 77')
    expect(saidOf(lookups.join(' || '), modest)).toBe('cost_exceeded')
  })
})

describe('what people write is far from the end', () => {
  test.each([
    ['"g199" in caller.claims.l', 100],
    ['caller.claims.l.exists(g, g == "g199")', 1000],
    ['caller.claims.l.exists(g, g.startsWith("admin-") || g in ["a", "b"])', 4000],
    ['resource.route.startsWith("GET ") && caller.claims.s.contains("x")', 10],
    ['time.getHours("Europe/Berlin") >= 0 && time.getHours("Europe/Berlin") < 24', 1000],
  ])('%s takes less than %i', (expression, cost) => {
    expect(saidOf(expression, modest)).toMatch(/^(?:true|false)$/)
    expect(meter.spent).toBeLessThan(cost)
  })

  test('one condition leaves nothing for the next to pay', () => {
    expect(saidOf('caller.claims.n.exists(x, x == 2)', worst)).toBe('cost_exceeded')
    expect(saidOf('caller.claims.s == ""', modest)).toBe('false')
  })
})

describe('metered, an expression says what it said before', () => {
  const values = new Map<string, unknown>([
    [
      'caller',
      new Map<string, unknown>([
        [
          'claims',
          new Map<string, unknown>([
            ['a', 1n],
            ['b', 'x'],
            ['l', ['x', 'y']],
            ['d', 1.5],
            ['t', true],
          ]),
        ],
        ['id', 'me'],
      ]),
    ],
    ['time', new Date(0)],
  ])
  const { expression } = fc.letrec<{ expression: string; deeper: string }>((tie) => ({
    deeper: tie('expression').map((text) => `(${text})`),
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(
        '1',
        '-2',
        '1.5',
        '"x"',
        "'it\\'s'",
        'r"\\d"',
        '"""a"b"""',
        'true',
        'null',
        '0x1F',
        '[]',
        '{}',
        'caller.claims.a',
        'caller.claims.b',
        'caller.claims.l',
        'caller.claims["d"]',
        'caller.id',
        'caller.claims.t',
        'caller.claims.z',
        'time',
      ),
      fc
        .tuple(
          tie('deeper'),
          fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||'),
          tie('deeper'),
        )
        .map((parts) => parts.join(' ')),
      fc
        .tuple(tie('expression'), fc.constantFrom('&&', '||', '==', '+'), tie('expression'))
        .map((parts) => parts.join(' ')),
      fc.tuple(fc.constantFrom('!', '-'), tie('deeper')).map((parts) => parts.join('')),
      fc.tuple(tie('deeper'), tie('expression'), tie('expression')).map(([a, b, c]) => `${a} ? ${b} : ${c}`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `[${a}, ${b}][0]`),
      tie('expression').map((text) => `{"k": ${text}}.k`),
      tie('deeper').map((text) => `size(${text})`),
      tie('deeper').map((text) => `string(${text})`),
      fc
        .tuple(tie('deeper'), fc.constantFrom('startsWith', 'contains'), tie('expression'))
        .map(([a, name, b]) => `${a}.${name}(${b})`),
      fc
        .tuple(
          tie('deeper'),
          fc.constantFrom('exists', 'all', 'exists_one', 'filter', 'map'),
          tie('expression'),
        )
        .map(([a, name, b]) => `${a}.${name}(v, ${b})`),
      fc.constant('has(caller.claims.a)'),
      fc.constant('has(caller.claims.z)'),
    ),
  }))

  const { written, metered } = conditionEnvironment()

  function outcome(evaluate: () => unknown): string {
    try {
      return JSON.stringify(evaluate(), (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      )
    } catch (error) {
      return String((error as { code?: unknown }).code)
    }
  }

  test('whatever it is', () => {
    const seen = { value: 0, error: 0 }
    fc.assert(
      fc.property(expression, (text) => {
        let parsed
        try {
          parsed = written.parse(text)
        } catch {
          return
        }
        if (!parsed.check().valid) return
        const again = metered.parse(meteredText(parsed.ast))
        meter.start()
        const before = outcome(() => parsed(values))
        expect(outcome(() => again(values))).toBe(before)
        seen[/^[a-z_]+$/.test(before) && !['true', 'false', 'null'].includes(before) ? 'error' : 'value'] += 1
      }),
      { numRuns: 3000 },
    )
    // Else it would have compared nothing.
    expect(seen.value).toBeGreaterThan(100)
    expect(seen.error).toBeGreaterThan(20)
  })
})
