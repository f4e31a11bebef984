import type { Clock } from '../../clock/clock.ts'
import { Refusal, quoted } from '../../refusal.ts'
import type { TrustedKey } from '../trust/key-set.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import { checkClaims, parseClaims, type AccessTokenClaims } from './claims.ts'
import { parseCompactJws, type JwsHeader } from './compact-jws.ts'
import { parseJsonObject } from '../trust/json-object.ts'
import { loadJose } from '../trust/load-jose.ts'

/** A verified access token. Made once, then asked on every request whether it still holds. */
export class TokenVerification {
  readonly claims: AccessTokenClaims
  readonly issuer: TrustedIssuer
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly #key: TrustedKey

  constructor(claims: AccessTokenClaims, issuer: TrustedIssuer, key: TrustedKey) {
    this.claims = claims
    this.issuer = issuer
    this.expiresAt = claims.exp * 1000
    this.#key = key
  }

  isAlive(nowMs: number): boolean {
    const toleranceMs = this.issuer.clockToleranceSeconds * 1000
    const start = Math.max(this.claims.iat, this.claims.nbf ?? 0) * 1000
    if (this.#key.isWithdrawn || !this.issuer.keys.areCurrent(nowMs)) return false
    return nowMs < this.expiresAt + toleranceMs && nowMs >= start - toleranceMs
  }
}

/** The issuers that may say who calls, by the exact text of `iss`. */
export type TrustedIssuers = ReadonlyMap<string, TrustedIssuer>

/** Verifies a JWT access token (RFC 9068 §4). Each step ends the journey of a token that fails it. */
export async function verifyToken(
  token: string,
  issuers: TrustedIssuers,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  const jws = parseCompactJws(token)
  if (jws instanceof Refusal) return jws
  const said = parseJsonObject(jws.payload)
  if (said === undefined) return new Refusal('token_malformed', { expected: 'claims that are a JSON object' })
  const issuer = selectIssuer(said, issuers)
  if (issuer instanceof Refusal) return issuer
  const unfit = checkHeader(jws.header, issuer)
  if (unfit !== undefined) return unfit
  const key = await issuer.keys.find(jws.header.alg, jws.header.kid)
  if (key instanceof Refusal) return named(key, issuer)
  if (!(await isSignedWith(key, token, jws.header))) {
    return new Refusal('signature_invalid', { issuer: issuer.issuer })
  }
  const claims = parseClaims(said)
  if (claims instanceof Refusal) return named(claims, issuer)
  const refusal = checkClaims(claims, issuer, clock.now())
  if (refusal !== undefined) return named(refusal, issuer)
  return new TokenVerification(claims, issuer, key)
}

// `iss` selects a configured record by exact comparison and does nothing else: an unknown issuer must never cause a
// network request (RFC 8725 §3.10), and the key is then looked for among that issuer's own and no others'.
function selectIssuer({ iss }: Record<string, unknown>, issuers: TrustedIssuers): TrustedIssuer | Refusal {
  if (iss === undefined) return new Refusal('claim_missing', { expected: '`iss`', actual: 'no `iss`' })
  if (typeof iss !== 'string') {
    return new Refusal('claim_malformed', { expected: '`iss`: a string', actual: quoted(iss) })
  }
  return (
    issuers.get(iss) ??
    new Refusal('issuer_unknown', {
      expected: [...issuers.keys()].map(quoted).join(' or '),
      actual: quoted(iss),
      advice: 'issuers are compared character by character, a final slash included',
    })
  )
}

function checkHeader({ typ, alg }: JwsHeader, issuer: TrustedIssuer): Refusal | undefined {
  // RFC 9068 §4, media types compare without case (RFC 7515 §4.1.9). An ID token or a proof must not pass for it.
  const type = typ?.toLowerCase()
  if (type !== 'at+jwt' && type !== 'application/at+jwt') {
    return new Refusal('token_type_mismatch', {
      issuer: issuer.issuer,
      expected: '`typ` "at+jwt"',
      actual: typ === undefined ? 'no `typ`' : quoted(typ),
      advice:
        'have the issuer mark access tokens as RFC 9068 says, and make sure that the caller sends no ID token',
    })
  }
  if (issuer.algorithms.has(alg)) return undefined
  return new Refusal('algorithm_not_allowed', {
    issuer: issuer.issuer,
    expected: [...issuer.algorithms].join(', '),
    actual: alg,
  })
}

async function isSignedWith(key: TrustedKey, token: string, { alg }: JwsHeader): Promise<boolean> {
  const { compactVerify } = await loadJose()
  try {
    await compactVerify(token, await key.import(alg), { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

const named = ({ code, detail }: Refusal, { issuer }: TrustedIssuer): Refusal =>
  new Refusal(code, { ...detail, issuer })
