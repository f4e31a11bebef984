// Mutated proofs: none is accepted that the JOSE library of most others refuses under the same rules, and none throws.
import { Refusal, verifyDpopProof } from '@countersign/core/token'
import { createTestClock } from '@countersign/testing'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { createRandom, mutate } from './support/mutate-jws.ts'
import { createProver, request, sha256 } from './support/prover.ts'

const clock = createTestClock()
const accessToken = 'access-token'
const algorithms = ['ES256', 'RS256', 'Ed25519'] as const
const now = clock.now() / 1000

/** The seed decides what is changed; what failed stands in the message. More of them: FUZZ_RUNS=70000. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 3000)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_300_101)

/** RFC 9449 §4.3 as anybody would write it with jose: what it accepts we may refuse, never the other way round. */
async function isAcceptedByJose(proof: string): Promise<boolean> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...algorithms],
      currentDate: new Date(clock.now()),
      clockTolerance: 30,
      requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
    })
    const { jti, htm, htu, iat = NaN, ath } = payload
    const url = new URL(String(htu))
    await calculateJwkThumbprint(protectedHeader.jwk ?? {})
    return (
      typeof jti === 'string' &&
      htm === request.method &&
      `${url.origin}${url.pathname}` === request.url &&
      ath === sha256(accessToken) &&
      now - iat < 60 &&
      iat - now <= 30
    )
  } catch {
    return false
  }
}

const values = [now, now - 59, now - 60, now + 30, now + 31, now - 29.5, `${now}`]
const urls = [
  request.url,
  `${request.url}?a`,
  `${request.url}/`,
  'https://API.example.com:443/orders/x/../7',
  'http://api.example.com/orders/7',
  'https://api.example.com@evil.example/orders/7',
  'https://api.example.com\\orders/7',
]
const others = [
  'GET',
  'get',
  'POST',
  'EC',
  'RSA',
  'oct',
  'P-384',
  ...algorithms,
  'verify',
  ['verify'],
  'sig',
  'AQAB',
]

test.each(algorithms)(
  `T36 ${runs} mutants of proofs by %s (seed ${seed})`,
  { timeout: 600_000 },
  async (algorithm) => {
    const prover = await createProver({ algorithm, now: clock.now, accessToken })
    const original = {
      jws: prover.proof(),
      signer: prover.signer,
      values: [
        ...values,
        ...urls,
        ...others,
        prover.signer.jwk,
        prover.signer.privateKey.export({ format: 'jwk' }),
      ],
    }
    const random = createRandom(seed)
    const outcomes = new Map<string, number>()
    for (let i = 0; i < runs; i += 1) {
      const { kind, jws } = mutate(original, random)
      const verified = await verifyDpopProof(jws, { ...request, now: clock.now(), accessToken, algorithms })
      const outcome = verified instanceof Refusal ? verified.code : 'verified'
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (verified instanceof Refusal) continue
      expect(verified.jkt, `${kind}: ${jws}`).toBe(prover.jkt)
      expect(await isAcceptedByJose(jws), `${kind}: ${jws}`).toBe(true)
    }
    // Else it would be no test: mutants reach every check, and harmless ones pass.
    expect([...outcomes.keys()].toSorted()).toEqual([
      'dpop_proof_expired',
      'dpop_proof_malformed',
      'dpop_proof_mismatch',
      'dpop_proof_signature_invalid',
      'verified',
    ])
    expect(await isAcceptedByJose(original.jws)).toBe(true)
  },
)
