import { Refusal, quoted } from '../refusal.ts'
import type { CertificateVerification } from './certificate/certificate-trust.ts'
import { parseSpiffeId } from './certificate/spiffe-id.ts'
import type { TokenVerification } from './token/verify-token.ts'

/** A service that calls. */
export interface Workload {
  /** Canonical: a SPIFFE ID, or `<issuer>#client=<client_id>`. */
  readonly id: string
  readonly spiffeId: string | undefined
  /** Of the token that names it; undefined where a certificate alone does. */
  readonly issuer: string | undefined
  readonly clientId: string | undefined
}

/** A person on whose behalf a service calls. */
export interface User {
  /** Canonical: `<issuer>#sub=<sub>`. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
}

/** How an identity was proven. */
export type Proof = 'token' | 'certificate'

/** Who calls, as verified credentials say. Only this room makes one; code that authorises takes nothing less. */
export class VerifiedIdentity {
  readonly service: Workload | undefined
  readonly user: User | undefined
  readonly token: TokenVerification | undefined
  readonly certificate: CertificateVerification | undefined
  readonly provenBy: readonly Proof[]

  private constructor(
    service: Workload | undefined,
    user: User | undefined,
    token: TokenVerification | undefined,
    certificate: CertificateVerification | undefined,
  ) {
    // Handed to every request that repeats the credential: no handler may change it for the next.
    this.service = Object.freeze(service)
    this.user = Object.freeze(user)
    this.token = token
    this.certificate = certificate
    this.provenBy = Object.freeze([
      ...(token === undefined ? [] : (['token'] as const)),
      ...(certificate === undefined ? [] : (['certificate'] as const)),
    ])
  }

  isAlive(nowMs: number): boolean {
    return this.token?.isAlive(nowMs) !== false && this.certificate?.isAlive(nowMs) !== false
  }

  /** Milliseconds since the epoch: the earliest end of what it rests on. */
  get expiresAt(): number {
    return Math.min(this.token?.expiresAt ?? Infinity, this.certificate?.expiresAt ?? Infinity)
  }

  static fromCertificate(certificate: CertificateVerification): VerifiedIdentity {
    return new VerifiedIdentity(workloadOf(certificate.spiffeId.uri), undefined, undefined, certificate)
  }

  /**
   * Who a token names, and beside it perhaps a certificate. A token of a workload must then name the same workload;
   * a token of a user leaves the certificate to say which service acts.
   */
  static fromToken(
    token: TokenVerification,
    certificate?: CertificateVerification,
  ): VerifiedIdentity | Refusal {
    const bearer = certificate === undefined ? undefined : workloadOf(certificate.spiffeId.uri)
    if (!representsWorkload(token)) return new VerifiedIdentity(bearer, userOf(token), token, certificate)
    const service = tokenWorkload(token)
    if (service instanceof Refusal) return service
    if (bearer !== undefined && bearer.id !== service.id) {
      return new Refusal('identity_mismatch', {
        issuer: token.issuer.issuer,
        expected: `a token of ${quoted(bearer.id)}, whom the certificate names`,
        actual: `a token of ${quoted(service.id)}`,
        advice:
          'have the caller present its own token, or have the issuer put its SPIFFE ID into `workloadClaim`',
      })
    }
    return new VerifiedIdentity(service, undefined, token, certificate)
  }
}

function representsWorkload({ issuer, claims }: TokenVerification): boolean {
  return issuer.represents === 'auto' ? claims.sub === claims.client_id : issuer.represents === 'workload'
}

const workloadOf = (spiffeId: string): Workload => ({
  id: spiffeId,
  spiffeId,
  issuer: undefined,
  clientId: undefined,
})

// An issuer has no fragment (RFC 8414 §2), so neither part can run into the other.
const userOf = ({ claims }: TokenVerification): User => ({
  id: `${claims.iss}#sub=${claims.sub}`,
  issuer: claims.iss,
  subject: claims.sub,
})

function tokenWorkload({ claims, issuer }: TokenVerification): Workload | Refusal {
  const { iss, client_id: clientId } = claims
  const spiffeId = issuer.workload === undefined ? undefined : claims.all[issuer.workload.claim]
  if (issuer.workload === undefined || spiffeId === undefined) {
    return { id: `${iss}#client=${clientId}`, spiffeId: undefined, issuer: iss, clientId }
  }
  const parsed = typeof spiffeId === 'string' ? parseSpiffeId(spiffeId) : undefined
  // An issuer speaks only for the trust domains it was given: it must not name a workload of another one.
  if (parsed === undefined || parsed.path === '' || !issuer.workload.trustDomains.has(parsed.trustDomain)) {
    return new Refusal('workload_not_assertable', {
      issuer: iss,
      expected: `\`${issuer.workload.claim}\`: a SPIFFE ID in ${[...issuer.workload.trustDomains].map(quoted).join(' or ')}`,
      actual: quoted(spiffeId),
    })
  }
  return { id: parsed.uri, spiffeId: parsed.uri, issuer: iss, clientId }
}
