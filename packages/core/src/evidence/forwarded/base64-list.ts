// Traefik `passTLSClientCert` with `pem: true`: PEM without armour and line ends, the certificates joined by commas.
import type { Refusal } from '../../refusal.ts'
import { decodeBase64 } from './base64.ts'
import { malformed, maxCertificates, maxHeaderLength } from './malformed.ts'

/** DER of the certificates in a list of base64 texts, leaf first. There is no white space: Traefik writes none. */
export function parseBase64List(value: string): readonly Uint8Array[] | Refusal {
  if (value.length > maxHeaderLength) return notList
  const texts = value.split(',', maxCertificates + 1)
  const certificates = texts.map(decodeBase64)
  const isWhole = certificates.every((der) => der !== undefined)
  return isWhole && texts.length <= maxCertificates ? certificates : notList
}

const notList = malformed(`at most ${maxCertificates} certificates, DER in base64, joined by commas`)
