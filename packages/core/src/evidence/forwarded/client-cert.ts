// RFC 9440: `Client-Cert` and `Client-Cert-Chain`, structured fields of byte sequences.
import type { Refusal } from '../../refusal.ts'
import { decodeBase64 } from './base64.ts'
import { malformed, maxCertificates, maxHeaderLength } from './malformed.ts'

/**
 * DER of the certificate in a `Client-Cert` field (RFC 9440 §2.2): one byte sequence, without parameters. Answers a Refusal to
 * anything else. Nothing in it is proven, nor are the octets known to be a certificate.
 */
export function parseClientCert(value: string): Uint8Array | Refusal {
  return value.length > maxHeaderLength ? noItem : (parseByteSequence(value) ?? noItem)
}

/**
 * DER of the certificates in a `Client-Cert-Chain` field (RFC 9440 §2.3), the leaf's issuer first. A field that was split over
 * several lines is joined by commas before (RFC 9110 §5.3): a list means the same either way. Answers a Refusal to anything else.
 */
export function parseClientCertChain(value: string): readonly Uint8Array[] | Refusal {
  if (value.length > maxHeaderLength) return noList
  // No byte sequence contains a comma. RFC 9651 §4.2.1 allows optional white space around those of the list, and nowhere else.
  const members = value.split(',', maxCertificates + 1)
  if (members.length > maxCertificates) return noList
  const last = members.length - 1
  const chain: Uint8Array[] = []
  for (const [i, member] of members.entries()) {
    const afterComma = i === 0 ? member : member.replace(/^[ \t]+/, '')
    const der = parseByteSequence(i === last ? afterComma : afterComma.replace(/[ \t]+$/, ''))
    if (der === undefined) return noList
    chain.push(der)
  }
  return chain
}

// RFC 9651 §3.3.5. A parser of that RFC may take sloppy base64 as well; a certificate has one spelling here.
function parseByteSequence(text: string): Uint8Array | undefined {
  const isDelimited = text.startsWith(':') && text.endsWith(':')
  return isDelimited ? decodeBase64(text.slice(1, -1)) : undefined
}

const noItem = malformed('one byte sequence `:<base64>:` (RFC 9440)')
const noList = malformed(`a list of at most ${maxCertificates} byte sequences \`:<base64>:\` (RFC 9440)`)
