import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../refusal.ts'
import { isSecretAlgorithm, type Algorithm, type SecretAlgorithm } from '../jws/algorithms.ts'
import { isJws, parseCompactJws, type JwsHeader, type UnverifiedJws } from '../jws/compact-jws.ts'
import { whenKnown } from '../when-known.ts'
import { guessMembers } from '../jws/guess-members.ts'
import { maxJsonDepth } from '../jws/json-names.ts'
import type { KnownHeaders } from '../jws/known-headers.ts'
import type { Signed, SignatureChecker } from '../jws/signature-checks.ts'
import type { ImportedKey } from '../jws/verify-signature.ts'
import type { TrustedKey } from '../trust/key-set.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { TrustedIssuers } from '../trust/trusted-issuers.ts'
import { adviceFor, type RefusedToken } from './advice.ts'
import { checkClaims } from './check-claims.ts'
import { parseClaims } from './claims.ts'
import { introspectToken } from './introspect-token.ts'
import { TokenVerification } from './token-verification.ts'

/** How tokens are verified, whatever they look like. */
export type VerifyToken = (token: string, connection: object) => Verified | Promise<Verified>

/** What a token is verified with. */
export interface TokenContext {
  readonly issuers: TrustedIssuers
  readonly checks: SignatureChecker
  readonly headers: KnownHeaders
  readonly clock: Clock
}

type Verified = TokenVerification | Refusal

/**
 * Verifies a token: a signed one here (RFC 7519 §7.2, RFC 9068 §4), any other by asking its issuer. Each step ends the
 * journey of a token that fails it. At once where the keys are at hand and nobody has to be asked.
 */
export function verifyToken(
  token: string,
  connection: object,
  context: TokenContext,
): Verified | Promise<Verified> {
  const { issuers, clock } = context
  const jws = parseCompactJws(token, context.headers)
  if (!(jws instanceof Refusal)) return verifySigned(token, jws, connection, context)
  const { introspecting } = issuers
  const isOpaque = introspecting !== undefined && !isJws(token)
  return isOpaque ? introspectToken(token, introspecting, clock) : jws
}

function verifySigned(
  token: string,
  jws: UnverifiedJws,
  connection: object,
  { issuers, checks, headers, clock }: TokenContext,
): Verified | Promise<Verified> {
  const { header, payload } = jws
  const isSignedWith: SignatureCheck = (key, alg) => checks.isSigned(jws, key, alg, connection)
  // Anybody can send this: it is only looked at for whose it is, and nothing is built of it before the signature is right.
  const guess = guessMembers(payload, ['iss', 'sub'], maxValues)
  if (guess === undefined) return notClaims
  const { members } = guess
  const issuer = issuers.select(members)
  if (issuer instanceof Refusal) return advised(issuer, { issuers: issuers.names, iss: members['iss'] })
  return whenKnown(verifySignature(header, issuer, isSignedWith), (key) => {
    if (key instanceof Refusal) return refusedBy(issuer, key, header)
    // It may have been withdrawn while its signature waited to be checked.
    if (key?.isWithdrawn === true) return refusedBy(issuer, withdrawn, header)
    const said = guess.parse()
    // INVARIANT: the issuer whose key it was is the one that the claims name to whoever reads the whole.
    if (said === undefined || issuers.select(said) !== issuer) return refusedBy(issuer, notClaims, header)
    return whenKnown(verifyClaims(said, token, issuer, key, clock), (verified) => {
      if (verified instanceof Refusal) return refusedBy(issuer, verified, header, said['aud'])
      headers.keep(token, header)
      return verified
    })
  })
}

// Members and elements at all levels: the largest tokens that anybody sends have a hundred or two.
const maxValues = 512

const notClaims = new Refusal('token_malformed', {
  expected: `claims that are a JSON object of at most ${maxValues} values and ${maxJsonDepth} levels, each name once`,
})

