import type { CertificateEncoding } from '../evidence/forwarded/certificate-headers.ts'

/** A kind of proxy that ends TLS in front of this service and says who called it. The presets write this. */
export type ForwardedOptions = CertificateHeaderOptions | XfccOptions

/** A proxy that forwards the client's certificate in a header of its own. */
export interface CertificateHeaderOptions extends RelationshipOptions {
  /** How the certificate is written. It is never guessed from what a request holds. */
  readonly format: CertificateEncoding
  /** The header that the proxy sets, for every request, to the certificate. */
  readonly header: string
  /** The header with what the client presented behind its certificate. Default: none, then `certificates.intermediates` complete paths. */
  readonly chainHeader?: string
  /**
   * Headers in which the proxy says whether it verified the certificate: their value if it did, and if the client has none. Each
   * must be there with a certificate.
   */
  readonly verification?: readonly {
    readonly header: string
    readonly verified: string
    readonly none: string
  }[]
}

/** Envoy, by `x-forwarded-client-cert`. */
export interface XfccOptions extends RelationshipOptions {
  readonly format: 'xfcc'
  /**
   * The SPIFFE ID of the proxy that talks to this service: `By` of the last element. Without it the field must have one element,
   * which is what Envoy writes with `SANITIZE_SET`.
   */
  readonly self?: string
  /** SPIFFE IDs of proxies before that one whose word on their own callers counts, the one that callers talk to first. Default: none. */
  readonly relays?: readonly string[]
}

interface RelationshipOptions {
  /** Who the proxy is, told by the connection or by a secret. What anybody else forwards is deleted. */
  readonly from: TrustedProxy
  /**
   * Trust domains whose workloads the proxy has verified itself: its word is taken, and no path is validated here. Default: none, so
   * that forwarded certificates are verified like those of connections.
   */
  readonly verifiedByProxy?: readonly [string, ...string[]]
  /** What is done with the headers of others: deleted, counted and reported (default), or the request is refused as well. */
  readonly untrusted?: 'delete' | 'refuse'
  /** Whose sidecar it is, so that a refusal can ask what usually is the matter. */
  readonly sidecarOf?: 'istio'
}

/** How a proxy is told from everybody else. The strongest first; each is one property. */
export type TrustedProxy =
  | {
      /** SPIFFE IDs of the certificate that the proxy presents to this service. */
      readonly spiffeId: string | readonly [string, ...string[]]
    }
  | {
      /** Path of the unix socket that this service listens on and only the proxy may open. */
      readonly unixSocket: string
    }
  | {
      /** The header in which the proxy sends a secret, and what it may be: at least 32 octets each, several while one replaces another. */
      readonly secretHeader: string
      readonly secrets: readonly [string, ...string[]]
    }
  | {
      /**
       * Addresses and ranges from which nobody but the proxy can connect, such as `10.0.7.0/24`. The last resort: whoever else gets to
       * send from there is believed.
       */
      readonly addresses: readonly [string, ...string[]]
    }

/** What the presets have in common: who the proxy is, and what is done with what others send. */
export type ProxyPresetOptions = Pick<RelationshipOptions, 'from' | 'verifiedByProxy' | 'untrusted'>

/** Forwarding that needs no roots here, since the proxy verifies all by itself. */
export type VouchedForwarding = ForwardedOptions & {
  readonly verifiedByProxy: readonly [string, ...string[]]
}
