import { hash } from 'node:crypto'
import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { Refusal } from '../../refusal.ts'
import { VerificationCache } from '../../cache/verification-cache.ts'
import type { SpiffeId } from './spiffe-id.ts'
import type { NamingAuthority } from './verify-named.ts'
import type { VerifiedCertificate, VerifyCertificate } from './verify-certificate.ts'

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

/** A certificate in both its forms. */
export interface CertificatePem {
  readonly der: Uint8Array
  readonly pem: string
}

interface CertificateTrustOptions {
  /** Trust domain → its roots. */
  readonly bundles: ReadonlyMap<string, readonly CertificatePem[]>
  /** Authorities whose certificates are no SVIDs. */
  readonly authorities: readonly NamingAuthority<CertificatePem>[]
  /** Candidates for the middle of a path, trusted for nothing. */
  readonly intermediates: readonly CertificatePem[]
  readonly maxCacheEntries: number
}

/**
 * The trust domains and authorities whose certificates are accepted. What verifies them is loaded when this is configured and not
 * otherwise; until it is there, verification waits.
 */
export class CertificateTrust {
  /** PEM of every root, for the TLS server's own `ca`. */
  readonly pem: readonly string[]
  readonly #cache: VerificationCache<CertificateVerification>
  readonly #loading: Promise<VerifyCertificate>
  #verify: VerifyCertificate | undefined

  constructor(options: CertificateTrustOptions) {
    const roots = [...options.bundles.values(), ...options.authorities.map((one) => one.roots)]
    this.pem = roots.flat().map(({ pem }) => pem)
    this.#cache = new VerificationCache(options.maxCacheEntries)
    this.#loading = this.#load(options)
    this.#loading.catch(() => undefined) // whoever waits for it is told; nobody waiting is no crash
  }

  verify(
    peer: PeerCertificate,
    nowMs: number,
  ): CertificateVerification | Refusal | Promise<CertificateVerification | Refusal> {
    // The digest of the whole leaf is the key. A resumed session shows the leaf alone: its path was found before.
    const digest = hash('sha256', peer.leaf, 'base64url')
    const known = peer.tlsError === undefined ? this.#cache.find(digest, digest, nowMs) : undefined
    if (known !== undefined) return known
    if (this.#verify !== undefined) return this.#insert(this.#verify(peer, nowMs), digest)
    return this.#loading.then((verify) => this.#insert(verify(peer, nowMs), digest))
  }

  /** Resolves when certificates can be verified without waiting. Rejects where what verifies them cannot be loaded. */
  async prepared(): Promise<void> {
    await this.#loading
  }

  #insert(verified: VerifiedCertificate | Refusal, digest: string): CertificateVerification | Refusal {
    if (verified instanceof Refusal) return verified
    const verification = new CertificateVerification(verified)
    this.#cache.insert(digest, digest, verification)
    return verification
  }

  async #load(options: CertificateTrustOptions): Promise<VerifyCertificate> {
    const { createCertificateVerifier } = await import('./verify-certificate.ts')
    this.#verify = createCertificateVerifier(options)
    return this.#verify
  }
}
