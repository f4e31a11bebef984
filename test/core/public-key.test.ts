import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCanonical, parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import { isRocaModulus } from '../../packages/core/src/identity/jws/roca.ts'

const octets = (length: number, first = 0x80, last = 0x01): string => {
  const buffer = Buffer.alloc(length, 0x55)
  buffer[0] = first
  buffer[length - 1] = last
  return buffer.toString('base64url')
}

const rsa = { kty: 'RSA', n: octets(256), e: 'AQAB' }
const p256 = { kty: 'EC', crv: 'P-256', x: octets(32), y: octets(32) }
const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: octets(32) }
const mlDsa = { kty: 'AKP', alg: 'ML-DSA-44', pub: octets(1312) }

describe('a public key is', () => {
  test.each<[string, object]>([
    ['RSA of 2048 bits', rsa],
    ['RSA of 8192 bits', { ...rsa, n: octets(1024, 0xff) }],
    ['RSA with the exponent 3', { ...rsa, e: 'Aw' }],
    ['RSA with an exponent of five octets', { ...rsa, e: octets(5) }],
    ['EC on P-256', p256],
    ['EC on P-384', { ...p256, crv: 'P-384', x: octets(48), y: octets(48) }],
    ['EC on P-521', { ...p256, crv: 'P-521', x: octets(66, 0), y: octets(66, 1) }],
    ['EC with a coordinate that starts with zeros', { ...p256, x: octets(32, 0) }],
    ['Ed25519', ed25519],
    ['ML-DSA-44', mlDsa],
    ['ML-DSA-65', { ...mlDsa, alg: 'ML-DSA-65', pub: octets(1952) }],
    ['ML-DSA-87', { ...mlDsa, alg: 'ML-DSA-87', pub: octets(2592) }],
    ['one that says its use', { ...rsa, kid: '', alg: 'RS256', use: 'sig', key_ops: ['verify', 'sign'] }],
    ['one with members that nobody here knows', { ...ed25519, iat: 1, p: 'x', x5c: [] }],
  ])('%s', (_, jwk) => {
    expect(parsePublicKey(jwk)).toBe(jwk)
  })

  test.each(['rsa', 'ec', 'ed25519'] as const)('what Node makes of %s', (type) => {
    const { publicKey } =
      type === 'rsa'
        ? generateKeyPairSync(type, { modulusLength: 2048 })
        : type === 'ec'
          ? generateKeyPairSync(type, { namedCurve: 'P-256' })
          : generateKeyPairSync(type)
    const jwk = publicKey.export({ format: 'jwk' })
    expect(parsePublicKey(jwk)).toBe(jwk)
  })
})

