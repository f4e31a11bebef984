import { constants, sign } from 'node:crypto'
import { createGuard, type Algorithm, type Guard } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { createRawSigner, segment, type RawAlgorithm, type RawSigner } from './support/raw-signer.ts'

const classical = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
const postQuantum = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const
// RFC 9964 needs a Node that has it; where it is missing, the guard says so.
const available = [...classical, 'Ed25519' as const, ...postQuantum.filter((alg) => isAvailable(alg))]

const { claims, clock } = createHouse()

/** A guard that trusts these keys for these algorithms. */
const trusting = (keys: readonly object[], ...algorithms: [Algorithm, ...Algorithm[]]): Guard =>
  createGuard(
    { audience: 'orders', issuers: [{ issuer, jwks: { keys }, algorithms }], log: false },
    { clock },
  )

const tokenOf = (signer: RawSigner, alg: string): string => signer.jws({ alg, typ: 'at+jwt' }, claims())

/** A token whose signature is made by hand. */
function handSigned(alg: string, signatureOf: (input: Buffer) => Buffer): string {
  const input = `${segment({ alg, typ: 'at+jwt' })}.${segment(claims())}`
  return `${input}.${signatureOf(Buffer.from(input)).toString('base64url')}`
}

describe.each(available)('%s', (alg) => {
  const signer = createRawSigner(alg)
  const guard = trusting([signer.jwk], alg)

  test('verifies what its key signed', async () => {
    expect(await codeFor(guard, tokenOf(signer, alg))).toBe('allow')
  })

  test('does not verify what another key signed, nor what was changed', async () => {
    expect(await codeFor(guard, tokenOf(createRawSigner(alg), alg))).toBe('signature_invalid')
    const [head, , tail] = tokenOf(signer, alg).split('.')
    const changed = `${head}.${segment(claims({ sub: 'somebody-else' }))}.${tail}`
    expect(await codeFor(guard, changed)).toBe('signature_invalid')
  })

  test('is refused where the issuer was given another one', async () => {
    const other = alg === 'RS256' ? 'PS256' : 'RS256'
    const rsa = createRawSigner('RS256')
    expect(await codeFor(trusting([signer.jwk, rsa.jwk], other), tokenOf(signer, alg))).toBe(
      'algorithm_not_allowed',
    )
  })
})

describe('a signature made by one algorithm', () => {
  test.each<[RawAlgorithm & Algorithm, RawAlgorithm & Algorithm]>([
    ['RS256', 'RS384'],
    ['RS512', 'RS256'],
    ['RS256', 'PS256'],
    ['PS256', 'RS256'],
    ['PS384', 'PS512'],
  ])('%s is none by another that the same key may be used for: %s', async (made, said) => {
    const signer = createRawSigner(made)
    expect(await codeFor(trusting([signer.jwk], made, said), tokenOf(signer, said))).toBe('signature_invalid')
  })

  test.each<[RawAlgorithm & Algorithm, RawAlgorithm & Algorithm]>([
    ['ES256', 'ES384'],
    ['ES512', 'ES256'],
    ['Ed25519', 'ES256'],
  ])('%s finds no key where the token says %s', async (made, said) => {
    const signer = createRawSigner(made)
    expect(await codeFor(trusting([signer.jwk], made, said), tokenOf(signer, said))).toBe('key_unknown')
  })
})

test.each([0, 20, 64])('PS256 takes a salt as long as its hash, not one of %i octets', async (saltLength) => {
  const { privateKey, jwk } = createRawSigner('PS256')
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const salted = handSigned('PS256', (input) =>
    sign('sha256', input, { key: privateKey, padding, saltLength }),
  )
  expect(await codeFor(trusting([jwk], 'PS256'), salted)).toBe('signature_invalid')
})

describe('an ECDSA signature', () => {
  const { privateKey, jwk } = createRawSigner('ES256')
  const guard = trusting([jwk], 'ES256')
  const raw = (input: Buffer) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' })

  test.each<[string, (input: Buffer) => Buffer]>([
    ['in DER', (input) => sign('sha256', input, privateKey)],
    ['of zeros', () => Buffer.alloc(64)],
    ['with a zero in front', (input) => Buffer.concat([Buffer.alloc(1), raw(input)])],
    ['with a zero behind', (input) => Buffer.concat([raw(input), Buffer.alloc(1)])],
    ['without its last octet', (input) => raw(input).subarray(0, 63)],
    ['of nothing but one octet', () => Buffer.alloc(1)],
  ])('%s is none', async (_, signatureOf) => {
    expect(await codeFor(guard, handSigned('ES256', raw))).toBe('allow')
    expect(await codeFor(guard, handSigned('ES256', signatureOf))).toBe('signature_invalid')
  })
})

describe.runIf(isAvailable('ML-DSA-44'))('a key for ML-DSA', () => {
  // Where the tests are skipped, this is run all the same.
  const signer = createRawSigner(isAvailable('ML-DSA-44') ? 'ML-DSA-44' : 'ES256')
  const { pub } = signer.jwk as { readonly pub: string } // RFC 9964 §3

  test('says itself for which parameter set', async () => {
    const unnamed = { kty: 'AKP', pub }
    expect(() => trusting([unnamed], 'ML-DSA-44')).toThrow(/at least one usable/)
    const guard = trusting([signer.jwk], 'ML-DSA-44', 'ML-DSA-65')
    expect(await codeFor(guard, tokenOf(signer, 'ML-DSA-65'))).toBe('key_unknown')
  })

  test('has the length of its parameter set', () => {
    expect(() => trusting([{ ...signer.jwk, alg: 'ML-DSA-65' }], 'ML-DSA-65')).toThrow(/at least one usable/)
    expect(() => trusting([{ ...signer.jwk, pub: pub.slice(4) }], 'ML-DSA-44')).toThrow(/at least one usable/)
  })

  test('that gives its seed away is refused', () => {
    const priv = Buffer.alloc(32, 1).toString('base64url')
    expect(() => trusting([{ ...signer.jwk, priv }], 'ML-DSA-44')).toThrow(/private/)
  })

  test('is used only by issuers that were given the algorithm', async () => {
    const usual = createGuard(
      { audience: 'orders', issuers: [{ issuer, jwks: { keys: [signer.jwk] } }], log: false },
      { clock },
    )
    expect(await codeFor(usual, tokenOf(signer, 'ML-DSA-44'))).toBe('algorithm_not_allowed')
  })
})

describe.runIf(!isAvailable('ML-DSA-44'))('a Node without ML-DSA', () => {
  test.each(postQuantum)('is told of when an issuer shall use %s', (alg) => {
    expect(() => trusting([createRawSigner().jwk], alg)).toThrow(/this Node cannot verify/)
  })
})
