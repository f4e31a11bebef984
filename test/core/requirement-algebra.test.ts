// Requirements have three answers: met, not met, and an error. Here they are joined at random and held against a reading of the
// rules that shares nothing with the code.
import { allOf, anyOf, authenticated, enforced, not, type Requirement } from '@countersign/core'
import { OtherRequirement, Refusal } from '@countersign/core/adapter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isIndeterminate } from '../../packages/core/src/policy/indeterminate.ts'
import { serviceWith } from './support/known-callers.ts'
import { occasion } from './support/occasion.ts'

type Answer = 'met' | 'unmet' | 'error'
/** How a check says it. All but the first two are errors. */
type Leaf = 'met' | 'unmet' | 'condition' | 'context' | 'throws' | 'promise' | 'false' | 'null'
type Tree =
  | { readonly leaf: Leaf }
  | { readonly join: 'allOf' | 'anyOf' | 'not'; readonly of: readonly Tree[] }

const caller = await serviceWith()
const say: Readonly<Record<Leaf, () => unknown>> = {
  met: () => undefined,
  unmet: () => new Refusal('scope_missing', { expected: 'a:b' }),
  condition: () => new Refusal('condition_failed'),
  context: () => new Refusal('context_unavailable'),
  throws: () => {
    throw new Error('a condition broke')
  },
  promise: () => Promise.resolve(undefined),
  false: () => false,
  null: () => null,
}
const leafOf = (leaf: Leaf): Requirement =>
  new OtherRequirement({ text: leaf, check: say[leaf] as () => undefined }) // what a check without types may do

function build(tree: Tree): Requirement {
  if ('leaf' in tree) return leafOf(tree.leaf)
  const [first, ...rest] = tree.of.map(build)
  if (first === undefined) throw new Error('expected a part')
  return tree.join === 'not'
    ? not(first)
    : tree.join === 'allOf'
      ? allOf(first, ...rest)
      : anyOf(first, ...rest)
}

function answerOf(requirement: Requirement): Answer {
  const refusal = requirement.check(caller, 0, occasion)
  if (refusal === undefined) return 'met'
  expect(refusal).toBeInstanceOf(Refusal)
  return isIndeterminate(refusal) ? 'error' : 'unmet'
}

const leafAnswer = (leaf: Leaf): Answer => (leaf === 'met' || leaf === 'unmet' ? leaf : 'error')
const hasError = (tree: Tree): boolean =>
  'leaf' in tree ? leafAnswer(tree.leaf) === 'error' : tree.of.some(hasError)

function expectedOf(tree: Tree): Answer {
  if ('leaf' in tree) return leafAnswer(tree.leaf)
  if (tree.join === 'not') {
    if (hasError(tree)) return 'error'
    return tree.of.map(expectedOf).includes('met') ? 'unmet' : 'met'
  }
  const answers = new Set(tree.of.map(expectedOf))
  const [decisive, otherwise] =
    tree.join === 'allOf' ? (['unmet', 'met'] as const) : (['met', 'unmet'] as const)
  if (answers.has(decisive)) return decisive
  return answers.has('error') ? 'error' : otherwise
}

const treesOf = (...leaves: [Leaf, ...Leaf[]]): fc.Arbitrary<Tree> =>
  fc.letrec<{ tree: Tree; joined: Tree; negated: Tree; leaf: Tree }>((tie) => ({
    leaf: fc.constantFrom(...leaves).map((leaf) => ({ leaf })),
    joined: fc.record({
      join: fc.constantFrom('allOf' as const, 'anyOf' as const),
      of: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    }),
    negated: fc.record({ join: fc.constant('not' as const), of: fc.tuple(tie('tree')) }),
    tree: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('joined'), tie('negated')),
  })).tree

const failures = ['condition', 'context', 'throws', 'promise', 'false', 'null'] as const
const trees = treesOf('met', 'met', 'unmet', 'unmet', ...failures)
/** Without errors. */
const sound = treesOf('met', 'unmet')
const holds = <T>(values: fc.Arbitrary<T>, check: (value: T) => void): void =>
  fc.assert(
    fc.property(values, (value) => {
      check(value)
    }),
    { numRuns: 500 },
  )

