import { X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** All that a verifier looks at in a certificate, so that one comparison shows what differs and that nothing else does. */
export interface CertificateDescription {
  readonly subject: string
  readonly names: readonly string[]
  readonly ca: boolean
  readonly keyUsages: readonly string[] | undefined
  readonly purposes: readonly string[]
  /** Names of the critical extensions. */
  readonly critical: readonly string[]
  /** OIDs of extensions that are not in every certificate of the test CA. */
  readonly unknownExtensions: readonly string[]
  readonly key: string
  /** The algorithm, as Web Crypto names it. */
  readonly signature: unknown
  readonly isSignedByItself: boolean
  readonly isValid: boolean
}

/** Reads PEM or DER, as of a moment. The facts come from the certificate's own bytes, by `@peculiar/x509` and by OpenSSL. */
export function describeCertificate(
  certificate: Uint8Array | string,
  at: Date = issuedAt,
): CertificateDescription {
  const openssl = new X509Certificate(certificate)
  const parsed = new x509.X509Certificate(openssl.raw)
  const usages = parsed.getExtension(x509.KeyUsagesExtension)?.usages
  const { asymmetricKeyType, asymmetricKeyDetails } = openssl.publicKey
  return {
    subject: openssl.subject,
    names:
      parsed
        .getExtension(x509.SubjectAlternativeNameExtension)
        ?.names.items.map(({ type, value }) => `${type}:${value}`) ?? [],
    // Not `openssl.ca`: that one says false of a cA without keyCertSign.
    ca: parsed.getExtension(x509.BasicConstraintsExtension)?.ca ?? false,
    keyUsages:
      usages === undefined ? undefined : keyUsageNames.filter((usage) => usages & x509.KeyUsageFlags[usage]),
    purposes: (openssl.keyUsage ?? []).map((oid) => extensionNames[oid] ?? oid),
    critical: parsed.extensions
      .filter(({ critical }) => critical)
      .map(({ type }) => extensionNames[type] ?? type),
    unknownExtensions: parsed.extensions.map(({ type }) => type).filter((type) => !(type in extensionNames)),
    key: `${asymmetricKeyType} ${asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength}`,
    signature: parsed.signatureAlgorithm,
    isSignedByItself: openssl.verify(openssl.publicKey),
    isValid: parsed.notBefore <= at && at <= parsed.notAfter,
  }
}

/** When the CAs of these tests issue. */
export const issuedAt: Date = new Date('2031-05-01T12:00:00Z')

const keyUsageNames = ['digitalSignature', 'keyAgreement', 'keyCertSign', 'cRLSign'] as const
const extensionNames: Record<string, string> = {
  '2.5.29.19': 'basicConstraints',
  '2.5.29.15': 'keyUsage',
  '2.5.29.37': 'extKeyUsage',
  '2.5.29.17': 'subjectAltName',
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.35': 'authorityKeyIdentifier',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '2.5.29.37.0': 'any',
}
