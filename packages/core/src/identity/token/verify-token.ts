import type { Clock } from '../../clock/clock.ts'
import { Refusal, refusalOf } from '../../refusal.ts'
import { isSecretAlgorithm } from '../jws/algorithms.ts'
import { isJws, parseCompactJws, type JwsHeader, type UnverifiedJws } from '../jws/compact-jws.ts'
import { guessMembers } from '../jws/guess-members.ts'
import { maxJsonDepth } from '../jws/json-names.ts'
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
  const isOpaque = introspecting !== undefined && !isJws(token)
  return isOpaque ? introspectToken(token, introspecting, clock) : jws
}

async function verifySigned(
  token: string,
  { header, payload }: UnverifiedJws,
  issuers: TrustedIssuers,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  // Anybody can send this: it is only looked at for whose it is, and nothing is built of it before the signature is right.
  const guess = guessMembers(payload, ['iss', 'sub'], maxValues)
  if (guess === undefined) return notClaims
  const issuer = issuers.select(guess)
  if (issuer instanceof Refusal) return advised(issuer, { issuers: issuers.names, iss: guess['iss'] })
  const key = await verifySignature(token, header, issuer)
  if (key instanceof Refusal) return refusedBy(issuer, key, header)
  const said = parseJsonObject(payload, maxValues)
  // INVARIANT: the issuer whose key it was is the one that the claims name to whoever reads the whole.
  if (said === undefined || issuers.select(said) !== issuer) return refusedBy(issuer, notClaims, header)
  const verified = await verifyClaims(said, token, issuer, key, clock)
  return verified instanceof Refusal ? refusedBy(issuer, verified, header, said['aud']) : verified
}

// Members and elements at all levels: the largest tokens that anybody sends have a hundred or two.
const maxValues = 512

const notClaims = new Refusal('token_malformed', {
  expected: `claims that are a JSON object of at most ${maxValues} values and ${maxJsonDepth} levels, each name once`,
})

/** What the issuer has signed, held against its rules. */
async function verifyClaims(
  said: Record<string, unknown>,
  token: string,
  issuer: TrustedIssuer,
  key: TrustedKey | undefined,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
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

/** The key that made the signature, by an algorithm and with a header that the issuer's are; undefined for a shared secret. */
async function verifySignature(
  token: string,
  header: JwsHeader,
  { algorithms, profile, verification }: TrustedIssuer,
): Promise<TrustedKey | undefined | Refusal> {
  const { alg, kid } = header
  // The issuer's configuration says which algorithms there are; the token only says which of them it used (RFC 8725 §3.1).
  if (!algorithms.has(alg)) {
    return new Refusal('algorithm_not_allowed', { expected: [...algorithms].join(', '), actual: alg })
  }
  const otherKind = profile.checkHeader(header)
  if (otherKind !== undefined) return otherKind
  if (isSecretAlgorithm(alg)) {
    // INVARIANT: an issuer has either keys or a secret, so no public key can ever be taken for one (RFC 8725 §2.1).
    const isSigned = verification.kind === 'secret' && (await isSignedWith(token, verification.secret, alg))
    return isSigned ? undefined : new Refusal('signature_invalid')
  }
  if (verification.kind === 'none') return notSigned
  if (verification.kind !== 'keys') return new Refusal('signature_invalid')
  const key = await verification.keys.find(alg, kid)
  if (key instanceof Refusal) return key
  return (await isSignedWith(token, key.import(alg), alg)) ? key : new Refusal('signature_invalid')
}

/** A refusal of an issuer's token. */
const refusedBy = (issuer: TrustedIssuer, refusal: Refusal, { typ }: JwsHeader, aud?: unknown): Refusal =>
  advised(refusalOf(issuer.issuer, refusal), {
    issuer: issuer.issuer,
    profile: issuer.profile.name,
    audiences: [...issuer.audiences],
    typ,
    aud,
  })

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