describe('however requirements are joined,', () => {
  test('they answer as the rules of three values say', () => {
    holds(trees, (tree) => expect(answerOf(joinedAlone(tree))).toBe(expectedOf(tree)))
  })

  test('an error never helps: what is met beside one is met whatever it would have said', () => {
    holds(trees, (tree) => {
      if (answerOf(joinedAlone(tree)) !== 'met') return
      for (const leaf of ['met', 'unmet'] as const) expect(expectedOf(withErrorsAs(leaf, tree))).toBe('met')
    })
  })

  test('nothing but errors denies', () => {
    holds(treesOf(...failures), (tree) => expect(answerOf(joinedAlone(tree))).toBe('error'))
  })

  test('another part of `allOf` never widens, another alternative of `anyOf` never narrows', () => {
    holds(fc.tuple(trees, trees), ([one, other]) => {
      const both = answerOf(allOf(build(one), build(other)))
      const either = answerOf(anyOf(build(one), build(other)))
      if (both === 'met') expect(answerOf(allOf(build(one)))).toBe('met')
      if (answerOf(anyOf(build(one))) === 'met') expect(either).toBe('met')
    })
  })

  test('the order of parts does not matter', () => {
    const shuffled = fc
      .array(trees, { minLength: 1, maxLength: 5 })
      .chain((of) => fc.tuple(fc.constant(of), fc.shuffledSubarray(of, { minLength: of.length })))
    holds(shuffled, ([of, turned]) => {
      for (const join of ['allOf', 'anyOf'] as const) {
        expect(answerOf(build({ join, of: turned }))).toBe(answerOf(build({ join, of })))
        const [here, there] = [of, turned].map((parts) => answerOf(not(build({ join, of: parts }))))
        expect(here).toBe(there)
      }
    })
  })

  test('two negations are none, and De Morgan holds, where there is no error', () => {
    holds(fc.array(sound, { minLength: 1, maxLength: 4 }), (of) => {
      const negated = of.map((tree): Tree => ({ join: 'not', of: [tree] }))
      for (const [join, dual] of [
        ['allOf', 'anyOf'],
        ['anyOf', 'allOf'],
      ] as const) {
        const joined: Tree = { join, of }
        expect(answerOf(not(not(build(joined))))).toBe(answerOf(build(joined)))
        expect(answerOf(not(build(joined)))).toBe(answerOf(build({ join: dual, of: negated })))
      }
    })
  })
})

describe('an error in a part', () => {
  test.each(failures)('that says it by "%s" is one, wherever it stands', (leaf) => {
    const failed = leafOf(leaf)
    expect(answerOf(allOf(failed))).toBe('error')
    expect(answerOf(anyOf(failed))).toBe('error')
    expect(answerOf(not(failed))).toBe('error')
    expect(answerOf(not(not(failed)))).toBe('error')
  })

  test('does not matter where another alternative is met, or another part is not met', () => {
    expect(answerOf(anyOf(leafOf('throws'), leafOf('met')))).toBe('met')
    expect(answerOf(allOf(leafOf('throws'), leafOf('unmet')))).toBe('unmet')
  })

  test.each(['met', 'unmet'] as const)('matters within `not`, also beside a part that is %s', (leaf) => {
    for (const parts of [
      [leafOf(leaf), leafOf('throws')] as const,
      [leafOf('throws'), leafOf(leaf)] as const,
    ]) {
      expect(answerOf(not(allOf(...parts)))).toBe('error')
      expect(answerOf(not(anyOf(...parts)))).toBe('error')
      expect(answerOf(not(allOf(anyOf(...parts))))).toBe('error')
    }
  })

  test('keeps its code, the first of several', () => {
    const codeOf = (requirement: Requirement) => requirement.check(caller, 0, occasion)?.code
    for (const join of [allOf, anyOf]) {
      expect(codeOf(join(leafOf('met'), leafOf('context'), leafOf('condition')))).toBe(
        join === allOf ? 'context_unavailable' : undefined,
      )
      expect(codeOf(join(leafOf('condition'), leafOf('context')))).toBe('condition_failed')
      expect(codeOf(not(join(leafOf('context'), leafOf('condition'))))).toBe('context_unavailable')
    }
    expect(codeOf(anyOf(leafOf('unmet'), leafOf('condition'), leafOf('unmet')))).toBe('condition_failed')
    expect(codeOf(allOf(leafOf('throws')))).toBe('internal_error')
    expect(codeOf(not(leafOf('false')))).toBe('internal_error')
    expect(allOf(leafOf('throws')).check(caller, 0, occasion)?.detail).toEqual({
      expected: 'a check that answers',
      actual: 'one that failed',
    })
  })

  test('alone stays an exception: whoever asks counts it as a denial', () => {
    expect(() => leafOf('throws').check(caller, 0, occasion)).toThrow('a condition broke')
  })
})

