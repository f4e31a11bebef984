// Which key may verify which algorithm, said once as a table and held against the code.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  algorithms,
  isAlgorithm,
  isAvailable,
  isSecretAlgorithm,
  keyFits,
  secretLength,
  type SecretAlgorithm,
} from '../../packages/core/src/identity/jws/algorithms.ts'
import { parsePublicKey, type PublicJwk } from '../../packages/core/src/identity/jws/public-key.ts'

const octets = (length: number): string => Buffer.alloc(length, 0x81).toString('base64url')

const keys = {
  rsa: { kty: 'RSA', n: octets(256), e: 'AQAB' },
  'P-256': { kty: 'EC', crv: 'P-256', x: octets(32), y: octets(32) },
  'P-384': { kty: 'EC', crv: 'P-384', x: octets(48), y: octets(48) },
  'P-521': { kty: 'EC', crv: 'P-521', x: octets(66), y: octets(66) },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', x: octets(32) },
  'ML-DSA-44': { kty: 'AKP', alg: 'ML-DSA-44', pub: octets(1312) },
  'ML-DSA-65': { kty: 'AKP', alg: 'ML-DSA-65', pub: octets(1952) },
  'ML-DSA-87': { kty: 'AKP', alg: 'ML-DSA-87', pub: octets(2592) },
}

const table = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  Ed25519: 'Ed25519',
  EdDSA: 'Ed25519',
  'ML-DSA-44': 'ML-DSA-44',
  'ML-DSA-65': 'ML-DSA-65',
  'ML-DSA-87': 'ML-DSA-87',
} as const

function publicKey(jwk: object): PublicJwk {
  const parsed = parsePublicKey(jwk)
  if (parsed === undefined || parsed === 'private') throw new Error('expected a public key')
  return parsed
}

test('the algorithms of public keys are these and no others', () => {
  expect(algorithms).toEqual(Object.keys(table))
  for (const name of algorithms) expect([isAlgorithm(name), isSecretAlgorithm(name)]).toEqual([true, false])
})

test.each([
  'none',
  '',
  'HS256',
  'HS384',
  'HS512',
  'rs256',
  'ES256K',
  'Ed448',
  'toString',
  undefined,
  null,
  5,
])('%j is no algorithm of a public key', (name) => {
  expect(isAlgorithm(name)).toBe(false)
})

test.each(['none', '', 'HS1', 'hs256', 'RS256', 'toString', undefined, null, 256])(
  '%j is no algorithm of a secret',
  (name) => {
    expect(isSecretAlgorithm(name)).toBe(false)
  },
)

test.each<[SecretAlgorithm, number]>([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
])('%s needs a secret of %i octets', (name, length) => {
  expect(isSecretAlgorithm(name)).toBe(true)
  expect(secretLength(name)).toBe(length)
})

test('no secret is long enough for an algorithm that is not in the table', () => {
  expect(secretLength('HS224' as SecretAlgorithm)).toBe(Infinity)
})

describe.each(Object.entries(table))('%s', (name, fitting) => {
  const algorithm = name as keyof typeof table // a key of the table
  const jwk = keys[fitting]

  test.each(Object.entries(keys))(`takes the key ${fitting}: %s?`, (kind, key) => {
    expect(keyFits(publicKey(key), algorithm)).toBe(kind === fitting)
  })

  test('takes a key that says it is for this, and none that says it is for another', () => {
    expect(keyFits(publicKey({ ...jwk, alg: name }), algorithm)).toBe(true)
    for (const other of [
      '',
      name.toLowerCase(),
      'none',
      'HS256',
      ...algorithms.filter((each) => each !== name),
    ]) {
      expect(keyFits({ ...jwk, alg: other } as unknown as PublicJwk, algorithm), other).toBe(false) // of any `alg`
    }
  })

  test.each([
    [{ use: 'sig' }, true],
    [{ use: 'enc' }, false],
    [{ use: 'jwt-svid' }, false],
    [{ use: '' }, false],
    [{ key_ops: ['verify'] }, true],
    [{ key_ops: ['sign', 'verify'] }, false],
    [{ key_ops: ['verify', 'encrypt'] }, false],
    [{ key_ops: ['sign'] }, false],
    [{ key_ops: [] }, false],
    [{ use: 'enc', key_ops: ['verify'] }, false],
    [{ use: 'sig', key_ops: ['encrypt'] }, false],
  ])('takes a key that says %j: %s', (said, expected) => {
    expect(keyFits(publicKey({ ...jwk, ...said }), algorithm)).toBe(expected)
  })
})

test('a key for ML-DSA that does not say so itself is for nothing', () => {
  const unnamed = { kty: 'AKP', pub: keys['ML-DSA-44'].pub } as unknown as PublicJwk // which parsing refuses too
  expect(algorithms.filter((name) => keyFits(unnamed, name))).toEqual([])
})

test('a key of RSA has no curve, and one that is written all the same counts for nothing', () => {
  expect(keyFits(publicKey({ ...keys.rsa, crv: 'P-256' }), 'RS256')).toBe(true)
})

test('no key is for an algorithm that is not in the table', () => {
  for (const key of Object.values(keys)) {
    for (const name of ['none', 'HS256', '']) {
      expect(keyFits(publicKey(key), name as keyof typeof table)).toBe(false) // what a caller without types may pass
    }
  }
})

test('what the running Node verifies is available', () => {
  // Node's types are those of its oldest supported version, which has no ML-DSA.
  const generate = generateKeyPairSync as unknown as (type: string) => unknown
  const knows = (type: string): boolean => {
    try {
      return generate(type) !== undefined
    } catch {
      return false
    }
  }
  for (const name of algorithms) {
    expect(isAvailable(name), name).toBe(!name.startsWith('ML-DSA') || knows(name.toLowerCase()))
  }
})
