import { takeExtensions, type CertificateExtensions } from './certificate-extensions.ts'
import { contextContainer, DerReader, MalformedDer, requireDer, tags } from './der.ts'
import { hexOf, smallNumberOf, takeBits, takeInteger, takeTime } from './der-values.ts'
import { takeName, type DistinguishedName } from './distinguished-name.ts'

/** The fields of a certificate (RFC 5280 §4.1). */
export interface CertificateFields {
  /** Hexadecimal, without octets of leading zeros: empty for zero. */
  readonly serialNumber: string
  /** DER of the AlgorithmIdentifier, the same inside and outside of what is signed. */
  readonly signatureAlgorithm: Uint8Array
  readonly issuer: DistinguishedName
  /** The issuer's name as it is written, in DER: OCSP asks by a hash of it (RFC 6960 §4.1.1). */
  readonly issuerDer: Uint8Array
  readonly subject: DistinguishedName
  /** The subject's name as it is written, in DER: servers name their authorities so (RFC 8446 §4.2.4). */
  readonly subjectDer: Uint8Array
  /** Milliseconds since the epoch; both ends are inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number
  readonly notAfter: number
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly extensions: CertificateExtensions
}

/** Reads every octet of a certificate, once. Throws `MalformedDer`. */
export function readCertificateFields(der: Uint8Array): CertificateFields {
  requireDer(der)
  const file = new DerReader(der)
  const certificate = file.enter(tags.sequence)
  file.end()
  const signed = certificate.enter(tags.sequence)
  const outerAlgorithm = certificate.take().whole
  takeBits(certificate)
  certificate.end()
  const fields = readSigned(signed)
  // RFC 5280 §4.1.1.2: what is not signed says nothing of its own.
  if (Buffer.compare(outerAlgorithm, fields.signatureAlgorithm) !== 0) {
    throw new MalformedDer('two signature algorithms that differ')
  }
  return fields
}

function readSigned(reader: DerReader): CertificateFields {
  requireVersion3(reader)
  const serialNumber = takeSerialNumber(reader)
  const signatureAlgorithm = reader.take().whole
  const issuerDer = reader.take().whole
  const issuer = takeName(new DerReader(issuerDer))
  const validity = reader.enter(tags.sequence)
  const [notBefore, notAfter] = [takeTime(validity), takeTime(validity)]
  validity.end()
  const subjectDer = reader.take().whole
  const subject = takeName(new DerReader(subjectDer))
  const spki = reader.take().whole
  // Unique identifiers, [1] and [2], are of X.509 version 2 and must not be used (RFC 5280 §4.1.2.8).
  const extensions = reader.isAtEnd ? noExtensions : takeExtensions(reader.enter(contextContainer(3)))
  reader.end()
  return {
    serialNumber,
    signatureAlgorithm,
    issuer,
    issuerDer,
    subject,
    subjectDer,
    notBefore,
    notAfter,
    spki,
    extensions,
  }
}

// Older versions have no extensions, and so cannot say who is an authority and who is not.
function requireVersion3(reader: DerReader): void {
  const version = reader.takeOptional(contextContainer(0))
  const inner = version && new DerReader(version)
  if (inner === undefined || smallNumberOf(inner.takeTagged(tags.integer)) !== 2) {
    throw new MalformedDer('a certificate of another version than 3')
  }
  inner.end()
}

/**
 * A serial number in hexadecimal, without a leading octet of zeros: not negative, and at most 20 octets (RFC 5280 §4.1.2.2). Some
 * roots have zero, which nothing but a root may have.
 */
export function takeSerialNumber(reader: DerReader): string {
  const serial = takeInteger(reader)
  const [first = 0] = serial
  if (first >= 0x80) throw new MalformedDer('a serial number that is negative')
  if (serial.length > 20) throw new MalformedDer('a serial number of more than 20 octets')
  return hexOf(first === 0 ? serial.subarray(1) : serial)
}

const noExtensions: CertificateExtensions = new Map()
