// The fast path against WebCrypto, which it stands in for: whatever is signed or made up, both say the same.
import { createPublicKey, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Algorithm } from '../../packages/core/src/identity/jws/algorithms.ts'
import { NativeKey } from '../../packages/core/src/identity/jws/native-key.ts'
import { parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import {
  importKey,
  isSignedWith,
  type By,
  type ReadyKey,
} from '../../packages/core/src/identity/jws/verify-signature.ts'
import { createRawSigner, segment, type RawSigner } from './support/raw-signer.ts'
import { signedText } from './support/signed-text.ts'

const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
] as const
const everyWay: readonly By[] = ['loop', 'thread', 'webcrypto']

async function readyKey({ jwk }: RawSigner, algorithm: Algorithm): Promise<ReadyKey> {
  const parsed = parsePublicKey(jwk)
  if (parsed === undefined || parsed === 'private') throw new Error('expected a public key')
  return importKey(parsed, algorithm)
}

/** What all ways say; fails where they differ. */
async function verdict(jws: string, key: ReadyKey): Promise<boolean> {
  const said = await Promise.all(
    everyWay.map(async (by) => isSignedWith(signedText(jws), key, key.algorithm, by)),
  )
  expect(new Set(said), jws).toHaveProperty('size', 1)
  return said[0] === true
}

describe.each(algorithms)('%s', (algorithm) => {
  const signer = createRawSigner(algorithm)
  const input = `${segment({ alg: algorithm })}.${segment({ sub: 'checkout' })}`
  const signature = Buffer.from(signer.signature(input), 'base64url')
  const jws = (octets: Uint8Array): string => `${input}.${Buffer.from(octets).toString('base64url')}`

  test('is checked at once with a key that is ready', async () => {
    const key = await readyKey(signer, algorithm)
    expect(key.native).toBeDefined()
    expect(isSignedWith(signedText(jws(signature)), key, algorithm)).toBe(true)
    expect(isSignedWith(signedText(jws(signature.fill(7, 3, 9))), key, algorithm)).toBe(false)
  })

  test('accepts what its key has signed, whatever that is', async () => {
    const key = await readyKey(signer, algorithm)
    for (let i = 0; i < 40; i += 1) {
      expect(await verdict(signer.jws({ alg: algorithm }, { i }), key)).toBe(true)
    }
  })

  test('refuses every signature that has one octet more, less or changed', async () => {
    const key = await readyKey(signer, algorithm)
    const good = Buffer.from(signer.signature(input), 'base64url')
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(good)
        changed[at] = (changed[at] ?? 0) ^ mask
        const cut = Buffer.concat([good.subarray(0, at), good.subarray(at + 1)])
        const grown = Buffer.concat([good.subarray(0, at), Buffer.from([mask]), good.subarray(at)])
        for (const hostile of [changed, cut, grown]) expect(await verdict(jws(hostile), key)).toBe(false)
      }),
      { numRuns: 25 },
    )
  })

  test('says what WebCrypto says of any octets', async () => {
    const key = await readyKey(signer, algorithm)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
        expect(await verdict(jws(octets), key)).toBe(false)
      }),
      { numRuns: 25 },
    )
  })
})

