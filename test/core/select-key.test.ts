import { describe, expect, test } from 'vitest'
import { selectKey } from '../../packages/core/src/identity/jws/select-key.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'

interface Key {
  readonly name: string
  readonly kid?: string
  readonly fits?: false
}

function select(keys: readonly Key[], kid?: string): string {
  const selected = selectKey(keys, { alg: 'ES256', kid }, ({ fits }) => fits !== false)
  if (!(selected instanceof Refusal)) return selected.name
  // Which key was looked for is what the operator needs to know.
  const told = `${selected.detail.expected} ${selected.detail.actual}`
  expect(told).toContain('ES256')
  expect(told).toContain(kid === undefined ? '`kid`' : JSON.stringify(kid))
  expect(told).not.toContain('undefined')
  expect([selected.detail.expected, selected.detail.actual]).not.toContain('')
  return selected.code
}

describe('with `kid`', () => {
  test.each<[string, readonly Key[], string]>([
    ['no key', [], 'key_unknown'],
    ['a key of another `kid`', [{ name: 'a', kid: '2' }], 'key_unknown'],
    ['a key without `kid`', [{ name: 'a' }], 'key_unknown'],
    ['a key that does not fit', [{ name: 'a', kid: '1', fits: false }], 'key_unknown'],
    [
      'two keys',
      [
        { name: 'a', kid: '1' },
        { name: 'b', kid: '1' },
      ],
      'key_ambiguous',
    ],
    ['one key among others', [{ name: 'a', kid: '2' }, { name: 'b', kid: '1' }, { name: 'c' }], 'b'],
    [
      'one of two that fits',
      [
        { name: 'a', kid: '1', fits: false },
        { name: 'b', kid: '1' },
      ],
      'b',
    ],
  ])('%s', (_, keys, expected) => {
    expect(select(keys, '1')).toBe(expected)
  })

  test('that is empty, a key without is none', () => {
    expect(select([{ name: 'a' }], '')).toBe('key_unknown')
    expect(select([{ name: 'a', kid: '' }], '')).toBe('a')
  })
})

describe('without `kid`', () => {
  test.each<[string, readonly Key[], string]>([
    ['no key', [], 'key_unknown'],
    [
      'no key that fits',
      [
        { name: 'a', kid: '1', fits: false },
        { name: 'b', fits: false },
      ],
      'key_unknown',
    ],
    [
      'two keys',
      [
        { name: 'a', kid: '1' },
        { name: 'b', kid: '2' },
      ],
      'key_ambiguous',
    ],
    ['one key', [{ name: 'a', kid: '1' }], 'a'],
    ['one key that fits, the first', [{ name: 'a' }, { name: 'b', fits: false }], 'a'],
    [
      'one key that fits, the last',
      [
        { name: 'a', fits: false },
        { name: 'b', kid: '1' },
      ],
      'b',
    ],
  ])('%s', (_, keys, expected) => {
    expect(select(keys)).toBe(expected)
  })
})
