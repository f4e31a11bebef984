import { X509Certificate } from 'node:crypto'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'

/**
 * PEM of the roots that a server names to its clients. None where their names are more than a handshake holds (RFC 8446 §4.2.4):
 * then clients are told no names and choose themselves. One source, such as another domain's bundle, would else end every
 * handshake.
 */
export function pemForHandshake(roots: readonly ParsedCertificate[]): readonly string[] {
  const octets = roots.reduce((sum, { subjectDer }) => sum + 2 + subjectDer.length, 0)
  return octets > maxNameOctets ? [] : roots.map(({ der }) => new X509Certificate(der).toString())
}

/** Of 65,535, for which the other extensions of a CertificateRequest count as well. */
const maxNameOctets = 60_000
