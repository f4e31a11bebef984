import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { loadSigner } from '../../packages/core/src/identity/jws/load-jose.ts'
import { parsePublicKey, type PublicJwk } from '../../packages/core/src/identity/jws/public-key.ts'
import { importKey, isSignedWith } from '../../packages/core/src/identity/jws/verify-signature.ts'
import { createRawSigner, segment, type RawSigner } from './support/raw-signer.ts'

const publicKey = ({ jwk }: RawSigner): PublicJwk => {
  const parsed = parsePublicKey(jwk)
  if (parsed === undefined || parsed === 'private') throw new Error('expected a public key')
  return parsed
}

const es256 = createRawSigner('ES256')
const rs256 = createRawSigner('RS256')
const token = es256.jws({ alg: 'ES256' }, { sub: 'checkout' })

describe('a key is not made ready', () => {
  test.each([
    ['of EC', es256, 'RS256'],
    ['of RSA', rs256, 'ES256'],
    ['of EC', es256, 'Ed25519'],
  ] as const)('%s for %s', async (_, signer, algorithm) => {
    await expect(importKey(publicKey(signer), algorithm)).rejects.toThrow()
  })
})

describe('a signature is not verified', () => {
  const key = importKey(publicKey(es256), 'ES256')
  const [head, body, tail] = token.split('.')

  test.each([
    ['of another payload', `${head}.${segment({ sub: 'admin' })}.${tail}`],
    ['of another header', `${segment({ alg: 'ES256', kid: 'x' })}.${body}.${tail}`],
    ['of another key', createRawSigner('ES256').jws({ alg: 'ES256' }, { sub: 'checkout' })],
    ['that is empty', `${head}.${body}.`],
    ['under an algorithm that the header does not name', es256.jws({ alg: 'RS256' }, {})],
    ['under no algorithm', `${segment({ alg: 'none' })}.${body}.`],
    ['of a text that is no JWS', 'garbage'],
    ['of nothing', ''],
  ])('%s', async (_, jws) => {
    expect(await isSignedWith(jws, key, 'ES256')).toBe(false)
  })

  test('by an algorithm other than the one asked for, though key and header agree', async () => {
    const ready = importKey(publicKey(rs256), 'RS256')
    const jws = rs256.jws({ alg: 'RS256' }, {})
    expect(await isSignedWith(jws, ready, 'RS256')).toBe(true)
    expect(await isSignedWith(jws, ready, 'RS512')).toBe(false)
    expect(await isSignedWith(jws, ready, 'PS256')).toBe(false)
  })

  test('by a key that could not be made ready', async () => {
    expect(await isSignedWith(token, importKey(publicKey(es256), 'RS256'), 'ES256')).toBe(false)
  })

  test('by a secret that is another', async () => {
    const input = `${segment({ alg: 'HS256' })}.${body}`
    const jws = `${input}.${createHmac('sha256', 'a'.repeat(32)).update(input).digest('base64url')}`
    expect(await isSignedWith(jws, Buffer.from('a'.repeat(32)), 'HS256')).toBe(true)
    expect(await isSignedWith(jws, Buffer.from('b'.repeat(32)), 'HS256')).toBe(false)
  })
})

test('a signature is verified by the key that made it', async () => {
  expect(await isSignedWith(token, importKey(publicKey(es256), 'ES256'), 'ES256')).toBe(true)
  expect(await isSignedWith(token, await importKey(publicKey(es256), 'ES256'), 'ES256')).toBe(true)
})

test('an Ed25519 key verifies under both names of its algorithm', async () => {
  const signer = createRawSigner('Ed25519')
  for (const alg of ['Ed25519', 'EdDSA'] as const) {
    expect(await isSignedWith(signer.jws({ alg }, {}), importKey(publicKey(signer), alg), alg)).toBe(true)
  }
})

test.runIf(isAvailable('ML-DSA-44'))('an ML-DSA key verifies', async () => {
  const signer = createRawSigner('ML-DSA-44')
  const jws = signer.jws({ alg: 'ML-DSA-44' }, {})
  expect(await isSignedWith(jws, importKey(publicKey(signer), 'ML-DSA-44'), 'ML-DSA-44')).toBe(true)
})

test('what signs here is verified here', async () => {
  const Signer = await loadSigner()
  const signed = new Signer(Buffer.from('{}')).setProtectedHeader({ alg: 'ES256' }).sign(es256.privateKey)
  expect(await isSignedWith(await signed, importKey(publicKey(es256), 'ES256'), 'ES256')).toBe(true)
})
