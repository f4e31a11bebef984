import type { Logger } from '../events/refusal-log.ts'
import type { ResourceOptions } from '../enforcement/resource-metadata.ts'
import type { IssuerOptions } from './issuer-options.ts'
import type { GrantOptions } from '../policy/effective-scopes.ts'
import type { Requirement } from '../policy/requirement.ts'
import type { ForwardedOptions, VouchedForwarding } from './forwarded-options.ts'
import type { DpopOptions } from './parse-dpop.ts'

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
  /** Tokens bound to a key of the caller, which proves in each request that it has it (RFC 9449). */
  readonly dpop?: DpopOptions
  /** Who this service is, for clients that were refused (RFC 9728): its URL, or more about it. */
  readonly resource?: string | ResourceOptions
  /** Issuers and key set URLs, spelled exactly, that may be reached without TLS. Their keys can then be forged in transit. */
  readonly dangerouslyAllowHttp?: readonly string[]
}

/** Which client certificates are accepted: those whose path ends at these roots, or those that a proxy vouches for. */
export type CertificateOptions = WithTrustDomains | WithoutTrustDomains

interface WithTrustDomains {
  /** Trust domain → its roots: PEM text, or the path of a PEM file. A domain never vouches for another. */
  readonly trustDomains: Readonly<Record<string, string>>
  /**
   * Issuing certificates between roots and callers, PEM text or the path of a PEM file. They complete a path that the
   * connection does not show whole: resumed sessions show the leaf alone, and so do some releases of Node. They are
   * trusted for nothing: a path still has to end at a root of the caller's own trust domain.
   */
  readonly intermediates?: string
  /** The proxy that ends TLS in front of this service, and how it says who called it. Default: no proxy is believed. */
  readonly forwarded?: ForwardedOptions
}

interface WithoutTrustDomains {
  readonly trustDomains?: never
  readonly intermediates?: never
  readonly forwarded: VouchedForwarding
}

/** Types a house configuration that several services share, without narrowing it. */
export const defineOptions = <const T extends GuardOptions>(options: T): T => options
