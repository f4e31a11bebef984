// The published example tokens are genuine, and none of them is an access token: each must be refused for its own reason.
import { createGuard, type Guard } from '@countersign/core'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeFor } from '../core/support/asking.ts'
import vectors from './rfc-tokens.json' with { type: 'json' }

// In 2011, before the `exp` of the examples, so that time is no reason to refuse them.
const clock = createTestClock(new Date('2011-03-22T18:00:00Z'))
const known = ['rfc', 'token', 'jwk', 'verifies', 'refusedBy', 'note']

describe.each(vectors.tokens)('$rfc', (vector) => {
  test('has only fields that this test knows', () => {
    expect(Object.keys(vector).filter((name) => !known.includes(name))).toEqual([])
  })

  test('is what the RFC says it is', async () => {
    if (vector.jwk === null) return expect(vector.token.endsWith('.')).toBe(true)
    const key = await importJWK(vector.jwk, 'alg' in vector.jwk ? vector.jwk.alg : undefined)
    const verified = await compactVerify(vector.token, key)
    return expect(verified.payload.length > 0).toBe(vector.verifies)
  })

  test(`is refused as an access token: ${vector.refusedBy}`, async () => {
    for (const guard of guards(vector.jwk)) expect(await codeFor(guard, vector.token)).toBe(vector.refusedBy)
  })
})

describe.each(vectors.thumbprints)('the thumbprint of $rfc', ({ jwk, sha256 }) => {
  test('is the one by which the testing package would name the key', async () => {
    expect(await calculateJwkThumbprint(jwk)).toBe(sha256)
  })
})

/** Guards that trust the example's own key where that is possible, under the issuer that the examples name. */
function guards(jwk: object | null): readonly Guard[] {
  const anchor = vectors.tokens.find(({ rfc }) => rfc.includes('A.3'))?.jwk ?? {}
  const keys = jwk === null || ('kty' in jwk && jwk.kty === 'oct') ? [anchor] : [jwk]
  // The examples are issued by "joe", which is no URL: no guard can even be made to trust it.
  expect(() => createGuard({ audience: 'orders', issuers: [{ issuer: 'joe', jwks: { keys } }] })).toThrow(
    /URL/,
  )
  return [
    createGuard(
      { audience: 'orders', issuers: [{ issuer: 'https://joe.test', jwks: { keys } }], log: false },
      { clock },
    ),
  ]
}
