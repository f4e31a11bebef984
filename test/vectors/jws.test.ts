// The JWS that RFCs publish, against the building block; what verifies and what must not.
import { Refusal, verifyCompactJws, type Algorithm, type SecretAlgorithm } from '@countersign/core/token'
import { describe, expect, test } from 'vitest'
import { algorithms, isAlgorithm, isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import { jwkThumbprint } from '../../packages/core/src/identity/proof/jwk-thumbprint.ts'
import { present } from '../core/support/asking.ts'
import vectors from './jws.json' with { type: 'json' }

type Vector = (typeof vectors.signed)[number]

const verify = (jws: string, { jwk, algorithm }: Pick<Vector, 'jwk' | 'algorithm'>) =>
  verifyCompactJws(jws, { jwks: { keys: [jwk] }, algorithms: [algorithm as Algorithm] }) // or one of a secret
const fields = ['origin', 'algorithm', 'jwk', 'jws', 'payload', 'thumbprint', 'key', 'refusedBy']
const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const satisfies SecretAlgorithm[]

test('the vectors have only fields that this test knows', () => {
  const found = new Set([...vectors.signed, ...vectors.refused].flatMap((one) => Object.keys(one)))
  expect([...found].filter((name) => !fields.includes(name))).toEqual([])
})

describe.each(vectors.signed)('$origin ($algorithm)', (vector) => {
  const { algorithm, jwk, jws, payload } = vector
  const isMissing = isAlgorithm(algorithm) && !isAvailable(algorithm)
  const aloud = isMissing ? ` (skipped: Node ${process.versions.node} has no ${algorithm})` : ''

  test.skipIf(isMissing)(`verifies${aloud}`, async () => {
    const verified = await verify(jws, vector)
    expect(verified).toMatchObject({ header: { alg: algorithm } })
    expect(verified instanceof Refusal ? verified.code : Buffer.from(verified.payload).toString()).toBe(
      payload,
    )
  })

  test.skipIf(isMissing)(`is refused with another signature or another payload${aloud}`, async () => {
    const [header = '', body = '', signature = ''] = jws.split('.')
    const octets = Buffer.from(signature, 'base64url')
    for (const at of [0, 1, Math.floor(octets.length / 2), octets.length - 1]) {
      const changed = Buffer.from(octets)
      changed[at] = (changed[at] ?? 0) ^ 1
      const other = `${header}.${body}.${changed.toString('base64url')}`
      expect(await verify(other, vector)).toMatchObject({ code: 'signature_invalid' })
    }
    for (const other of [
      octets.subarray(1),
      octets.subarray(0, -1),
      Buffer.concat([octets, octets]),
      Buffer.alloc(octets.length),
    ]) {
      const changed = `${header}.${body}.${other.toString('base64url')}`
      expect(await verify(changed, vector)).toMatchObject({ code: 'signature_invalid' })
    }
    const otherBody = Buffer.from(`${payload}!`).toString('base64url')
    expect(await verify(`${header}.${otherBody}.${signature}`, vector)).toMatchObject({
      code: 'signature_invalid',
    })
  })

  test('is refused where its algorithm is not asked for', async () => {
    const isSecret = jwk.kty === 'oct'
    const [first, ...rest] = [...(isSecret ? secretAlgorithms : algorithms)].filter(
      (name) => name !== algorithm,
    )
    const others = [present(first), ...rest] as [Algorithm, ...Algorithm[]]
    const bigEnough = isSecret ? { ...jwk, alg: undefined, k: 'A'.repeat(86) } : jwk
    const verified = await verifyCompactJws(jws, { jwks: { keys: [bigEnough] }, algorithms: others })
    expect(verified).toMatchObject({ code: isMissing ? expect.any(String) : 'algorithm_not_allowed' })
  })

  test('is refused with the key of any other', async () => {
    for (const { jwk: other, origin } of vectors.signed) {
      const { n, x, pub, k } = other as Record<string, unknown>
      const { n: ownN, x: ownX, pub: ownPub, k: ownK } = jwk as Record<string, unknown>
      const isSame = n === ownN && x === ownX && pub === ownPub && k === ownK
      if (isSame || (other.kty === 'oct') !== (jwk.kty === 'oct')) continue
      expect(await verify(jws, { jwk: other, algorithm }), origin).toBeInstanceOf(Refusal)
    }
  })
})

describe.each(vectors.signed.filter((vector) => 'thumbprint' in vector))('$origin', ({ jwk, thumbprint }) => {
  test('has the thumbprint that is published', () => {
    const key = parsePublicKey(jwk)
    expect(typeof key === 'object' && jwkThumbprint(key)).toBe(thumbprint)
  })
})

describe.each(vectors.refused)('$origin', ({ jws, key, refusedBy }) => {
  test(`is refused: ${refusedBy}`, async () => {
    expect(await verify(jws, present(vectors.signed.find(({ origin }) => origin === key)))).toMatchObject({
      code: refusedBy,
    })
  })
})
