import { privateKeyToPem } from './certificate-keys.ts'
import { certificatesToPem, type IssuedCertificate } from './issue-certificate.ts'

/** A certificate with its key, ready for `tls.createServer` or a client. */
export interface TestCertificate {
  /** PEM: the leaf, then the intermediates. */
  readonly cert: string
  /** The private key as PKCS#8 PEM. */
  readonly key: string
  /** DER of the leaf. */
  readonly der: Uint8Array
  /** DER of what a handshake sends: the leaf, then the intermediates, without the root. */
  readonly chain: readonly Uint8Array[]
}

/** An X.509-SVID: a certificate that names a workload. */
export interface TestSvid extends TestCertificate {
  /** The SPIFFE ID it names first; of a broken one without names, the ID it should have. */
  readonly spiffeId: string
}

/** Puts a new leaf together with the intermediates that lead to the root. */
export function toTestCertificate(
  leaf: IssuedCertificate,
  intermediates: readonly Uint8Array[],
): TestCertificate {
  const chain = [leaf.der, ...intermediates]
  return { cert: certificatesToPem(chain), key: privateKeyToPem(leaf.keys.privateKey), der: leaf.der, chain }
}
