import { readPeerCertificate, readThumbprint } from '../evidence/peer-certificate.ts'
import { Refusal } from '../refusal.ts'
import { CertificateVerification, type CertificateTrust } from './certificate/certificate-trust.ts'
import type { CallerCertificate, Peer } from './peer.ts'

/** A connection that the caller opened itself. Its certificate is verified once, then only asked whether it still holds. */
export class OwnConnection implements Peer {
  readonly forwarded = undefined
  readonly missing: Refusal | undefined
  readonly #socket: object
  readonly #certificates: CertificateTrust | undefined
  /** Undefined until it was looked for. */
  #known: CertificateVerification | Refusal | 'none' | undefined
  #thumbprint: string | undefined
  #lookedAt = -Infinity

  constructor(socket: object, certificates: CertificateTrust | undefined, missing: Refusal | undefined) {
    this.#socket = socket
    this.#certificates = certificates
    this.missing = missing
  }

  certificate(nowMs: number): CallerCertificate {
    const known = this.#known
    if (this.#certificates === undefined || known === 'none') return undefined
    if (known instanceof Refusal && this.#staysRefused(nowMs)) return known
    if (known instanceof CertificateVerification && known.isAlive(nowMs)) return known
    const peer = readPeerCertificate(this.#socket)
    if (peer instanceof Refusal) return peer
    if (peer === undefined) {
      this.#known = 'none'
      return undefined
    }
    this.#lookedAt = nowMs
    return (this.#known = this.#certificates.verify(peer, nowMs))
  }

  thumbprint(): string | undefined {
    return (this.#thumbprint ??= readThumbprint(this.#socket))
  }

  #staysRefused(nowMs: number): boolean {
    return nowMs < this.#lookedAt + retryAfterMs && nowMs >= this.#lookedAt
  }
}

// A refusal may be one of time alone. Looking again on every request would let a stranger have a path searched for each.
const retryAfterMs = 10_000
