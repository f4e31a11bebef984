import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { loadSigner } from '../../packages/core/src/identity/jws/load-jose.ts'
import { parsePublicKey, type PublicJwk } from '../../packages/core/src/identity/jws/public-key.ts'
import { importKey, isSignedWith } from '../../packages/core/src/identity/jws/verify-signature.ts'
import { createRawSigner, segment, type RawSigner } from './support/raw-signer.ts'
import { signedText } from './support/signed-text.ts'

const publicKey = ({ jwk }: RawSigner): PublicJwk => {
  const parsed = parsePublicKey(jwk)
  if (parsed === undefined || parsed === 'private') throw new Error('expected a public key')
  return parsed
}

const es256 = createRawSigner('ES256')
const rs256 = createRawSigner('RS256')
const token = es256.jws({ alg: 'ES256' }, { sub: 'checkout' })
const [head, body, tail] = token.split('.')

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

  test.each([
    ['of another payload', `${head}.${segment({ sub: 'admin' })}.${tail}`],
    ['of another header', `${segment({ alg: 'ES256', kid: 'x' })}.${body}.${tail}`],
    ['of another key', createRawSigner('ES256').jws({ alg: 'ES256' }, { sub: 'checkout' })],
    ['that is empty', `${head}.${body}.`],
    ['that is cut short', token.slice(0, -4)],
    ['that is longer', `${token}AAAA`],
    ['of a text that is no JWS', 'garbage'],
    ['of nothing', ''],
  ])('%s', async (_, jws) => {
    expect(await isSignedWith(signedText(jws), key, 'ES256')).toBe(false)
  })

  test.each(['RS512', 'PS256'] as const)('of RS256, by the same key made ready for %s', async (algorithm) => {
    const jws = rs256.jws({ alg: algorithm }, {})
    expect(await isSignedWith(signedText(jws), importKey(publicKey(rs256), 'RS256'), 'RS256')).toBe(true)
    expect(await isSignedWith(signedText(jws), importKey(publicKey(rs256), algorithm), algorithm)).toBe(false)
  })

  test.each(['PS256', 'ES256', 'Ed25519', 'HS256'] as const)(
    'of RS256, by a key made ready for it and %s asked for',
    async (algorithm) => {
      const ready = importKey(publicKey(rs256), 'RS256')
      expect(await isSignedWith(signedText(rs256.jws({ alg: 'RS256' }, {})), ready, algorithm)).toBe(false)
    },
  )

  test('by a key that could not be made ready', async () => {
    expect(await isSignedWith(signedText(token), importKey(publicKey(es256), 'RS256'), 'ES256')).toBe(false)
  })
})

describe.each(
  (
    [
      ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
      ...(['ES256', 'ES384', 'ES512', 'Ed25519', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const),
    ] as const
  ).filter((algorithm) => isAvailable(algorithm)),
)('%s', (algorithm) => {
  const signer = createRawSigner(algorithm)
  const key = importKey(publicKey(signer), algorithm)
  const jws = signer.jws({ alg: algorithm }, { sub: 'checkout' })

  test('verifies what its key signed, and nothing else', async () => {
    const [, , signature] = jws.split('.')
    const changed = `${segment({ alg: algorithm })}.${segment({ sub: 'admin' })}.${signature}`
    expect(await isSignedWith(signedText(changed), key, algorithm)).toBe(false)
    expect(await isSignedWith(signedText(jws), key, algorithm)).toBe(true)
    expect(await isSignedWith(signedText(jws), await key, algorithm)).toBe(true)
  })
})

test('an Ed25519 key verifies under the old name of its algorithm, too', async () => {
  const signer = createRawSigner('Ed25519')
  const jws = signer.jws({ alg: 'EdDSA' }, {})
  expect(await isSignedWith(signedText(jws), importKey(publicKey(signer), 'EdDSA'), 'EdDSA')).toBe(true)
})

test('what a key says that belongs to keys of another kind decides nothing', async () => {
  const jwk = parsePublicKey({ ...es256.jwk, n: 'AQAB', e: 'AQAB' })
  if (jwk === undefined || jwk === 'private') throw new Error('expected a public key')
  expect(await isSignedWith(signedText(token), importKey(jwk, 'ES256'), 'ES256')).toBe(true)
})

describe('a secret', () => {
  const secret = Buffer.alloc(64, 'a')
  const signed = (bits: number, key: Buffer = secret): string => {
    const input = `${segment({ alg: `HS${bits}` })}.${body}`
    return `${input}.${createHmac(`sha${bits}`, key).update(input).digest('base64url')}`
  }

  test.each([
    ['HS256', 256],
    ['HS384', 384],
    ['HS512', 512],
  ] as const)('verifies %s', async (algorithm, bits) => {
    expect(await isSignedWith(signedText(signed(bits)), secret, algorithm)).toBe(true)
    expect(await isSignedWith(signedText(signed(bits, Buffer.alloc(64, 'b'))), secret, algorithm)).toBe(false)
    expect(await isSignedWith(signedText(signed(bits).slice(0, -4)), secret, algorithm)).toBe(false)
    expect(await isSignedWith(signedText(`${signed(bits)}AAAA`), secret, algorithm)).toBe(false)
    expect(await isSignedWith(signedText(signed(bits === 256 ? 512 : 256)), secret, algorithm)).toBe(false)
  })

  test.each(['RS256', 'ES256', 'XHS256', 'HS2560', 'HS1', 'none', ''])(
    'verifies nothing under %j',
    async (name) => {
      expect(await isSignedWith(signedText(signed(256)), secret, name as 'HS256')).toBe(false) // what a caller without types may pass
    },
  )
})

test('what signs here is verified here', async () => {
  const Signer = await loadSigner()
  const signed = new Signer(Buffer.from('{}')).setProtectedHeader({ alg: 'ES256' }).sign(es256.privateKey)
  expect(await isSignedWith(signedText(await signed), importKey(publicKey(es256), 'ES256'), 'ES256')).toBe(
    true,
  )
})
