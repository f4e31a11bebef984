/**
 * Parts of the verification of certificates for those who need a part: the same code that a guard runs. They answer with a
 * `Refusal` to whatever is wrong with what a peer sent, and throw a `ConfigurationError` if they were asked wrongly.
 */
import { textNames } from './identity/certificate/general-names.ts'
import type { ParsedCertificate } from './identity/certificate/parsed-certificate.ts'
import { peerNameFlaw } from './identity/certificate/peer-name.ts'
import { validatePath as search, validityOf } from './identity/certificate/validate-path.ts'
import { verifySvid } from './identity/certificate/verify-svid.ts'
import { parsePathOptions, type PathOptions } from './options/parse-path-options.ts'
import { parseX509SvidOptions, type X509SvidOptions } from './options/parse-x509-svid-options.ts'
import { Refusal } from './refusal.ts'

export { ConfigurationError } from './configuration-error.ts'
export { parseClientCert, parseClientCertChain } from './evidence/forwarded/client-cert.ts'
export { parseXfcc, type XfccElement } from './evidence/forwarded/xfcc.ts'
export type { CertificatePurpose } from './identity/certificate/path-flaws.ts'
export type { ExpectedName } from './identity/certificate/peer-name.ts'
export { parseSpiffeId, type SpiffeId } from './identity/certificate/spiffe-id.ts'
export type { PathLimits } from './identity/certificate/validate-path.ts'
export type { CertificateSource } from './options/certificate-sources.ts'
export type { CrlSource } from './options/crl-sources.ts'
export { parseSpiffeBundle, type SpiffeBundle } from './options/spiffe-bundle-document.ts'
export { Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
export type { PathOptions, X509SvidOptions }

/** A path that holds: every signature, constraint and usage on it, at the time that was asked about. */
export interface VerifiedPath {
  /** DER, leaf first, trust anchor last. */
  readonly certificates: readonly Uint8Array[]
  /** While all of it is in time, in milliseconds since the epoch; both ends included. */
  readonly notBefore: number
  readonly notAfter: number
  /** The leaf's alternative names of these kinds, in order, byte for byte. */
  readonly names: {
    readonly uris: readonly string[]
    readonly dnsNames: readonly string[]
    readonly emailAddresses: readonly string[]
  }
  readonly [verified]: true
}

declare const verified: unique symbol

/**
 * Validates a path (RFC 5280 §6.1) from a leaf over intermediates in any order to one of the trust anchors: signatures and their
 * algorithms, key strength, validity, basic constraints, path length, key usage, nested extended key usage, name constraints and critical
 * extensions. Every candidate is tried before giving up, within `limits`. With `crls`, no certificate below the anchor may be revoked, or
 * be on a path where that is open (§6.3); without, revocation is not looked at.
 */
export function validatePath(options: PathOptions): VerifiedPath | Refusal {
  const parsed = parsePathOptions(options)
  if (parsed instanceof Refusal) return parsed
  const { question, expectedName } = parsed
  const path = search(question)
  if (path instanceof Refusal) return path
  const flaw = expectedName && peerNameFlaw(question.leaf, expectedName)
  if (flaw !== undefined) return flaw
  const certificates = Object.freeze(path.map(({ der }) => Uint8Array.from(der)))
  const proven = { certificates, ...validityOf(path), names: namesOf(question.leaf) }
  return Object.freeze(proven) as VerifiedPath // every check of the search has passed
}

/** Whom an X.509-SVID names, and while it may be relied on. */
export interface VerifiedX509Svid {
  /** Such as `spiffe://prod.example/ns/shop/sa/checkout`. */
  readonly spiffeId: string
  readonly trustDomain: string
  /** Milliseconds since the epoch; both ends included. */
  readonly notBefore: number
  readonly notAfter: number
  readonly [verified]: true
}

/**
 * Verifies an X.509-SVID (SPIFFE X509-SVID §5) against the bundles of trust domains: exactly one URI name, which is a SPIFFE ID with a
 * path; a leaf that signs nothing; and a path to a root of the very trust domain that it names.
 */
export function verifyX509Svid(options: X509SvidOptions): VerifiedX509Svid | Refusal {
  const parsed = parseX509SvidOptions(options)
  if (parsed instanceof Refusal) return parsed
  const svid = verifySvid(parsed.presented, parsed.bundles, parsed.purpose)
  if (svid instanceof Refusal) return svid
  const { spiffeId, notBefore, notAfter } = svid
  const proven = { spiffeId: spiffeId.uri, trustDomain: spiffeId.trustDomain, notBefore, notAfter }
  return Object.freeze(proven) as VerifiedX509Svid // its path, its time and its names have been checked
}

function namesOf({ subjectAltNames: names }: ParsedCertificate): VerifiedPath['names'] {
  return Object.freeze({
    uris: Object.freeze(textNames(names, 'uri')),
    dnsNames: Object.freeze(textNames(names, 'dns')),
    emailAddresses: Object.freeze(textNames(names, 'email')),
  })
}
