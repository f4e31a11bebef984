import { verify, type KeyObject } from 'node:crypto'
import { signatureScheme } from './certificate-algorithms.ts'
import type { DerReader } from './der.ts'
import { takeBits } from './der-values.ts'

/** What an authority signs beside certificates: a CRL (RFC 5280 §5.1.1), an OCSP answer (RFC 6960 §4.2.1). */
export interface SignedData {
  /** DER, with its tag and length: the octets that are signed. */
  readonly signed: Uint8Array
  /** DER of the AlgorithmIdentifier beside the signature, which nobody has signed. */
  readonly algorithm: Uint8Array
  readonly signature: Uint8Array
}

/** Reads the three parts of a signed value. What follows them is for the caller to read or to rule out. Throws `MalformedDer`. */
export function takeSignedData(reader: DerReader): SignedData {
  const signed = reader.take().whole
  const algorithm = reader.take().whole
  return { signed, algorithm, signature: takeBits(reader) }
}

/** True where this key made the signature, by an algorithm that counts (`certificate-algorithms.ts`). */
export function isSignedWith(key: KeyObject, { signed, algorithm, signature }: SignedData): boolean {
  const scheme = signatureScheme(algorithm)
  // The key decides what an algorithm may be: what OpenSSL would make of another pair is not for the sender to try.
  if (scheme === undefined || !scheme.keyTypes.includes(key.asymmetricKeyType ?? '')) return false
  const { hash, padding, saltLength } = scheme
  try {
    return verify(hash, signed, { key, padding, saltLength }, signature)
  } catch {
    // Such as a PSS key that is restricted to another hash.
    return false
  }
}
