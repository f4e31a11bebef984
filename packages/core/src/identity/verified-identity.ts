import { Refusal, quoted } from '../refusal.ts'
import type { Caller } from './caller.ts'
import type { CertificateVerification } from './peer/certificate-verification.ts'
import type { TokenVerification } from './token/token-verification.ts'
import { actingWorkload, tokenWorkload, type Workload } from './workload.ts'

/** A party on whose behalf a service calls: a person, or whoever gave it a token to act for them. */
export interface User {
  /** Canonical: `<issuer>#sub=<sub>`. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
}

/**
 * How an identity was proven: by a `token`, which anybody could have copied unless it is a `boundToken`, whose holder
 * proved to have its key (by `dpop` in this very request, or by the certificate of the connection); by a `certificate`.
 */
export type Proof = 'token' | 'boundToken' | 'dpop' | 'certificate'

/**
 * Says whether two names were written down as one workload's, for who has a token under one and a certificate under the other. The
 * result tells whether that still holds; undefined where it does not.
 */
export type SameWorkload = (one: string, other: string) => (() => boolean) | undefined

/** A caller, and for how long what policy made of it stays the same. */
export interface KnownCaller {
  readonly caller: Caller
  /** The policy; undefined where there is none. */
  readonly policy: object | undefined
  /** Milliseconds since the epoch; undefined for as long as it lives. */
  readonly until: number | undefined
}

/** Which of the two policies that there may be. */
export type PolicyRole = 'inForce' | 'candidate'

/** Who calls, as verified credentials say. Only this room makes one; code that authorises takes nothing less. */
export class VerifiedIdentity {
  readonly service: Workload | undefined
  readonly user: User | undefined
  readonly token: TokenVerification | undefined
  readonly certificate: CertificateVerification | undefined
  readonly provenBy: readonly Proof[]
  /**
   * The callers that were made of it last, under the policy in force and under its candidate. Kept here, since a weak map of them costs
   * the collector more than making them does.
   */
  inForce: KnownCaller | undefined = undefined
  candidate: KnownCaller | undefined = undefined
  readonly #isStillSame: (() => boolean) | undefined

  private constructor(
    service: Workload | undefined,
    user: User | undefined,
    token: TokenVerification | undefined,
    certificate: CertificateVerification | undefined,
    isStillSame?: () => boolean,
  ) {
    this.#isStillSame = isStillSame
    // Handed to every request that repeats the credential: no handler may change it for the next.
    this.service = Object.freeze(service)
    this.user = Object.freeze(user)
    this.token = token
    this.certificate = certificate
    this.provenBy = certificate === undefined ? proofsOf(token) : withCertificate(proofsOf(token))
  }

  isAlive(nowMs: number): boolean {
    return (
      this.token?.isAlive(nowMs) !== false &&
      this.certificate?.isAlive(nowMs) !== false &&
      this.#isStillSame?.() !== false
    )
  }

  /** Milliseconds since the epoch: the earliest end of what it rests on. */
  get expiresAt(): number {
    return Math.min(this.token?.expiresAt ?? Infinity, this.certificate?.expiresAt ?? Infinity)
  }

  static fromCertificate(certificate: CertificateVerification): VerifiedIdentity {
    return new VerifiedIdentity(workloadOf(certificate), undefined, undefined, certificate)
  }

  /**
   * Who a token names, and beside it perhaps a certificate. INVARIANT: what the token is bound to has been proven. A token
   * of a workload must name the certificate's workload; a token of a user, or one that somebody acts with, leaves the
   * certificate to say which service that is, and must not contradict it.
   */
  static fromToken(
    token: TokenVerification,
    certificate?: CertificateVerification,
    sameWorkload?: SameWorkload,
  ): VerifiedIdentity | Refusal {
    const isOwn = token.claims.represents === 'workload' && token.claims.actors.length === 0
    const named = isOwn ? tokenWorkload(token) : actingWorkload(token)
    if (named instanceof Refusal) return named
    const user = isOwn ? undefined : userOf(token)
    if (certificate === undefined) return new VerifiedIdentity(named, user, token, certificate)
    const bearer = workloadOf(certificate)
    // Of an actor who is known by another kind of name nothing can be said but what the certificate says.
    const isComparable = isOwn || named?.spiffeId !== undefined
    const isOther = isComparable && named?.id !== bearer.id
    const isStillSame = isOther && named !== undefined ? sameWorkload?.(named.id, bearer.id) : undefined
    if (isOther && isStillSame === undefined) return mismatch(bearer, named, token)
    return new VerifiedIdentity(isOwn ? named : bearer, user, token, certificate, isStillSame)
  }
}

function proofsOf(token: TokenVerification | undefined): readonly Proof[] {
  const confirmation = token?.claims.confirmation
  if (token === undefined) return noProof
  if (confirmation === undefined) return byToken
  return confirmation.jkt === undefined ? byBoundToken : byDpop
}

// Shared, since there is an identity for each token that is remembered.
const noProof: readonly Proof[] = Object.freeze([])
const byToken: readonly Proof[] = Object.freeze(['token'])
const byBoundToken: readonly Proof[] = Object.freeze(['token', 'boundToken'])
const byDpop: readonly Proof[] = Object.freeze(['token', 'boundToken', 'dpop'])

const withCertificate = (proofs: readonly Proof[]): readonly Proof[] =>
  Object.freeze([...proofs, 'certificate'])

const workloadOf = ({ id, spiffeId }: CertificateVerification): Workload => ({
  id,
  spiffeId: spiffeId?.uri,
  issuer: undefined,
  clientId: undefined,
})

// An issuer has no fragment (RFC 8414 §2), so neither part can run into the other.
const userOf = ({ claims: { sub }, issuer: { issuer } }: TokenVerification): User => ({
  id: `${issuer}#sub=${sub}`,
  issuer,
  subject: sub,
})

const mismatch = (bearer: Workload, named: Workload | undefined, { issuer }: TokenVerification): Refusal =>
  new Refusal('identity_mismatch', {
    issuer: issuer.issuer,
    expected: `a token of ${quoted(bearer.id)}, whom the certificate names`,
    actual: `a token of ${quoted(named?.id)}`,
    advice:
      'have the caller present its own token, have the issuer put its SPIFFE ID into `workloadClaim`, or name both in one `is` list of the policy',
  })
