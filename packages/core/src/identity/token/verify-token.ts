import type { Clock } from '../../clock/clock.ts'
import { Refusal, refusalOf } from '../../refusal.ts'
import { isSecretAlgorithm, type Algorithm, type SecretAlgorithm } from '../jws/algorithms.ts'
import { isJws, parseCompactJws, type JwsHeader, type UnverifiedJws } from '../jws/compact-jws.ts'
import { parseJsonObject } from '../jws/json-object.ts'
import { isSignedWith } from '../jws/verify-signature.ts'
import type { TrustedKey } from '../trust/key-set.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { TrustedIssuers } from '../trust/trusted-issuers.ts'
import { adviceFor, type RefusedToken } from './advice.ts'
import { checkClaims } from './check-claims.ts'
import { parseClaims } from './claims.ts'
import { introspectToken } from './introspect-token.ts'
import { TokenVerification } from './token-verification.ts'

/** How tokens are verified, whatever they look like. */
export type VerifyToken = (token: string) => Promise<TokenVerification | Refusal>

/**
 * Verifies a token: a signed one here (RFC 7519 §7.2, RFC 9068 §4), any other by asking its issuer. Each step ends the
 * journey of a token that fails it.
 */
export async function verifyToken(
  token: string,
  issuers: TrustedIssuers,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  const jws = parseCompactJws(token)
  if (!(jws instanceof Refusal)) return verifySigned(token, jws, issuers, clock)
  const { introspecting } = issuers
  const isOpaque = introspecting !== undefined && jws.code === 'token_malformed' && !isJws(token)
  return isOpaque ? introspectToken(token, introspecting, clock) : jws
}

async function verifySigned(
  token: string,
  { header, payload }: UnverifiedJws,
  issuers: TrustedIssuers,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  const said = parseJsonObject(payload)
  if (said === undefined) return new Refusal('token_malformed', { expected: 'claims that are a JSON object' })
  const issuer = issuers.select(said)
  if (issuer instanceof Refusal) {
    return advised(issuer, { issuers: issuers.names, iss: said['iss'] })
  }
  const verified = await verifyBy(issuer, token, header, said, clock)
  if (!(verified instanceof Refusal)) return verified
  return advised(refusalOf(issuer.issuer, verified), {
    issuer: issuer.issuer,
    profile: issuer.profile.name,
    audiences: [...issuer.audiences],
    typ: header.typ,
    aud: said['aud'],
  })
}

async function verifyBy(
  issuer: TrustedIssuer,
  token: string,
  header: JwsHeader,
  said: Record<string, unknown>,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  const algorithm = checkAlgorithm(header.alg, issuer)
  if (algorithm instanceof Refusal) return algorithm
  const otherKind = issuer.profile.checkHeader(header)
  if (otherKind !== undefined) return otherKind
  const key = await verifySignature(token, algorithm, header.kid, issuer)
  if (key instanceof Refusal) return key
  const claims = parseClaims(said, issuer)
  if (claims instanceof Refusal) return claims
  const askedAtMs = clock.now()
  const refusal = checkClaims(claims, issuer, askedAtMs)
  if (refusal !== undefined) return refusal
  const reviewed = await issuer.reviewer?.review(token, [...issuer.audiences], claims.sub)
  if (reviewed instanceof Refusal) return reviewed
  const answer = reviewed === undefined ? undefined : { askedAtMs, goodUntilMs: reviewed.cacheUntilMs }
  return new TokenVerification(claims, issuer, { key, answer })
}

type AnyAlgorithm = Algorithm | SecretAlgorithm

// The issuer's configuration says which algorithms there are; the token only says which of them it used (RFC 8725 §3.1).
function checkAlgorithm(alg: AnyAlgorithm, { algorithms }: TrustedIssuer): AnyAlgorithm | Refusal {
  if (algorithms.has(alg)) return alg
  return new Refusal('algorithm_not_allowed', { expected: [...algorithms].join(', '), actual: alg })
}

/** The key that made the signature; undefined for a shared secret. */
async function verifySignature(
  token: string,
  algorithm: AnyAlgorithm,
  kid: string | undefined,
  { verification }: TrustedIssuer,
): Promise<TrustedKey | undefined | Refusal> {
  if (isSecretAlgorithm(algorithm)) {
    // INVARIANT: an issuer has either keys or a secret, so no public key can ever be taken for one (RFC 8725 §2.1).
    const isSigned =
      verification.kind === 'secret' && (await isSignedWith(token, verification.secret, algorithm))
    return isSigned ? undefined : new Refusal('signature_invalid')
  }
  if (verification.kind === 'none') return notSigned
  if (verification.kind !== 'keys') return new Refusal('signature_invalid')
  const key = await verification.keys.find(algorithm, kid)
  if (key instanceof Refusal) return key
  return (await isSignedWith(token, key.import(algorithm), algorithm))
    ? key
    : new Refusal('signature_invalid')
}

/** With what the operator has to write or change, where that is known better than the check itself knows it. */
const advised = (refusal: Refusal, token: RefusedToken): Refusal => {
  const advice = adviceFor(refusal.code, token)
  return advice === undefined ? refusal : new Refusal(refusal.code, { ...refusal.detail, advice })
}

const notSigned = new Refusal('key_unknown', {
  expected: 'an opaque token: no keys of this issuer are configured',
  actual: 'a signed one',
  advice: 'write `jwksUri` if signed tokens of this issuer are to be accepted as well',
})
