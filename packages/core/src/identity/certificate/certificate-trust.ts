import { hash, X509Certificate } from 'node:crypto'
import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { Refusal } from '../../refusal.ts'
import { VerificationCache } from '../../cache/verification-cache.ts'
import type { SpiffeId } from './spiffe-id.ts'
import {
  verifyCertificate,
  type CertificateTrustAnchors,
  type VerifiedCertificate,
} from './verify-certificate.ts'

/** A verified client certificate. Made once, then asked on every request whether it still holds. */
export class CertificateVerification {
  /** Canonical: a SPIFFE ID, or `x509:<authority>#<kind>=<name>`. */
  readonly id: string
  readonly spiffeId: SpiffeId | undefined
  readonly expiresAt: number
  readonly #notBefore: number

  constructor({ id, spiffeId, notBefore, notAfter }: Omit<VerifiedCertificate, 'path'>) {
    this.id = id
    this.spiffeId = spiffeId
    this.expiresAt = notAfter
    this.#notBefore = notBefore
  }

  isAlive(nowMs: number): boolean {
    return nowMs <= this.expiresAt && nowMs >= this.#notBefore
  }
}

/**
 * The trust domains and authorities whose certificates are accepted. The digest of the whole leaf finds what was verified before: a
 * resumed session shows the leaf alone, whose path was found in the full handshake.
 */
export class CertificateTrust {
  readonly #anchors: CertificateTrustAnchors
  readonly #cache: VerificationCache<CertificateVerification>

  constructor(anchors: CertificateTrustAnchors, maxCacheEntries: number) {
    this.#anchors = anchors
    this.#cache = new VerificationCache(maxCacheEntries)
  }

  /** PEM of every root, for the TLS server's own `ca`. */
  get pem(): readonly string[] {
    const { bundles, authorities } = this.#anchors
    const roots = [...bundles.values(), ...authorities.map((one) => one.roots)].flat()
    return roots.map(({ der }) => new X509Certificate(der).toString())
  }

  verify(peer: PeerCertificate, nowMs: number): CertificateVerification | Refusal {
    const digest = hash('sha256', peer.leaf, 'base64url')
    const known = peer.tlsError === undefined ? this.#cache.find(digest, digest, nowMs) : undefined
    if (known !== undefined) return known
    const verified = verifyCertificate(peer, this.#anchors, nowMs)
    if (verified instanceof Refusal) return verified
    const verification = new CertificateVerification(verified)
    this.#cache.insert(digest, digest, verification)
    return verification
  }
}