test('parts are passed over once the answer is known, except within `not`', () => {
  const asked: string[] = []
  const part = (name: string, leaf: 'met' | 'unmet'): Requirement =>
    new OtherRequirement({
      text: name,
      check: () => {
        asked.push(name)
        return leaf === 'met' ? undefined : new Refusal('scope_missing')
      },
    })
  const after = (requirement: Requirement): readonly string[] => {
    asked.length = 0
    requirement.check(caller, 0, occasion)
    return [...asked]
  }
  const both = allOf(part('a', 'unmet'), part('b', 'met'))
  const either = anyOf(part('a', 'met'), part('b', 'unmet'))
  expect(after(both)).toEqual(['a'])
  expect(after(either)).toEqual(['a'])
  expect(after(not(both))).toEqual(['a', 'b'])
  expect(after(not(either))).toEqual(['a', 'b'])
  expect(after(not(allOf(both, either)))).toEqual(['a', 'b', 'a', 'b'])
})

test('a part of a part within `not` is asked with who calls, when, and for what', () => {
  const seen: unknown[] = []
  const part = new OtherRequirement({
    text: 'x',
    check: (...given) => {
      seen.push(given)
      return undefined
    },
  })
  const given = [caller, 5, occasion] as const
  for (const requirement of [allOf(part), anyOf(part), not(part), not(allOf(part)), not(anyOf(part))]) {
    requirement.check(...given)
  }
  expect(seen).toEqual(Array.from({ length: 5 }, () => given))
})

test('the whole answer of what is enforced is that of its part: an error is not passed over', () => {
  const part = allOf(leafOf('unmet'), leafOf('condition'))
  const code = (requirement: Requirement) => requirement.checkWhole(caller, 0, occasion)?.code
  expect([part.check(caller, 0, occasion)?.code, code(part)]).toEqual(['scope_missing', 'condition_failed'])
  expect(code(enforced(part))).toBe('condition_failed')
  expect(code(allOf(enforced(part), leafOf('unmet')))).toBe('condition_failed')
})

test('a tower of requirements that is too high to be decided denies', () => {
  let tower: Requirement = leafOf('unmet')
  for (let i = 0; i < 20_000; i += 1) tower = new Wrapped(tower)
  expect(answerOf(not(tower))).toBe('error')
})

class Wrapped extends OtherRequirement {
  constructor(part: Requirement) {
    super({ text: 'x', check: (...given) => part.check(...given) })
  }
}

test.each<[string, () => Requirement]>([
  ['authenticated()', () => authenticated()],
  ['allOf(authenticated())', () => allOf(authenticated(), authenticated())],
  ['anyOf(…, authenticated())', () => anyOf(leafOf('unmet'), authenticated())],
  ['anyOf(allOf(authenticated()))', () => anyOf(allOf(anyOf(authenticated(), leafOf('unmet'))))],
])('what everybody meets cannot be negated: %s', (_, make) => {
  expect(() => not(make())).toThrow(/^`not\(requirement\)`: every caller meets \w+\(.*refuses everybody/)
})

test('what not everybody meets can be', () => {
  for (const part of [
    leafOf('met'),
    allOf(authenticated(), leafOf('met')),
    anyOf(leafOf('met')),
    not(leafOf('met')),
  ]) {
    expect(not(part)).toBeInstanceOf(Object)
  }
})

/** In an `allOf` of its own, where an exception is an error. */
const joinedAlone = (tree: Tree): Requirement => allOf(build(tree))

function withErrorsAs(leaf: 'met' | 'unmet', tree: Tree): Tree {
  if ('leaf' in tree) return leafAnswer(tree.leaf) === 'error' ? { leaf } : tree
  return { join: tree.join, of: tree.of.map((part) => withErrorsAs(leaf, part)) }
}
