import { hash } from 'node:crypto'
import { Refusal, quoted } from '../../refusal.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import { parseCompactJws } from '../jws/compact-jws.ts'
import type { SignatureChecker } from '../jws/signature-checks.ts'
import { importKey } from '../jws/verify-signature.ts'
import { equalInConstantTime } from './equal-text.ts'
import { jwkThumbprint } from './jwk-thumbprint.ts'
import type { KnownKeys } from './known-keys.ts'
import { parseProofClaims, type ProofClaims } from './proof-claims.ts'
import { readProofKey } from './proof-key.ts'
import { normalizeUrl } from './request-url.ts'

/** A DPoP proof that has passed every check, but for whether it was used before. Only `verifyProof` makes one. */
export interface VerifiedProof {
  /** SHA-256 thumbprint of the key that signed it (RFC 7638), as `cnf.jkt` of a bound token has it. */
  readonly jkt: string
  /** Its id, unique for the key. At most 256 characters. */
  readonly jti: string
  /** The server's nonce that it repeats, if any. */
  readonly nonce: string | undefined
  /** Milliseconds since the epoch: from then on it is not accepted any more. Until then its `jti` must be remembered. */
  readonly expiresAtMs: number
  readonly [verified]: true
}

declare const verified: unique symbol

/** What a proof has to be a proof of. */
export interface ProofExpectation {
  readonly method: string
  /** Normalized; the proof must name one of them. */
  readonly urls: readonly string[]
  /** What to say to the operator where it names another. */
  readonly urlAdvice: string
  readonly accessToken: string | undefined
  /** The thumbprint in the token's `cnf`. */
  readonly jkt: string | undefined
  readonly checks: SignatureChecker
  /** The one that it came by. */
  readonly connection: object
  /** Where imported keys are kept from one proof to the next. */
  readonly knownKeys: KnownKeys | undefined
  /** Whether a nonce is one that was given out. Undefined where no nonces are asked for. */
  readonly acceptsNonce: ((nonce: string) => boolean) | undefined
  readonly nowMs: number
  readonly algorithms: ReadonlySet<Algorithm>
  /** For how long after `iat` it is accepted. */
  readonly windowSeconds: number
  /** By how much clocks may differ. */
  readonly toleranceSeconds: number
}

/** Verifies a DPoP proof (RFC 9449 §4.3), cheap checks first. Each step ends the journey of a proof that fails it. */
export async function verifyProof(
  proof: string,
  expectation: ProofExpectation,
): Promise<VerifiedProof | Refusal> {
  const jws = parseCompactJws(proof)
  if (jws instanceof Refusal) return new Refusal('dpop_proof_malformed', jws.detail)
  const key = readProofKey(jws.header, expectation.algorithms)
  if (key instanceof Refusal) return key
  const claims = parseProofClaims(jws.payload)
  if (claims instanceof Refusal) return claims
  const refusal =
    checkRequest(claims, expectation) ?? checkNonce(claims, expectation) ?? checkTime(claims, expectation)
  if (refusal !== undefined) return refusal
  const jkt = jwkThumbprint(key.jwk)
  const mismatch = checkToken(claims, jkt, expectation)
  if (mismatch !== undefined) return mismatch
  const { knownKeys } = expectation
  const imported = knownKeys?.find(jkt, key.algorithm) ?? importKey(key.jwk, key.algorithm)
  // Kept whatever comes of this proof: whoever has a token without its key could have it imported again at each attempt.
  if (expectation.jkt !== undefined) knownKeys?.keep(jkt, key.algorithm, imported)
  const { checks, connection } = expectation
  const signed = await checks.isSigned(jws, imported, key.algorithm, connection)
  if (signed instanceof Refusal) return signed
  if (!signed) return new Refusal('dpop_proof_signature_invalid')
  const { jti, nonce } = claims
  const proven = { jkt, jti, nonce, expiresAtMs: expiryMs(claims, expectation) }
  return Object.freeze(proven) as VerifiedProof // every check has passed
}

// RFC 9449 §4.3, checks 8 and 9. Methods are case-sensitive (RFC 9110 §9.1).
function checkRequest(
  claims: ProofClaims,
  { method, urls, urlAdvice }: ProofExpectation,
): Refusal | undefined {
  if (claims.htm !== method) {
    return mismatched(
      `\`htm\` ${quoted(method)}`,
      quoted(claims.htm),
      'have the proof made for this very request',
    )
  }
  const url = normalizeUrl(claims.htu)
  if (url !== undefined && urls.includes(url)) return undefined
  return mismatched(
    urls.length === 0 ? '`htu` of a request to a plain path' : `\`htu\` ${urls.map(quoted).join(' or ')}`,
    url === undefined ? 'no http(s) URL' : quoted(url),
    urlAdvice,
  )
}

// Once nonces are asked for, none is accepted without (RFC 9449 §11.3), whatever `iat` says.
function checkNonce({ nonce }: ProofClaims, { acceptsNonce }: ProofExpectation): Refusal | undefined {
  if (acceptsNonce === undefined || (nonce !== undefined && acceptsNonce(nonce))) return undefined
  return new Refusal('dpop_nonce_required', {
    expected: 'a nonce that this service gave out lately',
    actual: nonce === undefined ? 'no `nonce`' : 'another',
    advice: 'callers repeat the request with the nonce of the answer (RFC 9449 §9)',
  })
}

function checkTime(claims: ProofClaims, expectation: ProofExpectation): Refusal | undefined {
  const { nowMs, windowSeconds, toleranceSeconds } = expectation
  const now = nowMs / 1000
  if (nowMs >= expiryMs(claims, expectation)) {
    const end = claims.exp === undefined ? '' : ', with an `exp`'
    return untimely(
      `a proof made in the last ${windowSeconds} s`,
      `one made ${Math.round(now - claims.iat)} s ago${end}`,
    )
  }
  const start = Math.max(claims.iat, claims.nbf ?? claims.iat)
  if (start <= now + toleranceSeconds) return undefined
  return untimely(
    `a proof made by now, give or take ${toleranceSeconds} s`,
    `one of ${Math.round(start - now)} s ahead`,
  )
}

/** When the proof ends: one number decides until when it is accepted and until when its id is remembered. */
const expiryMs = ({ iat, exp }: ProofClaims, { windowSeconds, toleranceSeconds }: ProofExpectation): number =>
  Math.ceil(Math.min(iat + windowSeconds, (exp ?? Infinity) + toleranceSeconds) * 1000)

// RFC 9449 §4.3, check 12. `ath` is of the token's text as it was sent.
function checkToken(
  { ath }: ProofClaims,
  jkt: string,
  { accessToken, jkt: boundTo }: ProofExpectation,
): Refusal | undefined {
  if (accessToken !== undefined && ath !== hash('sha256', accessToken, 'base64url')) {
    return mismatched('`ath` of the access token beside it', ath === undefined ? 'no `ath`' : 'another')
  }
  if (boundTo === undefined || equalInConstantTime(jkt, boundTo)) return undefined
  return new Refusal('dpop_key_mismatch', {
    expected: 'a proof signed with the key that the token is bound to',
    actual: 'another key',
  })
}

const mismatched = (expected: string, actual: string, advice?: string): Refusal =>
  new Refusal('dpop_proof_mismatch', { expected, actual, ...(advice === undefined ? {} : { advice }) })

const untimely = (expected: string, actual: string): Refusal =>
  new Refusal('dpop_proof_expired', { expected, actual, advice: "compare the caller's clock with this one" })
