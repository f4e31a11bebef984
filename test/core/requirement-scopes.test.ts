// Which scopes pass which requirement; and that looking for them by bits says what looking for them by name says.
import { anyScope, scopes, userScopes, type Caller, type Requirement, type ScopeSet } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AskedScopes, KnownScopes, ScopesInBits } from '../../packages/core/src/policy/scope-bits.ts'
import { covers } from '../../packages/core/src/policy/scope.ts'
import { codeOf, present } from './support/asking.ts'
import { issuer } from './support/house.ts'
import { serviceWith, userWith } from './support/known-callers.ts'
import { mistakeOf } from './support/mistake.ts'
import { occasion } from './support/occasion.ts'
import { ask, checkout, guardOf, tokenOf } from './support/parties.ts'

const codeWith = (caller: Caller, requirement: Requirement): string =>
  requirement.check(caller, 0, occasion)?.code ?? 'allow'

describe('anyScope', () => {
  test.each([
    [undefined, 'scope_missing'],
    ['orders:delete', 'scope_missing'],
    ['orders:readorders:write', 'scope_missing'],
    ['orders:*', 'scope_missing'],
    ['orders:read', 'allow'],
    ['x orders:write', 'allow'],
    ['orders:read orders:write', 'allow'],
  ])('asks for one of its names, so %j is answered with %s', async (scope, code) => {
    expect(codeWith(await serviceWith({ scope }), anyScope('orders:read', 'orders:write'))).toBe(code)
  })
})

