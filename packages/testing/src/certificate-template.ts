import type { CertificateKeyKind } from './certificate-keys.ts'
import { defaultValidity } from './certificate-validity.ts'

/** Everything a test certificate says. */
export interface CertificateTemplate {
  /** The subject's only attribute. */
  readonly commonName: string
  /** The subject alternative names: `url` (a SPIFFE ID), `dns` or `ip`. None leaves the extension out. */
  readonly names: readonly { readonly type: 'url' | 'dns' | 'ip'; readonly value: string }[]
  /** The first moment at which it is valid, to the second. */
  readonly notBefore: Date
  /** The last moment at which it is valid, to the second. */
  readonly notAfter: Date
  /** Whether it may sign others, and how many may stand between it and a leaf. Critical. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength?: number }
  /** What its key may be used for. Critical; none leaves the extension out. */
  readonly keyUsages: readonly ('digitalSignature' | 'keyAgreement' | 'keyCertSign' | 'cRLSign')[]
  /** The extended key usages. None leaves the extension out. */
  readonly purposes: readonly ('serverAuth' | 'clientAuth' | 'any')[]
  /** Further extensions; `value` is the DER inside the extension's octet string. */
  readonly extensions: readonly {
    readonly oid: string
    readonly critical: boolean
    readonly value: Uint8Array
  }[]
  /** The kind of its own key. */
  readonly keys: CertificateKeyKind
  /** The hash of the issuer's signature. */
  readonly hash: 'SHA-256' | 'SHA-1'
  /** Signed by its own key, whoever issues it. */
  readonly isSelfSigned: boolean
}

/** How a certificate differs from the correct one that would be made by default. */
export interface CertificateOptions extends Partial<CertificateTemplate> {
  /** The moment of issue: `notBefore` is a minute earlier, `notAfter` an hour later. Default: the CA's `now`. */
  readonly now?: Date
}

/** The template of a CA, as everything below it needs it. */
export function draftAuthority(commonName: string, keys: CertificateKeyKind, now: Date): CertificateTemplate {
  return {
    ...draftLeaf([], keys, now),
    commonName,
    basicConstraints: { ca: true },
    keyUsages: ['keyCertSign', 'cRLSign'],
    purposes: [],
  }
}

/** The template of a leaf with these names, good for both ends of a connection. */
export function draftLeaf(
  names: CertificateTemplate['names'],
  keys: CertificateKeyKind,
  now: Date,
): CertificateTemplate {
  return {
    commonName: 'Test workload',
    names,
    ...defaultValidity(now),
    basicConstraints: { ca: false },
    keyUsages: ['digitalSignature'],
    purposes: ['serverAuth', 'clientAuth'],
    extensions: [],
    keys,
    hash: 'SHA-256',
    isSelfSigned: false,
  }
}
