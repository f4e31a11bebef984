// The proofs that RFC 9449 publishes, what may be different about their requests, and what may not.
import { Refusal, verifyDpopProof, type DpopProofOptions } from '@countersign/core/token'
import { describe, expect, test } from 'vitest'
import { jwkThumbprint } from '../../packages/core/src/identity/proof/jwk-thumbprint.ts'
import { parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import { present } from '../core/support/asking.ts'
import { sha256 } from '../core/support/prover.ts'
import vectors from './dpop.json' with { type: 'json' }
import tokens from './rfc-tokens.json' with { type: 'json' }

const proofFields = ['origin', 'proof', 'request', 'iat', 'jti', 'accessToken', 'ath', 'jkt', 'jwk']
const changes = ['method', 'url', 'accessToken', 'jkt', 'nonce', 'algorithms']
const derivedFields = ['of', 'title', 'expected', 'secondsLater', ...changes]

type Proof = (typeof vectors.proofs)[number]

const optionsOf = ({ request, iat, accessToken }: Proof): DpopProofOptions => ({
  ...request,
  now: new Date(iat * 1000),
  ...(accessToken === undefined ? {} : { accessToken }),
})

test('the vectors have only fields that this test knows', () => {
  const fields = (list: readonly object[]) => new Set(list.flatMap((one) => Object.keys(one)))
  expect([...fields(vectors.proofs)].filter((name) => !proofFields.includes(name))).toEqual([])
  expect([...fields(vectors.derived)].filter((name) => !derivedFields.includes(name))).toEqual([])
})

describe.each(vectors.proofs)('$origin', (vector) => {
  test('is a proof of its request', async () => {
    expect(await verifyDpopProof(vector.proof, optionsOf(vector))).toEqual({
      jkt: vector.jkt,
      jti: vector.jti,
      nonce: undefined,
      expiresAtMs: (vector.iat + 60) * 1000,
    })
  })

  test('is signed with the key of the thumbprint', () => {
    const jwk = parsePublicKey(vector.jwk)
    expect(typeof jwk === 'object' && jwkThumbprint(jwk)).toBe(vector.jkt)
  })

  test('is refused with any character of it changed', async () => {
    const { proof } = vector
    for (let at = 0; at < proof.length; at += 1) {
      const other = proof[at] === 'A' ? 'B' : 'A'
      const changed = `${proof.slice(0, at)}${other}${proof.slice(at + 1)}`
      expect(await verifyDpopProof(changed, optionsOf(vector)), `${at}`).toBeInstanceOf(Refusal)
    }
  })
})

test('RFC 9449 7.1 says how `ath` is made', () => {
  const { accessToken, ath } = present(vectors.proofs.find(({ origin }) => origin.endsWith('7.1')))
  expect(sha256(present(accessToken))).toBe(ath)
})

describe('a request that differs from the one of the proof by', () => {
  test.each(vectors.derived)('$title: $expected', async (derived) => {
    const proof = present(vectors.proofs.find(({ origin }) => origin === derived.of))
    const given = Object.fromEntries(Object.entries(derived).filter(([name]) => changes.includes(name)))
    const now = (proof.iat + (derived.secondsLater ?? 0)) * 1000
    const verified = await verifyDpopProof(proof.proof, { ...optionsOf(proof), ...given, now })
    expect(verified instanceof Refusal ? verified.code : 'verified').toBe(derived.expected)
  })
})

describe.each(tokens.thumbprints)('the thumbprint of $rfc', ({ jwk, sha256: thumbprint }) => {
  test('is made of the required members alone, in their order', () => {
    for (const written of [
      jwk,
      Object.fromEntries(Object.entries(jwk).toReversed()),
      { ...jwk, kid: 'a', use: 'sig' },
    ]) {
      const key = parsePublicKey(written)
      expect(typeof key === 'object' && jwkThumbprint(key)).toBe(thumbprint)
    }
  })
})
