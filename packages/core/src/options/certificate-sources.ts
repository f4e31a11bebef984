import { types } from 'node:util'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { parseCertificate, type ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import { Refusal } from '../refusal.ts'

/** Certificates: one in DER, or PEM text, which may hold several. */
export type CertificateSource = Uint8Array | string

/** The certificates that a list holds. What cannot be read is a refusal in its place: its sender is not the programmer. */
export function parseSources(value: unknown, option: string): readonly (ParsedCertificate | Refusal)[] {
  if (!Array.isArray(value)) {
    throw new ConfigurationError(
      option,
      `expected an array of certificates, DER or PEM, got ${describeValue(value)}`,
    )
  }
  return value.flatMap((source: unknown, i) => parseSource(source, `${option}[${i}]`))
}

/** The certificates of one source; at least one, or a refusal. */
export function parseSource(source: unknown, option: string): readonly (ParsedCertificate | Refusal)[] {
  if (typeof source === 'string') {
    const ders = parsePem(source)
    return ders.length === 0 ? [noPem] : ders.map((der) => parseCertificate(der))
  }
  if (types.isUint8Array(source)) return [parseCertificate(source)]
  throw new ConfigurationError(
    option,
    `expected a certificate, DER in a Uint8Array or PEM in a text, got ${describeValue(source)}`,
  )
}

/** DER of what a PEM text has of a kind (RFC 7468 §5, §6). */
export const parsePem = (pem: string, label: keyof typeof pemBlocks = 'CERTIFICATE'): readonly Buffer[] =>
  [...pem.matchAll(pemBlocks[label])].map(([, base64 = '']) => Buffer.from(base64, 'base64'))

const pemBlocks = {
  CERTIFICATE: /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g,
  'X509 CRL': /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g,
} as const
const noPem = new Refusal('certificate_malformed', {
  expected: 'PEM with `-----BEGIN CERTIFICATE-----`',
  actual: 'none',
})