describe.each([
  ['ES256', 32, 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'],
  [
    'ES384',
    48,
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ],
  ['ES512', 66, `01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`],
] as const)('%s', (algorithm, length, order) => {
  const signer = createRawSigner(algorithm)
  const n = BigInt(`0x${order}`)
  const number = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
  const valueOf = (octets: Buffer): bigint => BigInt(`0x${octets.toString('hex')}`)

  test('refuses numbers that no signature has: zero, the order of the curve and what is beyond', async () => {
    const key = await readyKey(signer, algorithm)
    const input = `${segment({ alg: algorithm })}.${segment({})}`
    const good = Buffer.from(signer.signature(input), 'base64url')
    const [r, s] = [good.subarray(0, length), good.subarray(length)]
    const jws = (...numbers: readonly Buffer[]): string =>
      `${input}.${Buffer.concat(numbers).toString('base64url')}`
    expect(await verdict(jws(r, s), key)).toBe(true)
    // What ECDSA cannot help: -S is as good as S. So a signature is never what tells two tokens apart.
    expect(await verdict(jws(r, number(n - valueOf(s))), key)).toBe(true)
    for (const bad of [number(0n), number(n), Buffer.alloc(length, 0xff)]) {
      expect(await verdict(jws(bad, s), key)).toBe(false)
      expect(await verdict(jws(r, bad), key)).toBe(false)
      expect(await verdict(jws(bad, bad), key)).toBe(false)
    }
  })

  test('takes no signature in DER, which is another spelling of a good one', async () => {
    const key = await readyKey(signer, algorithm)
    const input = `${segment({ alg: algorithm })}.${segment({})}`
    const der = sign(`sha${algorithm.slice(2)}`, Buffer.from(input), signer.privateKey)
    expect(verify(`sha${algorithm.slice(2)}`, Buffer.from(input), signer.publicKey, der)).toBe(true)
    expect(await verdict(`${input}.${der.toString('base64url')}`, key)).toBe(false)
  })

  test('finds numbers right that begin with zeros', async () => {
    const key = await readyKey(signer, algorithm)
    let seen = 0
    for (let i = 0; i < 2000 && seen < 3; i += 1) {
      const jws = signer.jws({ alg: algorithm }, { i })
      const signature = Buffer.from(jws.slice(jws.lastIndexOf('.') + 1), 'base64url')
      // In ES512 a number has 521 bits in 528: there the first octet is zero half of the time.
      const isShort = signature[0] === 0 || signature[length] === 0
      if (!isShort) continue
      seen += 1
      expect(await verdict(jws, key)).toBe(true)
    }
    expect(seen).toBe(3)
  })
})

describe.each([
  ['PS256', 32],
  ['PS384', 48],
  ['PS512', 64],
] as const)('%s', (algorithm, length) => {
  const signer = createRawSigner(algorithm)
  const input = `${segment({ alg: algorithm })}.${segment({})}`
  const signed = (saltLength: number, hash = `sha${algorithm.slice(2)}`): string => {
    const key = { key: signer.privateKey, padding: 6, saltLength }
    return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`
  }

  test('takes a salt that is as long as the hash, and no other (RFC 7518 §3.5)', async () => {
    const key = await readyKey(signer, algorithm)
    for (const saltLength of [0, 1, 20, length - 1, length, length + 1, 100]) {
      expect(await verdict(signed(saltLength), key), String(saltLength)).toBe(saltLength === length)
    }
  })

  test('takes no signature without the zero that it begins with: each has one spelling (RFC 8017 §8.1.2)', async () => {
    const key = await readyKey(signer, algorithm)
    let spelled: Buffer | undefined
    for (let i = 0; i < 5000 && spelled === undefined; i += 1) {
      const octets = Buffer.from(signer.signature(input), 'base64url')
      if (octets[0] === 0) spelled = octets
    }
    if (spelled === undefined) throw new Error('expected one in 256')
    expect(await verdict(`${input}.${spelled.toString('base64url')}`, key)).toBe(true)
    expect(await verdict(`${input}.${spelled.subarray(1).toString('base64url')}`, key)).toBe(false)
  })

  test('takes no other hash, and no signature of PKCS#1 v1.5', async () => {
    const key = await readyKey(signer, algorithm)
    for (const hash of ['sha1', 'sha256', 'sha384', 'sha512']) {
      expect(await verdict(signed(length, hash), key), hash).toBe(hash === `sha${algorithm.slice(2)}`)
    }
    const pkcs1 = sign(`sha${algorithm.slice(2)}`, Buffer.from(input), signer.privateKey)
    expect(await verdict(`${input}.${pkcs1.toString('base64url')}`, key)).toBe(false)
  })
})

test.each([2048, 3072, 4096])('RSA keys of %i bits are the same key for PSS', async (bits) => {
  const signer = createRawSigner('PS256', bits)
  const key = await readyKey(signer, 'PS256')
  expect(await verdict(signer.jws({ alg: 'PS256' }, {}), key)).toBe(true)
  expect(await verdict(createRawSigner('PS256', bits).jws({ alg: 'PS256' }, {}), key)).toBe(false)
})

test('EdDSA takes no second spelling of a signature: S is below the order of the group (RFC 8032 §5.1.7)', async () => {
  const signer = createRawSigner('Ed25519')
  const key = await readyKey(signer, 'EdDSA')
  const input = `${segment({ alg: 'EdDSA' })}.${segment({})}`
  const good = Buffer.from(signer.signature(input), 'base64url')
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(good.subarray(32).toReversed()).toString('hex')}`)
  const other = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').toReversed()
  const jws = (octets: Buffer): string => `${input}.${octets.toString('base64url')}`
  expect(await verdict(jws(good), key)).toBe(true)
  expect(await verdict(jws(Buffer.concat([good.subarray(0, 32), other])), key)).toBe(false)
})

test('a key of RSA that is ready for one algorithm verifies by no other', async () => {
  const signer = createRawSigner('RS256')
  const jwk = createPublicKey({ key: signer.jwk, format: 'jwk' })
  expect(jwk.asymmetricKeyType).toBe('rsa')
  const key = await readyKey(signer, 'PS256')
  for (const by of everyWay) {
    expect(await isSignedWith(signedText(signer.jws({ alg: 'RS256' }, {})), key, 'RS256', by)).toBe(false)
  }
})

test('verifies nothing where the platform has no such hash, and throws nothing', async () => {
  const signer = createRawSigner('RS256')
  const { cryptoKey } = await readyKey(signer, 'RS256')
  const key = NativeKey.from(cryptoKey, 'RS999' as Algorithm) // as a build of OpenSSL might leave one out
  const [input, signature] = [Buffer.from('a.b'), Buffer.alloc(256, 1)]
  expect(key?.verifies(input, signature)).toBe(false)
  expect(await key?.verifiesAside(input, signature)).toBe(false)
})
