import { Refusal } from '../../refusal.ts'
import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { textNames } from './general-names.ts'
import { verifyNamed, type NamingAuthority } from './verify-named.ts'
import { parseCertificate, type ParsedCertificate } from './parsed-certificate.ts'
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

/** What client certificates are held against. */
export interface CertificateTrustAnchors {
  readonly bundles: Bundles
  /** Authorities whose certificates are no SVIDs, by name. */
  readonly authorities: readonly NamingAuthority[]
  /** Candidates for the middle of a path, trusted for nothing. */
  readonly intermediates: readonly ParsedCertificate[]
}

/** Verifies what a peer presented at a time: as an X.509-SVID, or against the authorities that name its kind. */
export function verifyCertificate(
  peer: PeerCertificate,
  { bundles, authorities, intermediates }: CertificateTrustAnchors,
  nowMs: number,
): VerifiedCertificate | Refusal {
  const presented = parsePeer(peer, intermediates, nowMs)
  if (presented instanceof Refusal) return presented
  const verified = isForSvid(presented.leaf, authorities.length)
    ? withId(verifySvid(presented, bundles, 'clientAuth'))
    : verifyNamed(presented, authorities)
  return verified instanceof Refusal ? verified : (tlsFlaw(peer) ?? verified)
}

// INVARIANT: whoever has a SPIFFE ID is verified as an SVID or not at all: no other name stands in for a bad one.
function isForSvid({ subjectAltNames }: ParsedCertificate, authorityCount: number): boolean {
  if (authorityCount === 0 || subjectAltNames === 'unreadable') return true
  return textNames(subjectAltNames, 'uri').some((uri) => /^spiffe:/i.test(uri))
}

function parsePeer(
  peer: PeerCertificate,
  known: readonly ParsedCertificate[],
  nowMs: number,
): Omit<PathQuestion, 'anchors' | 'purpose'> | Refusal {
  const leaf = parseCertificate(peer.leaf)
  if (leaf instanceof Refusal) return leaf
  const intermediates: ParsedCertificate[] = []
  for (const der of peer.chain) {
    const intermediate = parseCertificate(der)
    if (intermediate instanceof Refusal) return intermediate
    intermediates.push(intermediate)
  }
  return { leaf, intermediates: [...intermediates, ...known], nowMs }
}

const withId = (svid: ReturnType<typeof verifySvid>): VerifiedCertificate | Refusal =>
  svid instanceof Refusal ? svid : { id: svid.spiffeId.uri, ...svid }

const tlsFlaw = ({ tlsError }: PeerCertificate): Refusal | undefined =>
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
