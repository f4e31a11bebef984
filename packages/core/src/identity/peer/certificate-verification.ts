import type { SpiffeId } from '../certificate/spiffe-id.ts'
import type { VerifiedCertificate } from '../certificate/verify-certificate.ts'

/** A verified client certificate. Made once, then asked on every request whether it still holds. */
export class CertificateVerification {
  /** Canonical: a SPIFFE ID, or `x509:<authority>#<kind>=<name>`. */
  readonly id: string
  readonly spiffeId: SpiffeId | undefined
  /** Milliseconds since the epoch: the end of the path, or of what is known of its revocation. */
  readonly expiresAt: number
  readonly #notBefore: number
  readonly #isFounded: (nowMs: number) => boolean

  /** `isFounded`: whether what it rests on is what it was, such as the roots and the lists of what is revoked. */
  constructor(
    { id, spiffeId, notBefore, notAfter }: Omit<VerifiedCertificate, 'path'>,
    isFounded: (nowMs: number) => boolean,
  ) {
    this.id = id
    this.spiffeId = spiffeId
    this.expiresAt = notAfter
    this.#notBefore = notBefore
    this.#isFounded = isFounded
  }

  isAlive(nowMs: number): boolean {
    return nowMs <= this.expiresAt && nowMs >= this.#notBefore && this.#isFounded(nowMs)
  }
}
