import type { Logger } from '../events/refusal-log.ts'
import type { ResourceOptions } from '../enforcement/resource-metadata.ts'
import type { CertificateIdentity } from '../identity/certificate/verify-named.ts'
import type { IssuerOptions } from './issuer-options.ts'
import type { ContextProvider } from '../policy/context-providers.ts'
import type { Decider } from '../policy/decider.ts'
import type { GrantOptions } from '../policy/grant-options.ts'
import type { PolicySource } from '../policy/policy.ts'
import type { Requirement } from '../policy/requirement.ts'
import type { ForwardedOptions, VouchedForwarding } from './forwarded-options.ts'
import type { DpopOptions } from './parse-dpop.ts'
import type { DocumentSource } from './document-source.ts'
import type { ModeOptions } from './parse-mode.ts'

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
  /**
   * The policy document, in place of `grants`: `policyDocument('./countersign.policy.yaml')` of `@countersign/policy`. It is followed: what it
   * says anew counts from the next request on; what cannot be used leaves the policy before in place, for a day.
   */
  readonly policy?: PolicySource
  /**
   * `enforce`: whatever is refused, is, and no document can loosen that. `observe`: refusals are recorded, and requests let pass, until
   * a day that has to be named. Default: refused, unless the document observes a route or caller.
   */
  readonly mode?: ModeOptions
  /** What conditions may look at as `context.<name>`, from wherever it comes: device, location, risk. */
  readonly context?: Readonly<Record<string, ContextProvider>>
  /** Milliseconds that a request waits for its context, from 1 to 10,000. Default: 100. */
  readonly contextTimeoutMs?: number
  /** Engines that are asked beside requirements and policy, and can only narrow: Cedar, OPA, a relationship store. */
  readonly deciders?: readonly Decider[]
  /**
   * What happens on a route that does not say who may call it: it is refused (default), it also stops the start where the application
   * is sealed before it listens, or it is held to this requirement.
   */
  readonly undeclared?: 'refuse' | 'fail-start' | Requirement
  /**
   * What happens to CORS preflights, which carry no credentials. `refuse` (default): they are requests like any other. `pass`: they go on
   * to the application's own CORS handling, with no caller, and are answered without a body.
   */
  readonly preflight?: 'pass' | 'refuse'
  /** Where refusals are told in words. Default: stderr. `false` is silent. */
  readonly log?: false | Logger
  /** The protection space named in challenges. Default: `countersign`. */
  readonly realm?: string
  /**
   * Verified credentials kept in memory. Default: 10,000 of each kind, and of tokens 64 MiB at most, counting their characters and 512
   * bytes for each.
   */
  readonly cache?: { readonly maxEntries?: number; readonly maxBytes?: number }
  /**
   * What checks signatures of tokens and proofs. `native` (default): OpenSSL at once, in the turn in which a request comes, and on two
   * threads where many come. `webcrypto`: WebCrypto, always on threads. They accept the same; the first costs less.
   */
  readonly signatures?: 'native' | 'webcrypto'
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
  /** Whether certificates were revoked, and what happens where nobody can say. Default: nobody is asked. */
  readonly revocation?: RevocationOptions
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
  readonly revocation?: never
  readonly forwarded: VouchedForwarding
}

/**
 * Trust domain → its roots: PEM, or a SPIFFE bundle in JSON. A domain never vouches for another. Files, URLs (bundle endpoints of
 * the `https_web` profile) and sources of your own are followed: what they say anew counts from the next request on, also on open
 * connections; what cannot be used leaves the roots before in place, for a day.
 */
type TrustDomainOptions = Readonly<Record<string, DocumentSource>>

/** Authorities whose certificates are no X.509-SVIDs, by a name of yours, which is part of the ids of their callers. */
type AuthorityOptions = Readonly<Record<string, CertificateAuthorityOptions>>

/** An authority, and where its certificates have the names of their owners. */
export interface CertificateAuthorityOptions {
  /** Its roots: PEM text, the path of a PEM file, an https URL, or a source of your own. */
  readonly roots: DocumentSource
  /**
   * `dns`: the only DNS name among the alternative names; the caller is `x509:<authority>#dns=<name>`. `{ subject: 'commonName' }`:
   * that attribute of the subject, in certificates without any alternative name; the caller is `x509:<authority>#commonName=<value>`.
   */
  readonly identity: CertificateIdentity
}

/** Where revoked certificates are named. At least one of the two. Every certificate of a path but its root is asked about. */
export interface RevocationOptions {
  /**
   * Certificate revocation lists (RFC 5280 §5): PEM text; the path of a file in PEM or DER; a URL; or a source of your own. They are
   * followed, and a list counts only from its issuer and while it is in time.
   */
  readonly crls?: readonly DocumentSource[]
  /** Responders that may be asked (RFC 6960), where no list says anything. */
  readonly ocsp?: OcspOptions
  /**
   * Where nobody can say whether a certificate was revoked. `hard-fail` (default): the request waits for two seconds at most, and
   * is answered 503. `soft-fail`: the certificate counts, until somebody says that it was revoked.
   */
  readonly mode?: 'hard-fail' | 'soft-fail'
}

/** Which OCSP responders may be asked. */
export interface OcspOptions {
  /**
   * Their URLs; http is usual, since answers are signed. A certificate is asked about where its authorityInfoAccess says, if that URL
   * stands here, and else at the only one; nothing in a certificate leads to another place.
   */
  readonly responders: readonly [string, ...string[]]
  /** Authorities behind the responders' own certificates, where their URLs are https: PEM text, or the path of a PEM file. */
  readonly ca?: string
  /**
   * Whether each question has a nonce of its own (RFC 9654). Default: false, since responders that sign their answers beforehand
   * have none (RFC 5019). An answer may leave it out, but not have another one.
   */
  readonly nonce?: boolean
}

/** Types a house configuration that several services share, without narrowing it. */
export const defineOptions = <const T extends GuardOptions>(options: T): T => options
