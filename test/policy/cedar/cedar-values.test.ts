// What reaches Cedar: data alone, so that no text of a caller becomes a reference.
import { entity, extension } from '@countersign/policy/cedar'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openCedarHouse } from './support/cedar-house.ts'

const permit = 'permit(principal, action, resource)'
const asking = (value: unknown, condition: string) =>
  openCedarHouse(`${permit} when { ${condition} };`, { context: () => ({ value }) }).ask()

test.each<[string, unknown, string]>([
  ['text', 'seven', 'context.value == "seven"'],
  ['a truth', true, 'context.value'],
  ['a whole number', -7, 'context.value == -7'],
  ['a list', ['a', 'b'], 'context.value.contains("b")'],
  ['an object', { a: { b: 1 } }, 'context.value.a.b == 1'],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), 'context.value.a == 1'],
  ['nothing', undefined, '!(context has value)'],
  ['nothing inside', { a: undefined }, '!(context.value has a)'],
  ['a reference', entity('User', 'alice'), 'context.value == User::"alice"'],
  ['a reference inside', [entity('User', 'alice')], 'context.value.contains(User::"alice")'],
  ['an address', extension('ip', '10.1.2.3'), 'context.value.isIpv4()'],
  ['a fraction', extension('decimal', '1.5'), 'context.value.greaterThan(decimal("1.4"))'],
  ['a time', extension('datetime', '2030-01-01'), 'context.value < datetime("2030-01-02")'],
])('Cedar reads %s', async (_, value, condition) => {
  expect(await asking(value, condition)).toBe('allow')
})

const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])

test.each<[string, unknown]>([
  ['null', null],
  ['a fraction', 1.5],
  ['a number that is not exact', 2 ** 53],
  ['no number', Number.NaN],
  ['a bigint', 1n],
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a map', new Map([['a', 1]])],
  ['something that has not come yet', Promise.resolve(1)],
  ['a hole in a list', Array(1)],
  ['what is too deep', deep(40)],
  ['half a character', '\ud800'],
  ['an address that is none', extension('ip', 'x')],
  ['what only looks like a reference', { __entity: { type: 'User', id: 'alice' } }],
  ['what only looks like an address', { __extn: { fn: 'ip', arg: '10.1.2.3' } }],
  ['what only looks like an expression', { __expr: 'User::"alice"' }],
  ['the same inside', [{ claims: { __entity: { type: 'User', id: 'alice' } } }]],
])('Cedar is not asked with %s', async (_, value) => {
  expect(await asking(value, 'true')).toBe('decider_unavailable')
})

describe('names of the question', () => {
  test('are entities, and nothing that looks like one', async () => {
    const literal = { type: 'Service', id: 'a' }
    for (const option of ['principal', 'action', 'resource'] as const) {
      const { ask } = openCedarHouse(`${permit};`, { [option]: () => literal })
      expect(await ask()).toBe('decider_unavailable')
    }
    const uid = literal as ReturnType<typeof entity> // it is none
    expect(await openCedarHouse(`${permit};`, { entities: () => [{ uid }] }).ask()).toBe(
      'decider_unavailable',
    )
  })

  test('of a type that Cedar cannot read are an error', async () => {
    const { ask, why } = openCedarHouse(`${permit};`, { principal: () => entity('a b', 'x') })
    expect(await ask()).toBe('decider_unavailable')
    expect(await why()).toBe('an error in "a request that Cedar cannot read"')
  })
})

test('no text of a path is anything but that text', async () => {
  const rules = `${permit} when { context.params.id == "7" }; forbid(principal, action, resource) when { context.params has other };`
  const { ask } = openCedarHouse(rules)
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('7"}')), async (id) => {
      expect(await ask({ params: { id } })).toBe(id === '7' ? 'allow' : 'decider_forbids')
    }),
    { numRuns: 50 },
  )
})
