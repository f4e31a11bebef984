import type { Logger } from '../events/refusal-log.ts'
import type { Represents } from '../identity/trust/trusted-issuer.ts'
import type { Algorithm } from '../identity/trust/algorithms.ts'
import type { GrantOptions } from '../policy/effective-scopes.ts'
import type { Requirement } from '../policy/requirement.ts'

/** How a guard is set up: which credentials count, what callers may do, and what is said of it. */
export type GuardOptions = CommonOptions & (WithIssuers | WithoutIssuers)

/** As soon as tokens are accepted, it must be said for whom they have to be meant. */
interface WithIssuers {
  /** Who may issue access tokens: an issuer's URL, or more about it. */
  readonly issuers: readonly [string | IssuerOptions, ...(string | IssuerOptions)[]]
  /** This service's own name in `aud`. One of several is enough. */
  readonly audience: string | readonly [string, ...string[]]
}

interface WithoutIssuers {
  readonly issuers?: never
  readonly audience?: never
}

interface CommonOptions {
  /** Client certificates (X.509-SVIDs) of these trust domains are accepted. Without it, certificates are not looked at. */
  readonly certificates?: CertificateOptions
  /** Which caller may use which scopes: `{ 'spiffe://prod.example/ns/shop/sa/checkout': ['orders:read'] }`. */
  readonly grants?: GrantOptions
  /** What happens on a route that does not say who may call it: refused (default), or held to this requirement. */
  readonly undeclared?: 'refuse' | Requirement
  /** Where refusals are told in words. Default: stderr. `false` is silent. */
  readonly log?: false | Logger
  /** The protection space named in challenges. Default: `countersign`. */
  readonly realm?: string
  /** Verified credentials kept in memory. Default: 10,000 of each kind. */
  readonly cache?: { readonly maxEntries?: number }
  /** Seconds by which clocks may differ, from 0 to 300. Default: 30. */
  readonly clockToleranceSeconds?: number
  /** Issuers and key set URLs, spelled exactly, that may be reached without TLS. Their keys can then be forged in transit. */
  readonly dangerouslyAllowHttp?: readonly string[]
}

export interface IssuerOptions {
  /** The `iss` of its tokens, character by character. Its keys are discovered from here unless said otherwise. */
  readonly issuer: string
  /** Where its keys are, if discovery must not be used. */
  readonly jwksUri?: string
  /** Its keys themselves (RFC 7517). Nothing is fetched then. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** PEM of the authorities behind the issuer's own HTTPS certificate, where those are private. */
  readonly ca?: string
  /** Audience of this issuer's tokens, where it differs from the guard's. */
  readonly audience?: string | readonly [string, ...string[]]
  /** Signature algorithms it may use. Default: RS256, PS256, ES256, Ed25519 and its old name EdDSA. */
  readonly algorithms?: readonly [Algorithm, ...Algorithm[]]
  /**
   * What its tokens stand for. Default `auto`: a workload where `sub` equals `client_id`, a user otherwise. Say it
   * where the issuer lets users choose a subject that could equal a client's id.
   */
  readonly represents?: Represents
  /** The claim that names a workload by SPIFFE ID. Needs `trustDomains`. */
  readonly workloadClaim?: string
  /** The trust domains whose workloads this issuer may name. */
  readonly trustDomains?: readonly [string, ...string[]]
}

export interface CertificateOptions {
  /** Trust domain → its roots: PEM text, or the path of a PEM file. A domain never vouches for another. */
  readonly trustDomains: Readonly<Record<string, string>>
  /**
   * Issuing certificates between roots and callers, PEM text or the path of a PEM file. They complete a path that the
   * connection does not show whole: resumed sessions show the leaf alone, and so do some releases of Node. They are
   * trusted for nothing: a path still has to end at a root of the caller's own trust domain.
   */
  readonly intermediates?: string
}

/** Types a house configuration that several services share, without narrowing it. */
export const defineOptions = <const T extends GuardOptions>(options: T): T => options
