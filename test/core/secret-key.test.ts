import { describe, expect, test } from 'vitest'
import { parseSecretKey, secretFits } from '../../packages/core/src/identity/jws/secret-key.ts'
import { present } from './support/asking.ts'

const octets = Buffer.alloc(64, 7)
const secret = { kty: 'oct', k: octets.toString('base64url') }

test.each<[string, unknown]>([
  ['null', null],
  ['a text', secret.k],
  ['a list', [secret]],
  ['without a kind', { k: secret.k }],
  ['of another kind', { ...secret, kty: 'RSA' }],
  ['without a value', { kty: 'oct' }],
  ['with an empty value', { kty: 'oct', k: '' }],
  ['with a value that is a number', { ...secret, k: 5 }],
  ['with a value in padded base64', { ...secret, k: 'YQ==' }],
  ['with a value that is two spellings of one', { ...secret, k: 'YR' }],
  ['with a `kid` that is a number', { ...secret, kid: 1 }],
  ['with a `kid` that is null', { ...secret, kid: null }],
  ['with an `alg` that is a list', { ...secret, alg: ['HS256'] }],
  ['with a `use` that is null', { ...secret, use: null }],
  ['with a `use` that is a list', { ...secret, use: ['sig'] }],
  ['with `key_ops` that are a text', { ...secret, key_ops: 'verify' }],
  ['with `key_ops` that are null', { ...secret, key_ops: null }],
])('a JWK that is no secret: %s', (_, jwk) => {
  expect(parseSecretKey(jwk)).toBeUndefined()
})

test.each([
  [{}, true],
  [{ use: 'sig' }, true],
  [{ key_ops: ['sign', 'verify'] }, true],
  [{ use: 'enc' }, false],
  [{ use: '' }, false],
  [{ key_ops: ['sign'] }, false],
  [{ key_ops: [] }, false],
  [{ use: 'sig', key_ops: ['deriveBits'] }, false],
  [{ use: 'enc', key_ops: ['verify'] }, false],
])('whether a secret that says %j is for checking signatures: %s', (said, isForVerifying) => {
  const parsed = present(parseSecretKey({ ...secret, ...said }))
  expect(parsed).toEqual({ kid: undefined, alg: undefined, octets, isForVerifying })
  expect(secretFits(parsed, 'HS256')).toBe(isForVerifying)
})

test('a secret keeps the name and the algorithm that it says', () => {
  expect(parseSecretKey({ ...secret, kid: '', alg: 'HS256' })).toMatchObject({ kid: '', alg: 'HS256' })
})

describe('a secret fits', () => {
  const ofLength = (length: number, alg?: string) =>
    present(parseSecretKey({ kty: 'oct', k: Buffer.alloc(length, 7).toString('base64url'), alg }))

  test.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const)('%s from %i octets on', (algorithm, length) => {
    expect(secretFits(ofLength(length - 1), algorithm)).toBe(false)
    expect(secretFits(ofLength(length), algorithm)).toBe(true)
    expect(secretFits(ofLength(length + 1), algorithm)).toBe(true)
  })

  test('the algorithm that it says, and no other', () => {
    expect(secretFits(ofLength(64, 'HS256'), 'HS256')).toBe(true)
    expect(secretFits(ofLength(64, 'HS256'), 'HS512')).toBe(false)
    expect(secretFits(ofLength(64, ''), 'HS256')).toBe(false)
  })

  test('no algorithm that is not in the table', () => {
    expect(secretFits(ofLength(64), 'HS1' as 'HS256')).toBe(false) // what a caller without types may pass
  })
})
