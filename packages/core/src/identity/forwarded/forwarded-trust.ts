import type { ForwardedFormat } from '../../evidence/forwarded/forwarded-client.ts'
import { rivalOf } from '../../evidence/forwarded/read-field.ts'
import type { HeaderField } from '../../request/identity-headers.ts'
import type { InboundRequest } from '../../request/inbound-request.ts'
import { Refusal } from '../../refusal.ts'
import type { CertificateTrust } from '../peer/certificate-trust.ts'
import type { CertificateVerification } from '../peer/certificate-verification.ts'
import type { Peer } from '../peer/peer.ts'
import { ForwardedPeer, type VerifyClient } from './forwarded-peer.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

interface ForwardedTrustOptions {
  readonly proxies: TrustedProxies
  readonly format: ForwardedFormat
  /** Validates a path to a root, or takes the word of a proxy that has done so. */
  readonly verify: VerifyClient
  /** Whether headers of somebody who is no trusted proxy refuse the request, and are not only deleted. */
  readonly refusesStrangers: boolean
  /** What to look at where the proxy forwards nothing. */
  readonly adviceWhereAbsent: string | undefined
}

/** The relationship with the one kind of proxy that may say who calls: who it is, how it says it, and what that is worth. */
export class ForwardedTrust {
  /** Lower-case names of the headers that it needs and no handler may see. */
  readonly headers: readonly string[]
  /** The refusal of a request that came past the proxy, without any credential. */
  readonly missingDirectly: Refusal
  readonly #missing: Refusal
  readonly #word: ConstructorParameters<typeof ForwardedPeer>[1]
  readonly #options: ForwardedTrustOptions

  constructor(options: ForwardedTrustOptions) {
    const { format, proxies, verify, adviceWhereAbsent } = options
    this.#options = options
    this.#word = {
      read: (fields) => rivalOf(fields, format.headers) ?? format.read(fields),
      verify,
    }
    this.headers = [...format.headers, ...(proxies.secretHeader === undefined ? [] : [proxies.secretHeader])]
    this.missingDirectly = missing(
      'none, from somebody whom `certificates.forwarded.from` does not name',
      adviceWhereAbsent,
    )
    this.#missing = missing('none, through a trusted proxy that forwards no certificate', adviceWhereAbsent)
  }

  /** Whether the connection's own certificate has to be verified before anything else. */
  get needsCertificate(): boolean {
    return this.#options.proxies.needsCertificate
  }

  /** Whether a trusted proxy sent this request. */
  isProxied(
    request: InboundRequest,
    fields: readonly HeaderField[],
    certificate: CertificateVerification | Refusal | undefined,
  ): boolean {
    return this.#options.proxies.includes(request, fields, certificate)
  }

  /** Why a request is refused whose headers nobody trusted has sent; undefined where they are only passed over. */
  refuseStranger(fields: readonly HeaderField[]): Refusal | undefined {
    return this.#options.refusesStrangers && fields.length > 0 ? stranger : undefined
  }

  /** The client of whom a trusted proxy speaks: verified as if it had connected itself, or by the proxy's word where that counts. */
  clientOf(fields: readonly HeaderField[]): Peer {
    return new ForwardedPeer(fields, this.#word, this.#missing)
  }
}

/** Verifies forwarded certificates by the same path validation as those of connections. */
export const verifiedByPath =
  (trust: CertificateTrust): VerifyClient =>
  ({ certificate }, nowMs) =>
    certificate === undefined ? nameAlone : trust.verify(certificate, nowMs)

const missing = (actual: string, advice: string | undefined): Refusal =>
  new Refusal('credential_missing', {
    expected: 'a credential',
    actual,
    advice:
      advice ??
      'have the proxy ask its clients for certificates and forward them as the preset says; or have the caller send `Authorization: Bearer <token>`',
  })

const stranger = new Refusal('forwarded_certificate_untrusted', {
  expected: 'certificate headers from whom `certificates.forwarded.from` names',
  actual: 'from somebody else',
  advice: 'if this was the proxy, correct `from`; if not, somebody tries to pass for a caller',
})
const nameAlone = new Refusal('forwarded_certificate_unverified', {
  expected: 'the certificate itself, to be verified here',
  actual: 'a name alone',
  advice:
    'have the proxy forward the certificate (Envoy: `cert: true, chain: true`), or write `verifiedByProxy` if its word is enough',
})
