import { hash } from 'node:crypto'
import { derValue } from '../certificate/der-writer.ts'
import { contextContainer, readWhole, tags } from '../certificate/der.ts'
import { takeBits } from '../certificate/der-values.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'

/** Two neighbours of a path that holds: whose status is asked for, and whose key signed it. */
export interface StatusQuestion {
  readonly certificate: ParsedCertificate
  readonly issuer: ParsedCertificate
}

/**
 * The CertID of a certificate (RFC 6960 §4.1.1), in DER. SHA-1 is what every responder has its answers under (RFC 5019 §2.1.1); it
 * only finds the answer. What the answer is worth is for the signature to say, and for the issuer's key itself.
 */
export function certIdOf({ certificate, issuer }: StatusQuestion): Uint8Array {
  return sequence(
    sha1Algorithm,
    octetString(hash('sha1', certificate.issuerDer, 'buffer')),
    octetString(keyHashOf(issuer)),
    derValue(tags.integer, serialNumberOf(certificate)),
  )
}

/** SHA-1 of the octets of a key's BIT STRING, without tag, length and the count of unused bits (RFC 6960 §4.1.1). */
export function keyHashOf({ spki }: Pick<ParsedCertificate, 'spki'>): Buffer {
  const key = readWhole(spki, tags.sequence, (reader) => {
    reader.take() // the algorithm
    return takeBits(reader)
  })
  return hash('sha1', key, 'buffer')
}

/**
 * An OCSPRequest (RFC 6960 §4.1.1) for one certificate, in DER: unsigned, in version 1, and without extensions unless a nonce
 * (RFC 9654) is given, which the lightweight profile has no place for (RFC 5019 §2.1.1).
 */
export function ocspRequestOf(certId: Uint8Array, nonce: Uint8Array | undefined): Uint8Array {
  const requests = sequence(sequence(certId))
  const extensions =
    nonce === undefined
      ? []
      : [derValue(contextContainer(2), sequence(sequence(nonceOid, octetString(nonceValueOf(nonce)))))]
  return sequence(sequence(requests, ...extensions))
}

/** The octets inside a nonce extension (RFC 9654 §2.1). */
export const nonceValueOf = (nonce: Uint8Array): Uint8Array => octetString(nonce)

// Parsed without the octet of zeros in front of what would be negative, and zero has to have one.
function serialNumberOf({ serialNumber }: ParsedCertificate): Uint8Array {
  const octets = Buffer.from(serialNumber, 'hex')
  return (octets[0] ?? 0xff) >= 0x80 ? Buffer.concat([Uint8Array.of(0), octets]) : octets
}

const sequence = (...content: readonly Uint8Array[]): Uint8Array => derValue(tags.sequence, ...content)
const octetString = (content: Uint8Array): Uint8Array => derValue(tags.octetString, content)
const sha1Algorithm = Buffer.from('300906052b0e03021a0500', 'hex')
/** 1.3.6.1.5.5.7.48.1.2 */
const nonceOid = Buffer.from('06092b0601050507300102', 'hex')
