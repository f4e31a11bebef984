// The hostile leaf certificates: each is a correct X.509-SVID with one thing wrong, named by its kind.
import type { CertificateOptions } from './certificate-template.ts'
import { hoursFrom } from './certificate-validity.ts'

/** Every kind of broken certificate, for tests that go through them all. */
export const brokenCertificateKinds = [
  'expired',
  'not-yet-valid',
  'two-uri-sans',
  'no-san',
  'cn-only',
  'ca-as-leaf',
  'cert-sign-usage',
  'no-digital-signature',
  'no-key-usage',
  'server-auth-only',
  'unknown-critical-extension',
  'root-path-id',
  'upper-case-trust-domain',
  'foreign-trust-domain',
  'weak-key',
  'sha1-signature',
  'self-signed',
] as const

/** What is wrong with a certificate, in one word. The README's table says it in a sentence. */
export type BrokenCertificateKind = (typeof brokenCertificateKinds)[number]

/** The correct certificate that is to be broken. */
export interface BrokenCertificateContext {
  readonly trustDomain: string
  /** The SPIFFE ID's path, with its leading slash. */
  readonly path: string
  readonly now: Date
}

/** What to change in a correct SVID to make one of this kind. */
export function breakCertificate(
  kind: BrokenCertificateKind,
  context: BrokenCertificateContext,
): CertificateOptions {
  return recipes[kind](context)
}

const recipes: Record<BrokenCertificateKind, (context: BrokenCertificateContext) => CertificateOptions> = {
  /** Was valid until an hour ago. */
  expired: ({ now }) => ({ notBefore: hoursFrom(now, -2), notAfter: hoursFrom(now, -1) }),

  /** Will be valid in half an hour. */
  'not-yet-valid': ({ now }) => ({ notBefore: hoursFrom(now, 0.5) }),

  /** A second SPIFFE ID after the right one. (X.509-SVID §2) */
  'two-uri-sans': ({ trustDomain, path }) => ({
    names: [uri(`spiffe://${trustDomain}${path}`), uri(`spiffe://${trustDomain}/another`)],
  }),

  /** No subject alternative name. */
  'no-san': () => ({ names: [] }),

  /** The SPIFFE ID is in the subject's common name, where nobody may look for it. */
  'cn-only': ({ trustDomain, path }) => ({ names: [], commonName: `spiffe://${trustDomain}${path}` }),

  /** basicConstraints says cA. (X.509-SVID §4.1; OpenSSL lets it pass) */
  'ca-as-leaf': () => ({ basicConstraints: { ca: true } }),

  /** keyUsage adds keyCertSign. (X.509-SVID §4.3) */
  'cert-sign-usage': () => ({ keyUsages: ['digitalSignature', 'keyCertSign'] }),

  /** keyUsage is keyAgreement alone, which OpenSSL's purpose check lets pass. */
  'no-digital-signature': () => ({ keyUsages: ['keyAgreement'] }),

  /** keyUsage is absent. */
  'no-key-usage': () => ({ keyUsages: [] }),

  /** extKeyUsage is there without clientAuth. */
  'server-auth-only': () => ({ purposes: ['serverAuth'] }),

  /** Carries a critical extension that nobody knows. (RFC 5280 §4.2) */
  'unknown-critical-extension': () => ({
    extensions: [{ oid: '1.3.6.1.4.1.55555.1', critical: true, value: Uint8Array.of(0x05, 0x00) }],
  }),

  /** The SPIFFE ID names the trust domain itself, without a path. (X.509-SVID §2) */
  'root-path-id': ({ trustDomain }) => ({ names: [uri(`spiffe://${trustDomain}`)] }),

  /** The trust domain is spelled in upper case. */
  'upper-case-trust-domain': ({ trustDomain, path }) => ({
    names: [uri(`spiffe://${trustDomain.toUpperCase()}${path}`)],
  }),

  /** Names a workload of a trust domain that is not this CA's. */
  'foreign-trust-domain': ({ path }) => ({ names: [uri(`spiffe://foreign.example${path}`)] }),

  /** Its RSA key has 1024 bits. */
  'weak-key': () => ({ keys: 'rsa-1024' }),

  /** Signed with SHA-1. */
  'sha1-signature': () => ({ hash: 'SHA-1' }),

  /** Signed by its own key. */
  'self-signed': () => ({ isSelfSigned: true }),
}

function uri(value: string): { type: 'url'; value: string } {
  return { type: 'url', value }
}