describe('no public key is', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['a text', 'RSA'],
    ['a list', [rsa]],
    ['an object without a kind', { n: rsa.n, e: rsa.e }],
    ['a key of a kind that is no text', { ...rsa, kty: ['RSA'] }],
    ['a key of an unknown kind', { ...p256, kty: 'ec' }],
    ['a secret without its value', { kty: 'oct' }],

    ['RSA without a modulus', { kty: 'RSA', e: 'AQAB' }],
    ['RSA without an exponent', { kty: 'RSA', n: rsa.n }],
    ['RSA with a modulus that is a number', { ...rsa, n: 5 }],
    ['RSA with an empty modulus', { ...rsa, n: '' }],
    ['RSA with an empty exponent', { ...rsa, e: '' }],
    ['RSA of 2047 bits', { ...rsa, n: octets(256, 0x7f) }],
    ['RSA of 2040 bits', { ...rsa, n: octets(255, 0xff) }],
    ['RSA of 8193 bits', { ...rsa, n: octets(1025, 0x01) }],
    ['RSA that is short and looks long', { ...rsa, n: octets(257, 0x00) }],
    ['RSA with a padded modulus', { ...rsa, n: `${octets(257)}=` }],
    ['RSA with the exponent 1', { ...rsa, e: 'AQ' }],
    ['RSA with an even exponent', { ...rsa, e: octets(3, 0x01, 0x02) }],
    ['RSA with the exponent 0', { ...rsa, e: 'AA' }],
    ['RSA with an exponent of six octets', { ...rsa, e: octets(6) }],
    ['RSA with an exponent that starts with a zero', { ...rsa, e: octets(4, 0x00) }],

    ['EC without a curve', { ...p256, crv: undefined }],
    ['EC on a curve that is no text', { ...p256, crv: ['P-256'] }],
    ['EC on secp256k1', { ...p256, crv: 'secp256k1' }],
    ['EC on a curve of Edwards', { ...ed25519, kty: 'EC', y: ed25519.x }],
    ['EC on an unknown curve, without coordinates', { kty: 'EC', crv: 'secp256k1' }],
    ['OKP without anything', { kty: 'OKP' }],
    ['AKP without anything', { kty: 'AKP' }],
    ['EC without y', { ...p256, y: undefined }],
    ['EC without x', { ...p256, x: undefined }],
    ['EC with a short x', { ...p256, x: octets(31) }],
    ['EC with a long x', { ...p256, x: octets(33) }],
    ['EC with a short y', { ...p256, y: octets(31) }],
    ['EC with the coordinates of another curve', { ...p256, crv: 'P-384' }],
    ['P-521 with coordinates of 65 octets', { ...p256, crv: 'P-521', x: octets(65), y: octets(66) }],
    ['EC with standard base64', { ...p256, x: `+${p256.x.slice(1)}` }],

    ['OKP without a curve', { ...ed25519, crv: undefined }],
    ['OKP on X25519', { ...ed25519, crv: 'X25519' }],
    ['OKP on Ed448', { ...ed25519, crv: 'Ed448', x: octets(57) }],
    ['OKP on a curve of the kind EC', { ...p256, kty: 'OKP' }],
    ['OKP with a short key', { ...ed25519, x: octets(31) }],

    ['AKP without an algorithm', { ...mlDsa, alg: undefined }],
    ['AKP of an unknown algorithm', { ...mlDsa, alg: 'ML-DSA-43' }],
    ['AKP without a key', { ...mlDsa, pub: undefined }],
    ['AKP with the key of another size', { ...mlDsa, alg: 'ML-DSA-65' }],
    ['ML-DSA of another kind', { ...mlDsa, kty: 'MLD' }],

    ['one with a `kid` that is a number', { ...rsa, kid: 1 }],
    ['one with a `kid` that is null', { ...rsa, kid: null }],
    ['one with an `alg` that is a list', { ...rsa, alg: ['RS256'] }],
    ['one with a `use` that is a list', { ...rsa, use: ['sig'] }],
    ['one with `key_ops` that are a text', { ...rsa, key_ops: 'verify' }],
    ['one with `key_ops` that hold a number', { ...rsa, key_ops: ['verify', 1] }],
    ['one with `key_ops` that repeat', { ...rsa, key_ops: ['verify', 'verify'] }],
    ['one with `key_ops` that are null', { ...rsa, key_ops: null }],
  ])('%s', (_, jwk) => {
    expect(parsePublicKey(jwk)).toBeUndefined()
  })
})

describe('a key gives a secret away by', () => {
  test.each<[string, object]>([
    ['`d`, whatever its kind', { ...p256, d: octets(32) }],
    ['`d` of RSA', { ...rsa, d: octets(256) }],
    ['`d` of an unknown kind', { kty: 'x', d: '' }],
    ['`k`', { kty: 'oct', k: octets(32) }],
    ['`priv`', { ...mlDsa, priv: octets(32) }],
    ['`d` that is null', { ...ed25519, d: null }],
    ...['p', 'q', 'dp', 'dq', 'qi', 'oth'].map((name): [string, object] => [
      `\`${name}\` of RSA`,
      { ...rsa, [name]: octets(128) },
    ]),
  ])('%s', (_, jwk) => {
    expect(parsePublicKey(jwk)).toBe('private')
  })
})

