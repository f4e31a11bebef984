import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guessMembers } from '../../packages/core/src/identity/jws/guess-members.ts'
import { isRecord, parseJsonObject } from '../../packages/core/src/identity/jws/json-object.ts'

const octets = (text: string): Uint8Array => Buffer.from(text)
const parse = (text: string, maxValues?: number) => parseJsonObject(octets(text), maxValues)
const guess = (text: string, maxValues = 1024) =>
  guessMembers(octets(text), ['iss', 'sub'], maxValues)?.members

/** Any JSON, spaced in any way. */
const json = fc
  .tuple(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())), fc.nat({ max: 3 }))
  .map(([value, space]) => JSON.stringify(value, undefined, space))

/** What is nearly JSON: made of the signs that a reader of JSON turns at. */
const signs = fc.string({ unit: fc.constantFrom(...'{}[]",:\\is0 \n'), maxLength: 24 })

const nested = (levels: number): string => `{"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
// Counted are brackets that open and commas.
const wide = (values: number): string => `{"x":[${Array.from({ length: values - 1 }, () => 0).join(',')}]}`

describe('a JSON object', () => {
  test('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(json, (text) => {
        const value: unknown = JSON.parse(text)
        expect(parse(text)).toEqual(isRecord(value) ? value : undefined)
      }),
    )
  })

  test('is nothing that JSON.parse does not take', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), signs), (text) => {
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch {
          value = undefined
        }
        if (!isRecord(value)) expect(parse(text)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"":1,"":2}',
    '{"a":1,"\\u0061":2}',
    '{"\\"":1,"\\u0022":2}',
    '{"a" : 1 , "a" : 2}',
    '{"x":{"a":1,"a":2}}',
    '{"x":[{"y":1},{"a":1,"b":[],"a":2}]}',
    '{"a":{"a":1},"a":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":"\\\\","a":1}',
  ])('T11 is none where a member is named twice: %s', (text) => {
    expect(isRecord(JSON.parse(text))).toBe(true)
    expect(parse(text)).toBeUndefined()
  })

  test.each([
    '{"a":{"a":{"a":1}}}',
    '{"x":[{"a":1},{"a":1}]}',
    '{"a":"a","b":"a"}',
    '{"a":["a","a"]}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"b\\\\","b":1}',
    '{"a\\\\":1,"a":2}',
  ])('is one where the same name stands in several places: %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('T55 is none where it nests deeper than 64 levels', () => {
    expect(parse(nested(64))).toBeDefined()
    expect(parse(nested(65))).toBeUndefined()
    expect(parse(`{"x":[${'[],'.repeat(100)}[]],"y":"${'['.repeat(100)}"}`)).toBeDefined()
  })

  test('T55 is none where it has more values than asked for', () => {
    expect(parse(wide(20), 20)).toBeDefined()
    expect(parse(wide(21), 20)).toBeUndefined()
    expect(parse(`{"x":[${'{},'.repeat(9)}{}]}`, 21)).toBeDefined()
    expect(parse(`{"x":[${'{},'.repeat(9)}{}]}`, 20)).toBeUndefined()
    expect(parse(wide(10_000))).toBeDefined()
  })
})

describe('a guess of members', () => {
  test('becomes what a parser makes of the same octets', () => {
    fc.assert(
      fc.property(fc.oneof(json, signs, fc.string({ unit: 'binary' })), fc.nat({ max: 12 }), (text, max) => {
        const guessed = guessMembers(octets(text), ['iss'], max)
        if (guessed === undefined) expect(parse(text, max)).toBeUndefined()
        else expect(guessed.parse()).toEqual(parse(text, max))
      }),
      { numRuns: 1000 },
    )
  })

  test('is right about every JSON object whose names are written plainly', () => {
    const value = fc.oneof(fc.string(), fc.constantFrom(null, true, 0, [], {}, { iss: 'inner' }, ['iss']))
    const name = fc.constantFrom('iss', 'sub', 'is', 'isss', 'aud', 'x', '\\', '"')
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.nat({ max: 3 }), (object, space) => {
        const guessed = guess(JSON.stringify(object, undefined, space)) ?? {}
        for (const each of ['iss', 'sub']) {
          const actual: unknown = object[each]
          if (typeof actual === 'string') expect(guessed[each]).toBe(actual)
          else expect(typeof guessed[each]).toBe(typeof actual)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['{"x":{"iss":"inner"},"iss":"own"}', { iss: 'own' }],
    ['{"x":[{"iss":"inner"}],"iss":"own"}', { iss: 'own' }],
    ['{"x":"iss","iss":"own"}', { iss: 'own' }],
    ['{"x":"\\",\\"iss\\":\\"a","iss":"own"}', { iss: 'own' }],
    ['{"iss":"\\u006fwn"}', { iss: 'own' }],
    ['\n{ "iss" :\t"own" }', { iss: 'own' }],
    ['{"iss":"first","iss":"last"}', { iss: 'first' }],
    ['{"\\u0069ss":"own"}', {}],
    ['{"iss":null}', { iss: null }],
    ['{"iss":false}', { iss: true }],
    ['{"iss":["own"]}', { iss: {} }],
    ['{}', {}],
  ])('of %s is %j', (text, found) => {
    expect(guess(text)).toEqual(found)
  })

  test.each([
    ['empty', ''],
    ['blank', ' '],
    ['an array', '[{"iss":"a"}]'],
    ['a string', '"iss"'],
    ['behind a byte order mark', '\ufeff{}'],
    ['too deep', nested(65)],
    ['too dense', wide(1025)],
  ])('is none of what is %s', (_, text) => {
    expect(guess(text)).toBeUndefined()
  })

  test('does not throw, whatever it is made of', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      signs.map((text) => octets(`{${text}`)),
      signs.map((text) => octets(`{"iss":"${text}`)),
    )
    fc.assert(
      fc.property(anything, (some) => {
        const found = guessMembers(some, ['iss', 'sub'], 8)?.members
        expect(found === undefined || isRecord(found)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
