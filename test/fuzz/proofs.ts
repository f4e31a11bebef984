// DPoP proofs under fuzz: what a guard and the building block say of one beside the token it is for, and what jose would.
import { createHash } from 'node:crypto'
import {
  authenticated,
  createGuard,
  type DpopOptions,
  type Guard,
  type InboundRequest,
} from '@countersign/core'
import { Refusal, verifyDpopProof, type Algorithm } from '@countersign/core/token'
import { calculateJwkThumbprint } from 'jose'
import { createRawSigner, type RawAlgorithm, type RawSigner } from '../core/support/raw-signer.ts'
import { createOriginal, type Original } from './original.ts'
import { proofOpinion } from './proof-oracle.ts'
import type { Subject } from './subject.ts'
import { verdictOf } from './tokens.ts'

const nowMs = Date.parse('2030-01-01T00:00:00Z')
const now = nowMs / 1000
const method = 'GET'
const origin = 'https://api.example.com'
const path = '/orders/7'
const issuer = 'https://issuer.test'

/** A proof, and all that it is held against. */
interface Occasion {
  readonly original: Original
  readonly guard: Guard
  readonly accessToken: string
  readonly jkt: string
  readonly nonce: string | undefined
}

/** Proofs by keys of every kind, every other one with a nonce, held against guards that expect them. */
export async function createProofSubject(hasMlDsa: boolean): Promise<Subject> {
  const algorithms: [Algorithm, ...Algorithm[]] = [
    'ES256',
    'ES384',
    'ES512',
    'RS256',
    'PS256',
    'Ed25519',
    'EdDSA',
  ]
  if (hasMlDsa) algorithms.push('ML-DSA-44')
  const signer = createRawSigner('ES256')
  const guards = [false, { secret: 'a'.repeat(32) }].map((nonces) =>
    createProofGuard(signer, algorithms, nonces),
  )
  const occasions = new Map<Original, Occasion>()
  for (const [i, algorithm] of algorithms.entries()) {
    const occasion = await createOccasion(algorithm, signer, guards[i % 2] as Guard) // there are two
    occasions.set(occasion.original, occasion)
  }
  const occasionOf = (original: Original): Occasion => occasions.get(original) as Occasion // it came from here
  return {
    originals: [...occasions.keys()],
    async decide(proof, original) {
      const { guard, accessToken } = occasionOf(original)
      const { code } = verdictOf(await guard.decide(requestWith(accessToken, proof), authenticated()))
      return { code }
    },
    async codeOfPart(proof, original) {
      const { accessToken, jkt, nonce } = occasionOf(original)
      const expectation = { method, url: `${origin}${path}`, now: nowMs, accessToken, jkt, algorithms }
      const verified = await verifyDpopProof(proof, {
        ...expectation,
        ...(nonce === undefined ? {} : { nonce }),
      })
      return verified instanceof Refusal ? verified.code : 'allow'
    },
    oracle(proof, original) {
      const { accessToken, jkt, nonce } = occasionOf(original)
      const time = { now: new Date(nowMs), windowSeconds: 60, toleranceSeconds: 30 }
      return proofOpinion(proof, {
        algorithms,
        method,
        url: `${origin}${path}`,
        accessToken,
        jkt,
        nonce,
        ...time,
      })
    },
  }
}

const createProofGuard = (
  signer: RawSigner,
  algorithms: readonly [Algorithm, ...Algorithm[]],
  nonces: NonNullable<DpopOptions['nonces']>,
): Guard =>
  createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer, jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] } }],
      // Proofs are used again and again here: what a guard remembers of them is another matter.
      dpop: { externalUrl: origin, algorithms, nonces, replayStore: { add: () => true } },
      log: false,
    },
    { clock: { now: () => nowMs } },
  )

async function createOccasion(algorithm: Algorithm, issuing: RawSigner, guard: Guard): Promise<Occasion> {
  const signer = createRawSigner(algorithm === 'EdDSA' ? 'Ed25519' : (algorithm satisfies RawAlgorithm))
  const jwk = algorithm.startsWith('ML-DSA') ? { ...signer.jwk, alg: algorithm } : signer.jwk
  const jkt = await calculateJwkThumbprint(jwk)
  const accessToken = issuing.jws(
    { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' },
    { ...tokenClaims, cnf: { jkt } },
  )
  const proofWith = (nonce: string | undefined): Original =>
    createOriginal({
      name: `proof ${algorithm}`,
      kind: 'proof',
      algorithm,
      header: { typ: 'dpop+jwt', alg: algorithm, jwk },
      claims: {
        jti: 'proof-1',
        htm: method,
        htu: `${origin}${path}`,
        iat: now,
        ath: createHash('sha256').update(accessToken).digest('base64url'),
        ...(nonce === undefined ? {} : { nonce }),
      },
      signingKey: signer.privateKey,
      publicKey: signer.publicKey,
    })
  const first = await guard.decide(requestWith(accessToken, proofWith(undefined).jws), authenticated())
  const nonce = first.outcome === 'deny' ? first.response.headers['dpop-nonce'] : undefined
  return { original: proofWith(nonce), guard, accessToken, jkt, nonce }
}

const requestWith = (accessToken: string, proof: string): InboundRequest => ({
  method,
  url: path,
  headers: { authorization: `DPoP ${accessToken}`, dpop: proof },
  rawHeaders: ['Authorization', `DPoP ${accessToken}`, 'DPoP', proof],
  socket: {},
})

const tokenClaims = {
  iss: issuer,
  sub: 'checkout',
  client_id: 'checkout',
  aud: 'orders',
  iat: now,
  exp: now + 300,
  jti: 'token-1',
}
