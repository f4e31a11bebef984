// What is read out of a JWK Set and out of a SPIFFE bundle, and what neither may contain.
import { createGuard, spiffe } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeySet, type KeyFormat } from '../../packages/core/src/identity/trust/key-set.ts'
import { parseX509Authorities, sequenceOf } from '../../packages/core/src/identity/trust/spiffe-bundle.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { codeFor } from './support/asking.ts'
import { openKeyNetwork, published, signer } from './support/key-network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const second = createRawSigner()
const formats = ['jwks', 'spiffe-bundle'] as const

/** The kid of the key that is found, or the code of the refusal. */
const found = (
  set: KeySet,
  kid: string | undefined,
  algorithm: 'ES256' | 'RS256' = 'ES256',
): string | undefined => {
  const answer = set.find(algorithm, kid)
  return answer instanceof Refusal ? answer.code : answer.jwk.kid
}

const marked = (use: string | undefined, kid: string | undefined = 'key-1', { jwk } = signer): object => ({
  ...jwk,
  kid,
  use,
})

describe('a JWK Set', () => {
  test('passes over keys that nobody here uses', () => {
    const others = [
      { kty: 'new' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'weak' },
      'text',
      null,
      [],
    ]
    const set = KeySet.parse({ keys: [...others, published()] })
    expect([set.size, found(set, 'key-1'), found(set, 'weak')]).toEqual([1, 'key-1', 'key_unknown'])
  })

  test.each(['jwt-svid', 'x509-svid', 'enc', 'Sig', ''])('has no use for a key marked `%s`', (use) => {
    const set = KeySet.parse({ keys: [marked(use)] })
    expect(found(set, 'key-1')).toBe('key_unknown')
  })

  test.each([undefined, 'sig'])('has a use for a key marked `%s`', (use) => {
    expect(found(KeySet.parse({ keys: [marked(use)] }), 'key-1')).toBe('key-1')
  })

  test('with two keys of one name is ambiguous, and with one key twice is not', () => {
    expect(found(KeySet.parse({ keys: [published(), published('key-1', second)] }), 'key-1')).toBe(
      'key_ambiguous',
    )
    expect(found(KeySet.parse({ keys: [published(), published()] }), 'key-1')).toBe('key-1')
  })

  test('may have 256 keys, and no more', () => {
    const entries = (length: number) => ({ keys: [published(), ...Array.from({ length }, () => ({}))] })
    expect(found(KeySet.parse(entries(255)), 'key-1')).toBe('key-1')
    expect(() => KeySet.parse(entries(256))).toThrow('expected at most 256 keys, got 257')
  })

  test('imports a key once for each algorithm', () => {
    const key = KeySet.parse({ keys: [published()] }).find('ES256', 'key-1')
    if (key instanceof Refusal) throw new Error(`expected a key, got ${key.code}`)
    expect(key.import('ES256')).toBe(key.import('ES256'))
  })

  test('that replaces another keeps the keys that stay, and withdraws the others', () => {
    const before = KeySet.parse({ keys: [published('stays'), published('goes', second)] })
    const [stays, goes] = [before.find('ES256', 'stays'), before.find('ES256', 'goes')]
    const after = KeySet.parse({ keys: [published('stays'), published('comes', second)] }, 'jwks', before)
    expect(after.find('ES256', 'stays')).toBe(stays)
    expect(stays).toMatchObject({ isWithdrawn: false })
    expect(goes).toMatchObject({ isWithdrawn: true })
    expect(before.lackedBy(after)).toEqual(new Set(['goes']))
  })

  test('that is refused withdraws nothing', () => {
    const before = KeySet.parse({ keys: [published()] })
    expect(() => KeySet.parse({ keys: [] }, 'jwks', before)).toThrow(/usable/)
    expect(() => KeySet.parse({ keys: [{ kty: 'oct', k: 'AA' }, published()] }, 'jwks', before)).toThrow(
      /private/,
    )
    expect(before.find('ES256', 'key-1')).toMatchObject({ isWithdrawn: false })
  })

  test.each([
    ['the same', { key_ops: ['verify'] }, true],
    ['something else', {}, false],
  ])('tells a key by what it may be used for: %s', (_, change, isSame) => {
    const before = KeySet.parse({ keys: [{ ...published(), key_ops: ['verify'] }] })
    const after = KeySet.parse({ keys: [{ ...published(), ...change }] }, 'jwks', before)
    expect(after.find('ES256', 'key-1') === before.find('ES256', 'key-1')).toBe(isSame)
  })
})

