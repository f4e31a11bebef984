// HAProxy `%[ssl_c_der,base64]`, Caddy `{http.request.tls.client.certificate_der_base64}`, Azure App Service `X-ARR-ClientCert`.
import type { Refusal } from '../../refusal.ts'
import { decodeBase64 } from './base64.ts'
import { malformed, maxCertificates, maxHeaderLength } from './malformed.ts'

/** DER of the one certificate in base64. */
export function parseBase64Der(value: string): Uint8Array | Refusal {
  return value.length > maxHeaderLength ? notBase64 : (decodeBase64(value) ?? notBase64)
}

/** DER of each certificate of HAProxy's `ssl_c_chain_der`: one behind the other, in one base64 text, without the leaf. */
export function parseBase64DerChain(value: string): readonly Uint8Array[] | Refusal {
  const octets = value.length > maxHeaderLength ? undefined : decodeBase64(value)
  return octets === undefined ? notChain : (splitSequences(octets) ?? notChain)
}

function splitSequences(octets: Uint8Array): readonly Uint8Array[] | undefined {
  const sequences: Uint8Array[] = []
  let at = 0
  while (at < octets.length) {
    const end = endOfSequence(octets, at)
    if (end === undefined || sequences.length === maxCertificates) return undefined
    sequences.push(octets.subarray(at, end))
    at = end
  }
  return sequences
}

// A SEQUENCE with a length in the shortest form (X.690 §10.1). What is in it is for whoever verifies the certificate.
function endOfSequence(octets: Uint8Array, at: number): number | undefined {
  const [tag, first = NaN, second = NaN, third = NaN] = octets.subarray(at, at + 4)
  const length =
    first < 0x80
      ? 2 + first
      : first === 0x81 && second >= 0x80
        ? 3 + second
        : first === 0x82 && second > 0
          ? 4 + second * 256 + third
          : NaN
  return tag === 0x30 && at + length <= octets.length ? at + length : undefined
}

const notBase64 = malformed('one certificate, DER in base64')
const notChain = malformed(`at most ${maxCertificates} certificates, DER one behind the other in base64`)
