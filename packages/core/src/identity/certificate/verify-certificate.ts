import { Refusal } from '../../refusal.ts'
import { textNames } from './general-names.ts'
import { verifyNamed, type NamingAuthority } from './verify-named.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'
import type { SpiffeId } from './spiffe-id.ts'
import type { PathQuestion, VerifiedPath } from './validate-path.ts'
import { verifySvid, type Bundles } from './verify-svid.ts'

/** A client certificate that was verified: whom it names, and while it may be relied on. Milliseconds since the epoch. */
export interface VerifiedCertificate {
  /** Canonical: a SPIFFE ID, or `x509:<authority>#<kind>=<name>`. */
  readonly id: string
  readonly spiffeId: SpiffeId | undefined
  readonly path: VerifiedPath
  readonly notBefore: number
  readonly notAfter: number
}

/** What client certificates are held against. A refusal in the place of roots is the answer to those they should vouch for. */
export interface CertificateTrustAnchors {
  readonly bundles: Bundles
  /** Authorities whose certificates are no SVIDs, by name. */
  readonly authorities: readonly NamingAuthority[]
}

/** What a peer presented, and what OpenSSL said of it where TLS accepted the connection in spite of that. */
export interface PresentedCertificate extends Omit<PathQuestion, 'anchors' | 'purpose'> {
  readonly tlsError: string | undefined
}

/** Verifies what a peer presented at a time: as an X.509-SVID, or against the authorities that name its kind. */
export function verifyCertificate(
  presented: PresentedCertificate,
  { bundles, authorities }: CertificateTrustAnchors,
): VerifiedCertificate | Refusal {
  const verified = isForSvid(presented.leaf, authorities.length)
    ? withId(verifySvid(presented, bundles, 'clientAuth'))
    : verifyNamed(presented, authorities)
  return verified instanceof Refusal ? verified : (tlsFlaw(presented) ?? verified)
}

// INVARIANT: whoever has a SPIFFE ID is verified as an SVID or not at all: no other name stands in for a bad one.
function isForSvid({ subjectAltNames }: ParsedCertificate, authorityCount: number): boolean {
  if (authorityCount === 0 || subjectAltNames === 'unreadable') return true
  return textNames(subjectAltNames, 'uri').some((uri) => /^spiffe:/i.test(uri))
}

const withId = (svid: ReturnType<typeof verifySvid>): VerifiedCertificate | Refusal =>
  svid instanceof Refusal ? svid : { id: svid.spiffeId.uri, ...svid }

/** What OpenSSL holds against a certificate that our own validation does not answer. */
export const tlsFlaw = ({ tlsError }: Pick<PresentedCertificate, 'tlsError'>): Refusal | undefined =>
  tlsError === undefined || ourBusiness.has(tlsError)
    ? undefined
    : new Refusal('certificate_rejected_by_tls', {
        expected: 'a certificate that TLS accepts',
        actual: tlsError,
      })

/**
 * Complaints that only say that OpenSSL found no path of its own, or found one out of time: our validation has just
 * answered both. Any other, a revocation above all, stands.
 */
const ourBusiness: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
])