const withdrawn = new Refusal('key_unknown', {
  expected: 'a key that the issuer publishes',
  actual: 'a withdrawn one',
})

/** What the issuer has signed, held against its rules. */
function verifyClaims(
  said: Record<string, unknown>,
  token: string,
  issuer: TrustedIssuer,
  key: TrustedKey | undefined,
  clock: Clock,
): Verified | Promise<Verified> {
  const claims = parseClaims(said, issuer)
  if (claims instanceof Refusal) return claims
  const askedAtMs = clock.now()
  const refusal = checkClaims(claims, issuer, askedAtMs)
  if (refusal !== undefined) return refusal
  if (issuer.reviewer === undefined) {
    return new TokenVerification(claims, issuer, token.length, { key, answer: undefined })
  }
  return issuer.reviewer.review(token, [...issuer.audiences], claims.sub).then((reviewed) => {
    if (reviewed instanceof Refusal) return reviewed
    const answer = { askedAtMs, goodUntilMs: reviewed.cacheUntilMs }
    return new TokenVerification(claims, issuer, token.length, { key, answer })
  })
}

/** The key that made the signature, by an algorithm and with a header that the issuer's are; undefined for a shared secret. */
function verifySignature(
  header: JwsHeader,
  { algorithms, profile, verification }: TrustedIssuer,
  isSignedWith: SignatureCheck,
): Signer | Promise<Signer> {
  const { alg, kid } = header
  // The issuer's configuration says which algorithms there are; the token only says which of them it used (RFC 8725 §3.1).
  if (!algorithms.has(alg)) {
    return new Refusal('algorithm_not_allowed', { expected: [...algorithms].join(', '), actual: alg })
  }
  const otherKind = profile.checkHeader(header)
  if (otherKind !== undefined) return otherKind
  if (isSecretAlgorithm(alg)) {
    // INVARIANT: an issuer has either keys or a secret, so no public key can ever be taken for one (RFC 8725 §2.1).
    if (verification.kind !== 'secret') return notMade
    return whenKnown(isSignedWith(verification.secret, alg), (signed) => signerOf(signed, undefined))
  }
  if (verification.kind === 'none') return notSigned
  if (verification.kind !== 'keys') return notMade
  return whenKnown(verification.keys.find(alg, kid), (key) =>
    key instanceof Refusal
      ? key
      : whenKnown(isSignedWith(key.import(alg), alg), (signed) => signerOf(signed, key)),
  )
}

type SignatureCheck = (
  key: ImportedKey | Promise<ImportedKey>,
  alg: Algorithm | SecretAlgorithm,
) => Signed | Promise<Signed>

const signerOf = (signed: Signed, key: TrustedKey | undefined): Signer =>
  signed instanceof Refusal ? signed : signed ? key : notMade

/** Whose signature it is; nobody's own where the secret is shared. */
type Signer = TrustedKey | undefined | Refusal

const notMade = new Refusal('signature_invalid')

/** A refusal of an issuer's token. */
const refusedBy = (
  { issuer, profile, audiences }: TrustedIssuer,
  refusal: Refusal,
  { typ }: JwsHeader,
  aud?: unknown,
): Refusal => advised(refusal, { issuer, profile: profile.name, audiences, typ, aud })

/**
 * With the issuer whose token it is, and what the operator has to write or change, where that is known better than the check itself
 * knows it.
 */
const advised = ({ code, detail }: Refusal, token: RefusedToken): Refusal => {
  const { issuer } = token
  const advice = adviceFor(code, token) ?? detail.advice
  return new Refusal(code, {
    ...detail,
    ...(issuer === undefined ? {} : { issuer }),
    ...(advice === undefined ? {} : { advice }),
  })
}

const notSigned = new Refusal('key_unknown', {
  expected: 'an opaque token: no keys of this issuer are configured',
  actual: 'a signed one',
  advice: 'write `jwksUri` if signed tokens of this issuer are to be accepted as well',
})
