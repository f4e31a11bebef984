import { hash } from 'node:crypto'
import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { Refusal } from '../../refusal.ts'
import { VerificationCache } from '../../cache/verification-cache.ts'
import type { SpiffeId } from './spiffe-id.ts'
import type { TrustBundles, VerifiedSvid } from './verify-svid.ts'

/** A verified client certificate. Made once, then asked on every request whether it still holds. */
export class CertificateVerification {
  readonly spiffeId: SpiffeId
  readonly expiresAt: number
  readonly #notBefore: number

  constructor({ spiffeId, notBefore, notAfter }: VerifiedSvid) {
    this.spiffeId = spiffeId
    this.expiresAt = notAfter
    this.#notBefore = notBefore
  }

  isAlive(nowMs: number): boolean {
    return nowMs <= this.expiresAt && nowMs >= this.#notBefore
  }
}

type Room = { readonly verify: (peer: PeerCertificate, nowMs: number) => VerifiedSvid | Refusal }

/**
 * The trust domains whose certificates are accepted. The ASN.1 library is large, so it is loaded when this is
 * configured and not otherwise; until it is there, verification waits.
 */
export class CertificateTrust {
  /** PEM of every root of every trust domain, for the TLS server's own `ca`. */
  readonly pem: readonly string[]
  readonly #cache: VerificationCache<CertificateVerification>
  readonly #loading: Promise<Room>
  #room: Room | undefined

  constructor(
    bundles: ReadonlyMap<string, readonly { readonly der: Uint8Array; readonly pem: string }[]>,
    maxEntries: number,
  ) {
    this.pem = [...bundles.values()].flat().map(({ pem }) => pem)
    this.#cache = new VerificationCache(maxEntries)
    this.#loading = this.#load(bundles)
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
    return this.#room === undefined
      ? this.#loading.then((room) => this.#verifyIn(room, peer, digest, nowMs))
      : this.#verifyIn(this.#room, peer, digest, nowMs)
  }

  /** Resolves when certificates can be verified without waiting. Rejects where the ASN.1 library cannot be loaded. */
  async prepared(): Promise<void> {
    await this.#loading
  }

  #verifyIn(
    { verify }: Room,
    peer: PeerCertificate,
    digest: string,
    nowMs: number,
  ): CertificateVerification | Refusal {
    const verified = verify(peer, nowMs)
    if (verified instanceof Refusal) return verified
    const verification = new CertificateVerification(verified)
    this.#cache.insert(digest, digest, verification)
    return verification
  }

  async #load(bundles: ReadonlyMap<string, readonly { readonly der: Uint8Array }[]>): Promise<Room> {
    const [{ verifySvid }, { parseCertificate }] = await Promise.all([
      import('./verify-svid.ts'),
      import('./parsed-certificate.ts'),
    ])
    const parsed: TrustBundles = new Map(
      [...bundles].map(([domain, roots]) => [
        domain,
        roots.map(({ der }) => parseCertificate(der)).filter((root) => root !== undefined),
      ]),
    )
    this.#room = { verify: (peer, nowMs) => verifySvid(peer, parsed, nowMs) }
    return this.#room
  }
}
