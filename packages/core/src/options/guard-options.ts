import type { Logger } from '../events/refusal-log.ts'
import type { ResourceOptions } from '../enforcement/resource-metadata.ts'
import type { CertificateIdentity } from '../identity/certificate/verify-named.ts'
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
  /** Client certificates of these trust domains and authorities are accepted. Without it, certificates are not looked at. */
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

/**
 * Whose client certificates are accepted: of SPIFFE trust domains, of other authorities, or of both; or those that a proxy has
 * verified and vouches for.
 */
export type CertificateOptions = VerifiedCertificates | VouchedCertificates

type VerifiedCertificates = {
  /**
   * Issuing certificates between roots and callers, PEM text or the path of a PEM file. They complete a path that the
   * connection does not show whole: resumed sessions show the leaf alone, and so do some releases of Node. They are
   * trusted for nothing: a path still has to end at a root that may vouch for the caller.
   */
  readonly intermediates?: string
  /** The proxy that ends TLS in front of this service, and how it says who called it. Default: no proxy is believed. */
  readonly forwarded?: ForwardedOptions
} & (
  | { readonly trustDomains: TrustDomainOptions; readonly authorities?: AuthorityOptions }
  | { readonly trustDomains?: TrustDomainOptions; readonly authorities: AuthorityOptions }
)

interface VouchedCertificates {
  readonly trustDomains?: never
  readonly authorities?: never
  readonly intermediates?: never
  readonly forwarded: VouchedForwarding
}

/**
 * Trust domain → its roots: PEM, or a SPIFFE bundle in JSON; as text, or as the path of a file. A domain never vouches for
 * another.
 */
type TrustDomainOptions = Readonly<Record<string, string>>

/** Authorities whose certificates are no X.509-SVIDs, by a name of yours, which is part of the ids of their callers. */
type AuthorityOptions = Readonly<Record<string, CertificateAuthorityOptions>>

/** An authority, and where its certificates have the names of their owners. */
export interface CertificateAuthorityOptions {
  /** Its roots: PEM text, or the path of a PEM file. */
  readonly roots: string
  /**
   * `dns`: the only DNS name among the alternative names; the caller is `x509:<authority>#dns=<name>`. `{ subject: 'commonName' }`:
   * that attribute of the subject, in certificates without any alternative name; the caller is `x509:<authority>#commonName=<value>`.
   */
  readonly identity: CertificateIdentity
}

/** Types a house configuration that several services share, without narrowing it. */
export const defineOptions = <const T extends GuardOptions>(options: T): T => options