describe('canonical base64url', () => {
  test('gives the octets that were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (written) => {
        expect(decodeCanonical(Buffer.from(written).toString('base64url'))).toEqual(Buffer.from(written))
      }),
    )
  })

  /** Whether writing the octets anew makes the same text, which is what canonical means. */
  const isWrittenSo = (text: string): boolean => {
    const decoded = Buffer.from(text, 'base64url')
    return decoded.length > 0 && decoded.toString('base64url') === text
  }
  const agrees = (text: string): boolean => (decodeCanonical(text) !== undefined) === isWrittenSo(text)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // The other alphabet, padding, blanks, and characters whose lower half is one of the alphabet.
  const others = '+/= \n\0.~\u00c1\u0141\u2d41\ufeff'

  test('has one spelling for each value: of all texts of three characters', () => {
    const units = ['', ...alphabet, ...others]
    const wrong: string[] = []
    for (const one of units) {
      for (const two of units) {
        for (const three of units) if (!agrees(one + two + three)) wrong.push(one + two + three)
      }
    }
    expect(wrong).toEqual([])
  })

  test('has one spelling for each value: of texts of any length, with any character in place of one, or added', () => {
    const unit = fc.oneof(
      fc.constantFrom(...alphabet, ...others),
      fc.nat(0xffff).map((code) => String.fromCharCode(code)),
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        fc.nat(),
        unit,
        (written, place, added) => {
          const text = Buffer.from(written).toString('base64url')
          const at = place % (text.length + 1)
          for (const gone of [0, 1]) {
            expect(agrees(text.slice(0, at) + added + text.slice(at + gone))).toBe(true)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test.each([undefined, null, 5, '', {}, ['YQ']])('is not in %j', (value) => {
    expect(decodeCanonical(value)).toBeUndefined()
  })
})

describe('the fingerprint of ROCA (CVE-2017-15361)', () => {
  const primes = Array.from({ length: 700 }, (_, i) => i + 2).filter((n) => isPrime(n))
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n)
  // A power of 65537 modulo every small prime, as the moduli of those chips are. 3 modulo 4: no power of it modulo 4.
  const weak = withRemainder(power(65_537n, 12_345n, product), 4n, 3n)

  test('is found in a modulus that has it, and the key is not used', () => {
    expect(isRocaModulus(octetsOf(weak))).toBe(true)
    expect(parsePublicKey({ ...rsa, n: octetsOf(weak).toString('base64url') })).toBeUndefined()
  })

  test.each(primes)('is not in a modulus that lacks it for %i', (prime) => {
    // Congruent to `weak` for all primes but this one, which divides it.
    const rest = product / BigInt(prime)
    const sound = withRemainder(weak % rest, BigInt(prime), 0n, rest)
    expect(isRocaModulus(octetsOf(sound))).toBe(false)
  })

  test('is not in a modulus that happens to be right for most primes', () => {
    expect(isRocaModulus(octetsOf(weak + 2n))).toBe(false)
    expect(isRocaModulus(Buffer.from(rsa.n, 'base64url'))).toBe(false)
  })

  /** A number of 2048 bits, congruent to `start` modulo `step`, with this remainder modulo `modulus`. */
  function withRemainder(start: bigint, modulus: bigint, remainder: bigint, step = product): bigint {
    const floor = 1n << 2047n
    let number = start + step * ((floor - start) / step + 1n)
    while (number % modulus !== remainder) number += step
    return number
  }

  function octetsOf(number: bigint): Buffer {
    return Buffer.from(number.toString(16), 'hex')
  }
})

const isPrime = (n: number): boolean =>
  Array.from({ length: n - 2 }, (_, i) => i + 2).every((divisor) => n % divisor !== 0)

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let i = 0n; i < exponent; i += 1n) result = (result * base) % modulus
  return result
}
