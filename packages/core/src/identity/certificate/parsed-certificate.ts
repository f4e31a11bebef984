import { X509Certificate, type KeyObject } from 'node:crypto'
import { Refusal } from '../../refusal.ts'
import { isStrongKey, isStrongSignature } from './certificate-algorithms.ts'
import {
  extensionOids,
  parseAuthorityKeyId,
  parseBasicConstraints,
  parseKeyUsage,
  parseOids,
  parseSubjectKeyId,
  readExtension,
  requireOidEntries,
  type CertificateExtensions,
  type KeyUsage,
} from './certificate-extensions.ts'
import { readCertificateFields, type CertificateFields } from './certificate-fields.ts'
import { MalformedDer } from './der.ts'
import { parseSubjectAltNames, type SubjectAltNames } from './general-names.ts'
import { parseNameConstraints, type NameConstraints } from './name-constraints.ts'

/** What path validation needs to know of a certificate, parsed once. Nothing in it is proven. */
export interface ParsedCertificate extends CertificateFields {
  readonly der: Uint8Array
  /** False for SHA-1, MD5, DSA and anything else outside the list of `certificate-algorithms.ts`. */
  readonly isSignedStrongly: boolean
  readonly hasStrongKey: boolean
  readonly isCa: boolean
  readonly pathLength: number | undefined
  /** Undefined where the extension is absent, which allows every use. */
  readonly keyUsage: KeyUsage | undefined
  /** Object identifiers; undefined where the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | undefined
  /** Undefined where the extension is absent. Names that cannot be read are none, and no path may have them. */
  readonly subjectAltNames: SubjectAltNames | 'unreadable' | undefined
  readonly nameConstraints: NameConstraints | 'unreadable' | undefined
  /** Hexadecimal hints for finding the issuer. Whoever signs a certificate writes what it likes into them. */
  readonly subjectKeyId: string | undefined
  readonly authorityKeyId: string | undefined
  /** Object identifier of an extension that constrains the path in a way that is not understood here. */
  readonly unsupportedExtension: string | undefined
  /** True where its issuer has the same name: a new key of an old authority (RFC 5280 §6.1). */
  readonly isSelfIssued: boolean
  readonly publicKey: KeyObject
  isSignedBy(issuer: ParsedCertificate): boolean
}

/**
 * Parses a certificate from DER, or says what in it is not as DER and RFC 5280 §4 demand. `read`: what OpenSSL has made of these very octets,
 * if it has.
 */
export function parseCertificate(der: Uint8Array, read?: X509Certificate): ParsedCertificate | Refusal {
  try {
    if (der.length > maxBytes) throw new MalformedDer(`more than ${maxBytes} octets`)
    const fields = readCertificateFields(der)
    const isStrong = isStrongKey(fields.spki)
    const parsed = readExtensions(fields)
    requireNames(fields, parsed)
    return { ...fields, ...parsed, ...withOpenSsl(der, read), der, hasStrongKey: isStrong }
  } catch (error) {
    if (error instanceof MalformedDer) return malformed(error.message)
    throw error
  }
}

function readExtensions(fields: CertificateFields) {
  const { extensions, issuer, subject } = fields
  const read = <T>(oid: string, parse: (der: Uint8Array) => T): T | undefined =>
    readExtension(extensions, oid, parse)
  const { isCa = false, pathLength } = read(extensionOids.basicConstraints, parseBasicConstraints) ?? {}
  // Not evaluated, and still no place for junk.
  read(extensionOids.certificatePolicies, requireOidEntries)
  read(extensionOids.authorityInfoAccess, requireOidEntries)
  return {
    isSignedStrongly: isStrongSignature(fields.signatureAlgorithm),
    isCa,
    pathLength,
    keyUsage: read(extensionOids.keyUsage, parseKeyUsage),
    extendedKeyUsage: read(extensionOids.extKeyUsage, parseOids),
    ...readNames(extensions),
    subjectKeyId: read(extensionOids.subjectKeyIdentifier, parseSubjectKeyId),
    authorityKeyId: read(extensionOids.authorityKeyIdentifier, parseAuthorityKeyId),
    unsupportedExtension: findUnsupported(extensions, isCa),
    isSelfIssued: issuer.comparable === subject.comparable,
  }
}

// Names that cannot be read are told from a certificate that is none: which of them count is for others to say.
function readNames(
  extensions: CertificateExtensions,
): Pick<ParsedCertificate, 'subjectAltNames' | 'nameConstraints'> {
  const names = extensions.get(extensionOids.subjectAltName)
  const constraints = extensions.get(extensionOids.nameConstraints)
  return {
    subjectAltNames: names && (parseSubjectAltNames(names.value) ?? 'unreadable'),
    nameConstraints: constraints && (parseNameConstraints(constraints.value) ?? 'unreadable'),
  }
}

// Every critical extension must be understood (RFC 5280 §4.2). Constraints count even where they are not marked so: passing over
// them would let a constrained authority do what it likes. Name constraints have no meaning outside of an authority.
function findUnsupported(extensions: CertificateExtensions, isCa: boolean): string | undefined {
  for (const [oid, { isCritical }] of extensions) {
    const isUnderstood = understood.has(oid) && (oid !== extensionOids.nameConstraints || isCa)
    if (!isUnderstood && (isCritical || constraining.has(oid))) return oid
  }
  return undefined
}

// RFC 5280 §4.1.2.4, §4.1.2.6, §4.2.1.6: whoever issues has a name, and who has no other name has an alternative one.
function requireNames(
  { issuer, subject, extensions }: CertificateFields,
  { isCa }: { readonly isCa: boolean },
): void {
  if (issuer.comparable === '') throw new MalformedDer('no issuer')
  if (subject.comparable !== '') return
  const isNamedOtherwise = extensions.get(extensionOids.subjectAltName)?.isCritical === true
  if (isCa || !isNamedOtherwise) throw new MalformedDer('no subject, and no critical name in its place')
}

// OpenSSL reads the same octets as well, for the key and the signature: what it cannot read is none.
function withOpenSsl(
  der: Uint8Array,
  read: X509Certificate | undefined,
): Pick<ParsedCertificate, 'publicKey' | 'isSignedBy'> {
  try {
    const certificate = read ?? new X509Certificate(der)
    const { publicKey } = certificate
    let signer: KeyObject | undefined
    return {
      publicKey,
      // INVARIANT: a fact of these octets and that key, which neither time nor trust changes: whether the issuer counts is asked
      // elsewhere, and each time. So an intermediate that is kept is verified once, whatever number of leaves it has issued.
      isSignedBy(issuer) {
        if (signer === issuer.publicKey) return true
        const isSigned = certificate.verify(issuer.publicKey)
        if (isSigned) signer = issuer.publicKey
        return isSigned
      },
    }
  } catch {
    throw new MalformedDer('something that OpenSSL cannot read, such as a key that is no key')
  }
}

const malformed = (what: string): Refusal =>
  new Refusal('certificate_malformed', {
    expected: 'certificates in strict DER, after RFC 5280',
    actual: what,
  })

const constraining: ReadonlySet<string> = new Set([
  extensionOids.nameConstraints,
  extensionOids.policyConstraints,
])
const understood: ReadonlySet<string> = new Set([
  extensionOids.keyUsage,
  extensionOids.subjectAltName,
  extensionOids.basicConstraints,
  extensionOids.nameConstraints,
  // Any policy is acceptable, so policies only matter to constraints of policies.
  extensionOids.certificatePolicies,
  extensionOids.extKeyUsage,
])
const maxBytes = 16 * 1024