describe('userScopes', () => {
  const both = userScopes('orders:read', 'orders:write')

  test.each([
    ['orders:read orders:write', 'allow'],
    ['orders:read', 'scope_missing'],
    [undefined, 'scope_missing'],
  ])('asks for all of its names, so a user with %j is answered with %s', async (scope, code) => {
    expect(codeWith(await userWith({ scope }), both)).toBe(code)
  })

  test.each(['orders:read orders:write', undefined])(
    "refuses a service's own call, whatever it may do by itself: %j",
    async (scope) => {
      expect(codeWith(await serviceWith({ scope }), both)).toBe('caller_not_allowed')
    },
  )

  test('never passes who does not pass `scopes`', async () => {
    const names = ['a:b', 'a:c', 'd:e'] as const
    const held = fc.subarray([...names])
    await fc.assert(
      fc.asyncProperty(
        held,
        fc.subarray([...names], { minLength: 1 }),
        fc.boolean(),
        async (has, asked, isUser) => {
          const caller = await (isUser ? userWith : serviceWith)({ scope: has.join(' ') })
          const [first, ...rest] = asked as [string, ...string[]]
          if (codeWith(caller, userScopes(first, ...rest)) === 'allow') {
            expect(codeWith(caller, scopes(first, ...rest))).toBe('allow')
            expect(isUser).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('counts what token, service and user may all do, beside a certificate', async () => {
    const guard = guardOf(
      { represents: 'auto' },
      {
        [checkout.spiffeId]: ['orders:*'],
        [`${issuer}#sub=alice`]: ['orders:read', 'orders:write'],
        [`${issuer}#client=checkout`]: ['orders:*'],
      },
    )
    const token = tokenOf({ sub: 'alice', scope: 'orders:read orders:delete' })
    const with_ = async (name: string, credentials: Parameters<typeof ask>[1]): Promise<string> =>
      codeOf(await ask(guard, credentials, userScopes(name)))
    expect(await with_('orders:read', { token, svid: checkout })).toBe('allow')
    expect(await with_('orders:write', { token, svid: checkout })).toBe('scope_missing')
    expect(await with_('orders:delete', { token, svid: checkout })).toBe('scope_missing')
    expect(await with_('orders:read', { svid: checkout })).toBe('caller_not_allowed')
  })
})

describe('a requirement of scopes that cannot be meant is refused where it is written:', () => {
  const loosely = { scopes, anyScope, userScopes } as unknown as Readonly<
    Record<'scopes' | 'anyScope' | 'userScopes', (...names: unknown[]) => unknown>
  >

  test.each(['scopes', 'anyScope', 'userScopes'] as const)('%s', (name) => {
    expect(mistakeOf(() => loosely[name]())).toMatchObject({
      option: `${name}()`,
      message: expect.stringContaining(`a scope, such as ${name}('orders:read')`),
    })
    for (const wrong of ['', 'a b', 'a"b', 'orders:*', 5, undefined, ['a:b']]) {
      expect(mistakeOf(() => loosely[name]('a:b', wrong))).toMatchObject({ option: `${name}(…)[1]` })
    }
  })
})

/** A set as policy makes one: names, and wildcards of grants. */
class Granted extends ScopesInBits {
  readonly #names: ReadonlySet<string>
  readonly #grants: readonly string[]
  asked = 0

  constructor(grants: readonly string[]) {
    super()
    this.#names = new Set(grants)
    this.#grants = grants
  }

  has(scope: string): boolean {
    this.asked += 1
    return this.#grants.some((grant) => covers(grant, scope))
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names.values()
  }
}

describe('scopes are found by bits', () => {
  const segment = fc.constantFrom('a', 'b', 'orders', 'x.y')
  const name = fc.tuple(segment, segment).map((parts) => parts.join(':'))
  const grant = fc.oneof(
    name,
    segment.map((resource) => `${resource}:*`),
  )
  /** Never named before, and covered by a wildcard of the resource that is given. */
  let names = 0
  const newName = (resource: string): string => `${resource}:n${(names += 1)}`

  test('as they are by name, also those that were first named after the caller came', () => {
    const worlds = fc.record({
      grants: fc.array(grant, { maxLength: 8 }),
      before: fc.array(name, { minLength: 1, maxLength: 6 }),
      later: fc.array(segment, { minLength: 1, maxLength: 6 }),
    })
    fc.assert(
      fc.property(worlds, ({ grants, before, later }) => {
        const asks = [new AskedScopes(before)]
        const named = [before]
        const set = new Granted(grants)
        for (const resource of later) {
          const more = [...before.slice(1), newName(resource)]
          named.push(more)
          asks.push(new AskedScopes(more))
          for (const [i, asked] of asks.entries()) {
            const held = present(named[i]).map((each) => grants.some((one) => covers(one, each)))
            expect(asked.areAllIn(set)).toBe(held.every(Boolean))
            expect(asked.isAnyIn(set)).toBe(held.some(Boolean))
          }
        }
      }),
    )
  })

  test('across many words, in any order', () => {
    const all = Array.from({ length: 100 }, () => newName('wide'))
    const everything = new Granted(all)
    expect(new AskedScopes(all).areAllIn(everything)).toBe(true)
    expect(everything.asked).toBe(100)
    const set = new Granted(all.filter((_, i) => i % 3 === 0))
    for (const indexes of [
      [99],
      [0, 99],
      [0, 3, 33, 63, 66, 96],
      [0, 1],
      [98, 97],
      [31, 32],
      [63],
      [30, 60],
    ]) {
      const asked = new AskedScopes(indexes.map((i) => present(all[i])))
      expect(asked.areAllIn(set)).toBe(indexes.every((i) => i % 3 === 0))
      expect(asked.isAnyIn(set)).toBe(indexes.some((i) => i % 3 === 0))
    }
  })

  test('after the set was asked once for each, met or not', () => {
    const [held, lacked] = [newName('once'), newName('twice')]
    const set = new Granted([held])
    const asks = [new AskedScopes([held]), new AskedScopes([lacked]), new AskedScopes([held, lacked])]
    for (let i = 0; i < 3; i += 1) for (const asked of asks) asked.areAllIn(set)
    for (const asked of asks) asked.isAnyIn(set)
    expect(set.asked).toBe(2)
  })

  test('also after scopes of further words were asked for', () => {
    const all = Array.from({ length: 100 }, () => newName('further'))
    expect(new AskedScopes(all).areAllIn(new Granted([]))).toBe(false)
    const asks = [0, 32, 64, 96].map((i) => new AskedScopes([present(all[i])]))
    const set = new Granted(all)
    for (let i = 0; i < 2; i += 1) {
      for (const asked of asks) {
        expect(asked.areAllIn(set)).toBe(true)
        expect(asked.isAnyIn(set)).toBe(true)
      }
    }
    expect(set.asked).toBe(4)
  })

  test('unless there are more than can be known: then by name, each time', () => {
    const none = new KnownScopes(0)
    const set = new Granted(['a:b', 'c:*'])
    expect(new AskedScopes(['a:b', 'c:d'], none).areAllIn(set)).toBe(true)
    expect(new AskedScopes(['a:b', 'x:y'], none).areAllIn(set)).toBe(false)
    expect(new AskedScopes(['x:y', 'c:d'], none).isAnyIn(set)).toBe(true)
    expect(new AskedScopes(['x:y', 'c:'], none).isAnyIn(set)).toBe(false)
    expect(set.asked).toBe(8)
  })

  test('a scope keeps its number, and the last that fits is the last that has one', () => {
    const known = new KnownScopes(2)
    expect(['a', 'b', 'a', 'c', 'b'].map((each) => known.indexOf(each))).toEqual([0, 1, 0, undefined, 1])
    expect([0, 1, 2].map((index) => known.nameOf(index))).toEqual(['a', 'b', undefined])
  })

  test('or by name, where somebody else made the set', () => {
    const held = new Set(['a:b', 'c:d'])
    const set: ScopeSet = { has: (each) => held.has(each), [Symbol.iterator]: () => held.values() }
    expect(new AskedScopes(['a:b', 'c:d']).areAllIn(set)).toBe(true)
    expect(new AskedScopes(['a:b', 'x:y']).areAllIn(set)).toBe(false)
    expect(new AskedScopes(['x:y', 'a:b']).isAnyIn(set)).toBe(true)
    expect(new AskedScopes(['x:y']).isAnyIn(set)).toBe(false)
  })
})

describe('a grant gives what it says', () => {
  const printable = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,12}$/)
  const near = fc.constantFrom(
    'a',
    'A',
    'b',
    ':',
    '*',
    '.',
    '-',
    '_',
    ' ',
    '\n',
    '\0',
    '\u200b',
    'é',
    'ａ',
    '/',
  )
  const text = fc.oneof(
    printable,
    fc.array(near, { maxLength: 6 }).map((parts) => parts.join('')),
    fc.constantFrom('a:*', 'a:b', 'a:a', '*', ':*', '*:*', 'a:b:*', 'a:*:b', '', ':', 'a:', ':a', 'a::b'),
    fc.constantFrom('a', 'b').map((part) => `a:${part.repeat(500)}`),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const holds = (check: (...texts: [string, string, string]) => void): void =>
    fc.assert(
      fc.property(text, text, text, (...texts) => {
        check(...texts)
      }),
      { numRuns: 2000 },
    )

  test('and itself', () => {
    holds((one) => expect(covers(one, one)).toBe(true))
  })

  test('and so what that gives', () => {
    const related = fc.constantFrom('a:*', 'a:b', 'a:*', 'b:*', 'a:', 'a', 'a:b:c', '*', 'a:b*', ':*')
    const check = (one: string, two: string, three: string): void => {
      if (covers(one, two) && covers(two, three)) expect(covers(one, three)).toBe(true)
    }
    fc.assert(fc.property(related, related, related, check), { numRuns: 2000 })
    holds(check)
  })

  test('and by no trick anything else', () => {
    holds((grant, asked) => {
      const [resource = '', action = '', ...more] = asked.split(':')
      const isSegment = (part: string): boolean => /^[a-z0-9._-]+$/.test(part) && part.trim() === part
      const isByWildcard =
        more.length === 0 && isSegment(resource) && isSegment(action) && grant === `${resource}:*`
      expect(covers(grant, asked)).toBe(grant === asked || isByWildcard)
    })
  })

  test.each(['orders', 'a:b:c', 'Orders:read', 'undefined', ''])(
    'and not %j by a name that stands for none',
    (asked) => {
      expect(covers('undefined:*', asked)).toBe(false)
      expect(covers('undefined:*', 'undefined:read')).toBe(true)
    },
  )

  test.each([
    'orders:read\u200b',
    'orders:re\u0061\u0301d',
    'ORDERS:READ',
    'Orders:read',
    'orders:READ',
    'orders::read',
    ':orders:read',
    'orders:read:',
    'orders:',
    'orders',
    'orders:*',
    '*:read',
    '*',
    '*:*',
    'orders:rea?',
    'orders:read*',
    'orders:read\0',
    'orders:read\n',
    'orders:read%20',
    'ｏrders:read',
    'orders:read/../write',
    'x'.repeat(5000),
    '__proto__',
    'constructor',
  ])('no token that says %j has orders:read, or another scope than that', async (scope) => {
    const guard = guardOf({ represents: 'auto' })
    const decision = await ask(guard, { token: tokenOf({ scope }) }, scopes('orders:read'))
    expect(['scope_missing', 'claim_malformed', 'token_oversized']).toContain(codeOf(decision))
  })
})
