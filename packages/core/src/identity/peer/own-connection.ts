import { readPeerCertificate, readThumbprint } from '../../evidence/peer-certificate.ts'
import { Refusal, isOutage } from '../../refusal.ts'
import type { CertificateTrust } from './certificate-trust.ts'
import { CertificateVerification } from './certificate-verification.ts'
import { orUnknownChain } from './resumed-session.ts'
import type { CallerCertificate, Peer } from './peer.ts'

/** A connection that the caller opened itself. Its certificate is verified once, then only asked whether it still holds. */
export class OwnConnection implements Peer {
  readonly forwarded = undefined
  readonly missing: Refusal | undefined
  readonly #socket: object
  readonly #certificates: CertificateTrust | undefined
  /** Undefined until it was looked for. */
  #known: CertificateVerification | Refusal | 'none' | undefined
  #underWay: Promise<CertificateVerification | Refusal> | undefined
  #thumbprint: string | undefined
  #lookedAt = -Infinity
  /** Which generation of trust was asked. */
  #generation = 0

  constructor(socket: object, certificates: CertificateTrust | undefined, missing: Refusal | undefined) {
    this.#socket = socket
    this.#certificates = certificates
    this.missing = missing
  }

  certificate(nowMs: number): CallerCertificate | Promise<CallerCertificate> {
    const known = this.#known
    const trust = this.#certificates
    if (trust === undefined || known === 'none') return undefined
    if (known instanceof Refusal && this.#staysRefused(known, trust, nowMs)) return known
    if (known instanceof CertificateVerification && known.isAlive(nowMs)) return known
    if (this.#underWay !== undefined) return this.#underWay
    const peer = readPeerCertificate(this.#socket)
    if (peer instanceof Refusal) return peer
    if (peer === undefined) {
      this.#known = 'none'
      return undefined
    }
    this.#lookedAt = nowMs
    this.#generation = trust.generation
    const verified = trust.verify(peer, nowMs)
    if (!(verified instanceof Promise)) return (this.#known = orUnknownChain(peer, verified))
    return (this.#underWay = verified.then((settled) => {
      this.#underWay = undefined
      return (this.#known = orUnknownChain(peer, settled))
    }))
  }

  thumbprint(): string | undefined {
    return (this.#thumbprint ??= readThumbprint(this.#socket))
  }

  #staysRefused(refusal: Refusal, { generation }: CertificateTrust, nowMs: number): boolean {
    const retryAfterMs = isOutage(refusal) ? retryOutageAfterMs : retryRefusedAfterMs
    return nowMs < this.#lookedAt + retryAfterMs && nowMs >= this.#lookedAt && generation === this.#generation
  }
}

// A refusal may be one of time alone. Looking again on every request would let a stranger have a path searched for each.
const retryRefusedAfterMs = 10_000
const retryOutageAfterMs = 1000
