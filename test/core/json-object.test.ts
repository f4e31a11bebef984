// One text, one meaning: what two JSON readers could take for two different objects is none.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deeplyFreeze, isRecord, parseJsonObject } from '../../packages/core/src/identity/jws/json-object.ts'

const parse = (text: string) => parseJsonObject(Buffer.from(text))

describe('no JSON object is', () => {
  test.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '5'],
    ['a text', '"{}"'],
    ['a list', '[]'],
    ['a list of objects', '[{}]'],
    ['half an object', '{"a":1'],
    ['two objects', '{}{}'],
    ['an object with a comma too many', '{"a":1,}'],
    ['an object in single quotes', "{'a':1}"],
    ['an object behind a byte order mark', '\uFEFF{}'],
  ])('%s', (_, text) => {
    expect(parse(text)).toBeUndefined()
  })

  test.each([
    ['a stray octet', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['an overlong spelling of a quote', Buffer.from([0x7b, 0xc0, 0xa2, 0x61, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
  ])('text that is not UTF-8: %s', (_, octets) => {
    expect(parseJsonObject(octets)).toBeUndefined()
  })
})

describe('an object that names a member twice is none', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a" : 1,\n"a"\t\r\n: 2}',
    '{"":1,"":2}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"a":2}',
    '{"\\/":1,"/":2}',
    '{"a\\"b":1,"a\\"b":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '{"{":1,"{":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"a":1},"a":2}',
    '{"a":1,"b":{"a":1},"a":2}',
    '{"a":[{"b":1}],"a":2}',
    '{"a":1,"b":["]"],"a":2}',
    '{"x":{"a":1,"a":2}}',
    '{"x":[{"a":1,"a":2}]}',
    '{"x":[[],[{"y":{}},{"a":1,"a":2}]]}',
    '{"x":"\\"","a":1,"a":2}',
    '{"x":"a\\\\","a":1,"a":2}',
  ])('%s', (text) => {
    expect(() => JSON.parse(text)).not.toThrow()
    expect(parse(text)).toBeUndefined()
  })
})

describe('an object may', () => {
  test.each([
    ['be empty', '{}'],
    ['be written with spaces', ' {\n"a" : 1 }\t'],
    ['repeat a name as a value', '{"a":"a","b":"a","c":"b"}'],
    ['repeat a name at another depth', '{"a":{"a":{"a":1}}}'],
    ['repeat a name beside another object', '{"x":{"a":1},"y":{"a":1},"a":1}'],
    ['repeat a name in each object of a list', '{"x":[{"a":1},{"a":2}],"a":3}'],
    ['repeat a value in a list', '{"x":["a","a"],"a":"a"}'],
    ['repeat a value in a list behind an object', '{"x":[{"a":1},"a","a"]}'],
    ['hold JSON as text', '{"x":"{\\"a\\":1,\\"a\\":2}","a":1}'],
    ['hold text that ends like a name', '{"x":"a\\":","a":1,"y":"\\"a\\":"}'],
    ['hold brackets in its texts', '{"x":"}","a":1,"y":["]","[","{"],"z":1}'],
    ['hold backslashes in its texts', '{"x":"a\\\\","y":"\\\\\\"","a":1}'],
    ['have names that differ in case, or in a blank', '{"a":1,"A":2,"a ":3," a":4}'],
    ['have names that differ in their escapes alone', '{"a\\\\":1,"a":2,"\\\\a":3}'],
  ])('%s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('be anything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })
})

test('for any object, one more member of a name that it has, anywhere, makes it none', () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
  fc.assert(
    fc.property(value, fc.nat(), fc.jsonValue(), (object, at, extra) => {
      const name = JSON.stringify(Object.keys(object)[at % Object.keys(object).length])
      const twice = JSON.stringify(object).replace('{', () => `{${name}:${JSON.stringify(extra)},`)
      expect(parse(twice)).toBeUndefined()
      expect(parse(`{"outer":[1,${twice}]}`)).toBeUndefined()
    }),
  )
})

test('no octets make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      parseJsonObject(octets)
    }),
  )
})

test.each([null, undefined, [], 'x', 5, true, () => ({})])('%j is no record', (value) => {
  expect(isRecord(value)).toBe(false)
})

test('JSON is frozen to its last member, however deep, and what is no JSON is left alone', () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every((member) => frozen(member)))
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      deeplyFreeze(json)
      expect(frozen(json)).toBe(true)
    }),
  )
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  expect(() => deeplyFreeze(deep)).not.toThrow()
  for (const none of [undefined, null, 'text', 5]) expect(() => deeplyFreeze(none)).not.toThrow()
})
