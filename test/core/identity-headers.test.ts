// Most headers are told from those that claim an identity by three numbers: none of those may be let through for it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  IdentityHeaders,
  canonicalName,
  certificateHeaderNames,
} from '../../packages/core/src/request/identity-headers.ts'

const told = ['-edge-', '9lives', 'my-client']
const headers = new IdentityHeaders(told)
const names = [...certificateHeaderNames, ...told]

const spelled = (name: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...[...name].map((character) =>
        character === '-'
          ? fc.constantFrom(...'-_.~!*')
          : fc.constantFrom(character, character.toUpperCase()),
      ),
    )
    .map((characters) => characters.join(''))

test('a header that claims an identity is found in every spelling that gateways take for it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names).chain(spelled), (name) => {
      expect(headers.find(['Host', 'orders', name, 'a claim'])).toEqual([[name.toLowerCase(), 'a claim']])
    }),
  )
})

test('any other header is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 34 }), (name) => {
      fc.pre(!headers.find([canonicalName(name), '']).length)
      expect(headers.find([name, 'a value'])).toEqual([])
    }),
  )
})
