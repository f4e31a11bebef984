/**
 * Parts of the verification for those who need a part: the same code that a guard runs. They answer with a `Refusal` to
 * whatever is wrong with what a peer sent, and reject with a `ConfigurationError` if they were asked wrongly.
 */
import { boundProof } from './evidence/dpop.ts'
import { maxTokenLength } from './evidence/length.ts'
import { isAlgorithm, isAvailable } from './identity/jws/algorithms.ts'
import { parseCompactJws } from './identity/jws/compact-jws.ts'
import { KnownHeaders } from './identity/jws/known-headers.ts'
import { selectKey } from './identity/jws/select-key.ts'
import { checkedAtOnce } from './identity/jws/signature-checks.ts'
import { isSignedWith } from './identity/jws/verify-signature.ts'
import { verifyProof, type VerifiedProof } from './identity/proof/dpop-proof.ts'
import { parseJwsOptions, type CompactJwsOptions } from './options/parse-jws-options.ts'
import { parseProofOptions, type DpopProofOptions } from './options/parse-proof-options.ts'
import { parseSvidOptions, type JwtSvidOptions } from './options/parse-svid-options.ts'
import { verifyToken } from './identity/token/verify-token.ts'
import { Refusal, quoted } from './refusal.ts'

export { ConfigurationError } from './configuration-error.ts'
export type { Algorithm, SecretAlgorithm } from './identity/jws/algorithms.ts'
export { Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
export type { CompactJwsOptions, DpopProofOptions, JwtSvidOptions, VerifiedProof }

/** A JWS whose signature is right. What its payload says is for the reader to check. */
export interface VerifiedJws {
  /** The protected header. `alg` is one of the algorithms that were asked for. */
  readonly header: Readonly<Record<string, unknown>> & {
    readonly alg: string
    readonly kid?: string
    readonly typ?: string
  }
  /** The signed octets, whatever they are. */
  readonly payload: Uint8Array
  readonly [verified]: true
}

declare const verified: unique symbol

/**
 * Verifies a JWS in compact serialization (RFC 7515 §5.2) against a JWK Set. The payload may be anything. The key is the
 * one that has the `kid` of the header, if it has any, and fits its algorithm by `kty`, `crv`, `alg`, `use` and `key_ops`:
 * none is `key_unknown`, several are `key_ambiguous`, since keys are never tried in turn. `crit` and `b64` are refused.
 */
export async function verifyCompactJws(
  jws: string,
  options: CompactJwsOptions,
): Promise<VerifiedJws | Refusal> {
  const { keys, algorithms } = parseJwsOptions(options)
  if (typeof jws !== 'string') {
    return new Refusal('token_malformed', { expected: 'text', actual: quoted(jws) })
  }
  const parsed = parseCompactJws(jws)
  if (parsed instanceof Refusal) return parsed
  const { header, payload } = parsed
  const algorithm = [...algorithms].find((name) => name === header.alg)
  if (algorithm === undefined) {
    return new Refusal('algorithm_not_allowed', {
      expected: [...algorithms].join(', '),
      actual: quoted(header.alg),
    })
  }
  if (isAlgorithm(algorithm) && !isAvailable(algorithm)) {
    return new Refusal('algorithm_not_allowed', {
      expected: 'an algorithm that the running Node verifies',
      actual: algorithm,
    })
  }
  const key = selectKey(keys, header, (candidate) => candidate.fits(algorithm))
  if (key instanceof Refusal) return key
  if (!(await isSignedWith(parsed, key.import(algorithm), algorithm))) return new Refusal('signature_invalid')
  const proven = { header: Object.freeze(header.all), payload: Uint8Array.from(payload) }
  return Object.freeze(proven) as VerifiedJws // the signature is right, and the header was parsed
}

/** Who a JWT-SVID names. */
export interface VerifiedJwtSvid {
  /** Such as `spiffe://prod.example/ns/shop/sa/checkout`. */
  readonly spiffeId: string
  readonly audience: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Everything that it says, frozen. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly [verified]: true
}

/**
 * Verifies a JWT-SVID (SPIFFE JWT-SVID §2-5) against the bundles of trust domains, at a given time. The bundle is the one of
 * the very trust domain of its subject, and the key the one that its `kid` names there.
 */
export async function verifyJwtSvid(
  token: string,
  options: JwtSvidOptions,
): Promise<VerifiedJwtSvid | Refusal> {
  const { issuers, nowMs } = parseSvidOptions(options)
  if (typeof token !== 'string' || token.length > maxTokenLength) {
    return new Refusal('token_malformed', { expected: `text of at most ${maxTokenLength} characters` })
  }
  const verification = await verifyToken(token, options, {
    issuers,
    checks: checkedAtOnce,
    headers: new KnownHeaders(),
    clock: { now: () => nowMs },
  })
  if (verification instanceof Refusal) return verification
  const { claims, expiresAt } = verification
  const { sub: spiffeId, all } = claims
  const svid: Omit<VerifiedJwtSvid, typeof verified> = {
    spiffeId,
    audience: Object.freeze([...claims.aud]),
    expiresAt,
    claims: all,
  }
  return Object.freeze(svid) as VerifiedJwtSvid // its signature, its time and its subject have been checked
}

/**
 * Verifies a DPoP proof (RFC 9449 §4.3) for a request at a given time, but for one thing that needs a memory: whether it
 * was used before. Remember `jti` for its `jkt`, in one atomic step, until `expiresAtMs` at least, and refuse it then.
 */
export async function verifyDpopProof(
  proof: string,
  options: DpopProofOptions,
): Promise<VerifiedProof | Refusal> {
  const expectation = parseProofOptions(options)
  if (typeof proof !== 'string') {
    return new Refusal('dpop_proof_missing', { expected: 'the value of a DPoP field', actual: quoted(proof) })
  }
  const bounded = boundProof(proof)
  return bounded instanceof Refusal ? bounded : verifyProof(bounded, expectation)
}