describe('a bundle', () => {
  test('gives the keys that are marked `jwt-svid`, and no others', () => {
    const keys = [
      marked('jwt-svid', 'right'),
      marked('sig', 'sig', second),
      marked(undefined, 'unmarked', createRawSigner()),
      marked('x509-svid', 'x509', createRawSigner()),
      marked('wit-svid', 'wit', createRawSigner()),
      marked('JWT-SVID', 'upper', createRawSigner()),
      { use: 'jwt-svid', kid: 'unknown kind', kty: 'new' },
      { use: 'x509-svid', kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', x5c: ['MIIB'] },
      'text',
      null,
    ]
    const set = KeySet.parse({ keys }, 'spiffe-bundle')
    expect(set.size).toBe(1)
    expect(found(set, 'right')).toBe('right')
    for (const kid of ['sig', 'unmarked', 'x509', 'wit', 'upper']) expect(found(set, kid)).toBe('key_unknown')
  })

  test.each([[[]], [[marked('x509-svid')]], [[marked('sig')]]])('may have no key at all: %j', (keys) => {
    const set = KeySet.parse({ keys }, 'spiffe-bundle')
    expect([set.size, found(set, 'key-1')]).toEqual([0, 'key_unknown'])
  })

  test.each([
    ['no array `keys`', {}, /array `keys`/],
    ['keys that are no array', { keys: {} }, /array `keys`/],
    ['a `jwt-svid` key without `kid`', { keys: [{ ...signer.jwk, use: 'jwt-svid' }] }, /without `kid`/],
    ['a `jwt-svid` key with an empty `kid`', { keys: [marked('jwt-svid', '')] }, /without `kid`/],
    [
      'a `jwt-svid` key of an unknown kind without `kid`',
      { keys: [{ kty: 'new', use: 'jwt-svid' }] },
      /without `kid`/,
    ],
    ['a `kid` that is no text', { keys: [{ ...signer.jwk, use: 'jwt-svid', kid: 7 }] }, /without `kid`/],
    ['a secret', { keys: [{ kty: 'oct', k: 'AA', use: 'x509-svid' }] }, /private or symmetric/],
    ['too many keys', { keys: Array.from({ length: 257 }, () => ({})) }, /at most 256 keys, got 257/],
  ])('is refused where it has %s', (_, document, message) => {
    expect(() => KeySet.parse(document, 'spiffe-bundle')).toThrow(message)
  })
})

describe('the X.509 authorities of a bundle', () => {
  const marks = { use: 'x509-svid', kty: 'EC' }
  const read = (...keys: readonly unknown[]) =>
    parseX509Authorities({ keys }).map((der) => Buffer.from(der).toString('hex'))

  test('are the first certificate of each key that is marked `x509-svid`', () => {
    const keys = [
      { ...marks, x5c: ['+/8=', 'AAAA'] },
      { ...marks, x5c: ['AAEC'] },
      { ...marks, x5c: ['AA=='] },
      { ...marks },
      { ...marks, use: 'jwt-svid', x5c: ['AAAA'] },
      { ...marks, use: undefined, x5c: ['AAAA'] },
      { x5c: 'AAAA' },
      'text',
      null,
      [],
    ]
    expect(read(...keys)).toEqual(['fbff', '000102', '00'])
    expect(read()).toEqual([])
  })

  test.each([
    [[]],
    ['AAAA'],
    [{ 0: 'AAAA' }],
    [null],
    [[7]],
    [[['AAAA']]],
    [['']],
    [['=']],
    [['_-8=']],
    [['AAAA\n']],
    [[' AAAA']],
    [['AA=A']],
    [['A===']],
  ])('are none where `x5c` is %j', (x5c) => {
    expect(() => read({ ...marks, x5c })).toThrow(
      'the bundle has an `x509-svid` key whose `x5c` holds no certificate in base64',
    )
  })

  test('are not looked for in what is no bundle', () => {
    expect(() => parseX509Authorities({})).toThrow(/array `keys`/)
  })
})

describe('the sequence of a bundle', () => {
  const read = (text: string) => sequenceOf(Buffer.from(text))

  test.each([
    ['{"keys":[]}', undefined],
    ['{"spiffe_sequence":0}', 0n],
    ['{"spiffe_sequence": 12 ,"keys":[]}', 12n],
    ['{"spiffe_sequence":9007199254740993}', 9007199254740993n],
    ['{"spiffe_sequence":18446744073709551615}', 18446744073709551615n],
    ['{"keys":[{"spiffe_sequence":7}]}', undefined],
    ['{"spiffe_sequence":3,"keys":[{"spiffe_sequence":7}]}', 3n],
    ['{"a":{"spiffe_sequence":7},"spiffe_sequence":3}', 3n],
    ['{"\\u0073piffe_sequence":3}', 3n],
  ])('in %s is %s', (text, sequence) => {
    expect(read(text)).toBe(sequence)
  })

  test.each(['"3"', '-1', '1.5', '1e3', 'null', 'true', '[3]', '{}', '1'.repeat(41)])(
    'may not be %s',
    (written) => {
      expect(() => read(`{"spiffe_sequence":${written}}`)).toThrow('`spiffe_sequence` is not a whole number')
    },
  )
})

describe('a bundle that is fetched', () => {
  const id = 'spiffe://prod.example/checkout'
  const right = marked('jwt-svid')

  function openBundle(document: object | string) {
    const house = openKeyNetwork({ ...spiffe('prod.example', 'https://issuer.test/bundle') })
    house.network.document = document
    const svid = (kid: string, by = signer) =>
      by.jws({ alg: 'ES256', kid }, { sub: id, aud: ['orders'], exp: house.clock.now() / 1000 + 3600 })
    return { ...house, ask: async (kid = 'key-1', by = signer) => codeFor(house.guard, svid(kid, by)) }
  }

  test('verifies tokens of its trust domain', async () => {
    const { ask, state } = openBundle({ keys: [right] })
    expect(await ask()).toBe('allow')
    expect(await state()).toMatchObject({ issuer: 'spiffe://prod.example', status: 'fresh', keys: 1 })
  })

  test.each([
    ['without a hint', {}, 300],
    ['as often as it hints', { spiffe_refresh_hint: 60 }, 60],
    ['every ten seconds at most', { spiffe_refresh_hint: 1 }, 10],
    ['once a day at least', { spiffe_refresh_hint: 1e9 }, 86_400],
    ['as if it did not hint where that is no number', { spiffe_refresh_hint: '60' }, 300],
    ['as if it did not hint where that is nothing', { spiffe_refresh_hint: 0 }, 300],
    ['as if it did not hint where that is less', { spiffe_refresh_hint: -5 }, 300],
  ])('is fetched again %s', async (_, members, seconds) => {
    const { network, guard, pass } = openBundle({ ...members, keys: [right] })
    network.headers = { 'cache-control': 'max-age=3600' } // the publisher's own word counts
    await guard.ready()
    await pass(seconds * 1000 - 1)
    expect(network.requests).toHaveLength(1)
    await pass(1)
    expect(network.requests).toHaveLength(2)
  })

  test('without any key ends every token of the domain at once', async () => {
    const { network, guard, ask, pass, state } = openBundle({ keys: [right] })
    expect(await ask()).toBe('allow')
    network.document = { keys: [] }
    await pass({ seconds: 300 })
    expect(await ask()).toBe('key_unknown')
    expect(await state()).toMatchObject({ status: 'fresh', keys: 0, problem: undefined })
    expect(await guard.ready()).toMatchObject({ ready: true })
  })

  test('that is broken replaces nothing', async () => {
    const { network, ask, pass, state } = openBundle({ keys: [right] })
    await ask()
    network.document = { keys: [{ ...signer.jwk, use: 'jwt-svid' }] }
    await pass({ seconds: 300 })
    expect(await ask()).toBe('allow')
    expect(await state()).toMatchObject({ status: 'stale', problem: expect.stringMatching(/without `kid`/) })
  })

  const bundle = (sequence: string | undefined, key: object) =>
    `{${sequence === undefined ? '' : `"spiffe_sequence":${sequence},`}"keys":[${JSON.stringify(key)}]}`
  const other = marked('jwt-svid', 'key-2', second)

  test.each([
    ['higher', '9007199254740992', '9007199254740993', true],
    ['the same', '3', '3', true],
    ['missing', '3', undefined, true],
    ['new', undefined, '3', true],
    ['lower by one', '9007199254740993', '9007199254740992', false],
    ['lower in fewer digits', '10', '9', false],
  ])('whose sequence is %s: %s, then %s; is taken: %s', async (_, first, next, isTaken) => {
    const { network, ask, pass, state } = openBundle(bundle(first, right))
    await ask()
    network.document = bundle(next, other)
    await pass({ seconds: 300 })
    const { status, problem } = await state()
    expect(status).toBe(isTaken ? 'fresh' : 'stale')
    if (isTaken) expect(await ask('key-2', second)).toBe('allow')
    else {
      expect(problem).toBe(`\`spiffe_sequence\` went back from ${first} to ${next}`)
      expect(await ask()).toBe('allow')
    }
  })

  test('has a sequence, and an ordinary key set has none', async () => {
    const { network, guard, pass, state } = openKeyNetwork()
    network.document = { spiffe_sequence: 'five', keys: [published()] }
    await guard.ready()
    expect(await state()).toMatchObject({ status: 'fresh' })
    network.document = { spiffe_sequence: 2, keys: [published()] }
    await pass({ seconds: 240 })
    network.document = { spiffe_sequence: 1, keys: [published()] }
    await pass({ seconds: 240 })
    expect(await state()).toMatchObject({ status: 'fresh' })
  })

  test('that lost its sequence is held against none, and one that went on is held against the last', async () => {
    const { network, pass, state } = openBundle(bundle('5', right))
    await state()
    for (const [sequence, status] of [
      [undefined, 'fresh'],
      ['2', 'fresh'],
      ['1', 'stale'],
    ] as const) {
      network.document = bundle(sequence, other)
      await pass({ seconds: 300 })
      expect((await state()).status).toBe(status)
    }
  })

  test('whose sequence began anew is taken when the older one no longer serves', async () => {
    const { network, ask, pass, state, clock } = openBundle(bundle('5', right))
    await ask()
    network.document = bundle('1', other)
    clock.advance({ seconds: 300 + 86_401 })
    await pass({ seconds: 60 })
    await pass({ seconds: 60 })
    expect(await state()).toMatchObject({ status: 'fresh' })
    expect(await ask('key-2', second)).toBe('allow')
  })

  test('that is given has to have a key', () => {
    const guard = (keys: readonly object[]) =>
      createGuard({ audience: 'orders', issuers: [spiffe('prod.example', { keys })] })
    expect(() => guard([marked('sig')])).toThrow(/at least one `jwt-svid` key/)
    expect(() => guard([right])).not.toThrow()
  })
})

describe('whatever is published', () => {
  const members = fc.record(
    {
      kty: fc.constantFrom('EC', 'RSA', 'OKP', 'AKP', 'oct', '', 7, null),
      crv: fc.constantFrom('P-256', 'P-384', 'Ed25519', '', 7),
      alg: fc.constantFrom('ES256', 'RS256', 'none', '', null),
      use: fc.constantFrom('sig', 'enc', 'jwt-svid', 'x509-svid', 7, null),
      kid: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 7, null)),
      key_ops: fc.oneof(fc.array(fc.constantFrom('verify', 'sign', 7)), fc.constant('verify')),
      x: fc.string(),
      n: fc.string(),
    },
    { requiredKeys: [] },
  )
  const genuine = fc
    .record({
      by: fc.constantFrom(signer, second),
      kid: fc.constantFrom('a', 'b', '__proto__', undefined),
      use: fc.constantFrom('sig', 'jwt-svid', undefined, 'enc'),
    })
    .map(({ by, kid, use }): object => Object.assign({}, by.jwk, { kid, use }))
  const entry = fc.oneof(genuine, members, fc.jsonValue())
  const format: fc.Arbitrary<KeyFormat> = fc.constantFrom(...formats)

  /** A set, or the sentence why there is none. Anything else fails the property. */
  function parse(document: unknown, as: KeyFormat): KeySet | string {
    try {
      return KeySet.parse(document, as)
    } catch (error) {
      if (error instanceof Error && error.constructor === Error && /^[a-z`][^\n]+[^.]$/.test(error.message)) {
        return error.message
      }
      throw error
    }
  }

  const answers = (set: KeySet | string) =>
    typeof set === 'string'
      ? set
      : ['a', 'b', '__proto__', 'constructor', undefined].map((kid) => {
          const answer = set.find('ES256', kid)
          return answer instanceof Refusal ? answer.code : `${answer.jwk.kid} ${answer.jwk.x}`
        })

  test('is a set or a sentence, never another error', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.record({ keys: fc.oneof(fc.array(entry), fc.jsonValue()) })),
        format,
        (document, as) => {
          parse(document, as)
        },
      ),
    )
  })

  test('is never taken where it has private or symmetric keys, wherever they stand', () => {
    const secret = fc
      .record({
        name: fc.constantFrom('d', 'k', 'priv'),
        value: fc.jsonValue(),
        base: fc.oneof(genuine, members),
      })
      .map(({ name, value, base }): object => Object.assign({}, base, { [name]: value }))
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        secret,
        fc.array(entry, { maxLength: 5 }),
        format,
        (before, key, after, as) => {
          const set = parse({ keys: [...before, key, ...after] }, as)
          expect(set).toMatch(/private or symmetric|without `kid`/)
        },
      ),
    )
  })

  test('means the same in any order of its keys and of their members', () => {
    const shuffled = (keys: readonly object[]) =>
      fc
        .tuple(fc.shuffledSubarray([...keys], { minLength: keys.length }), fc.boolean())
        .map(([order, isReversed]) =>
          order.map((key) =>
            Object.fromEntries(isReversed ? Object.entries(key).toReversed() : Object.entries(key)),
          ),
        )
    const pair = fc
      .array(genuine, { maxLength: 6 })
      .chain((keys) => fc.tuple(fc.constant(keys), shuffled(keys)))
    fc.assert(
      fc.property(pair, format, ([keys, others], as) => {
        expect(answers(parse({ keys: others }, as))).toEqual(answers(parse({ keys }, as)))
      }),
    )
  })

  test('gives a `jwt-svid` key in a bundle alone, and an ordinary key in a key set alone', () => {
    fc.assert(
      fc.property(fc.array(genuine, { maxLength: 6 }), format, (keys, as) => {
        const set = parse({ keys }, as)
        if (typeof set === 'string') return
        for (const kid of ['a', 'b', '__proto__', undefined]) {
          const answer = set.find('ES256', kid)
          if (answer instanceof Refusal) continue
          const uses = as === 'jwks' ? [undefined, 'sig'] : ['jwt-svid']
          expect(keys).toContainEqual(
            expect.toSatisfy(
              (key) => key.x === answer.jwk.x && key.kid === answer.jwk.kid && uses.includes(key.use),
            ),
          )
        }
      }),
    )
  })

  test('has a sequence that is read exactly, however large', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 39n }), (sequence) => {
        expect(sequenceOf(Buffer.from(`{"keys":[],"spiffe_sequence":${sequence}}`))).toBe(sequence)
      }),
    )
  })
})
