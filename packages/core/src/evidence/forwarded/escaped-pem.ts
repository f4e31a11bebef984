// nginx `$ssl_client_escaped_cert`, Azure Application Gateway, Apache `%{escape:…}`, AWS ALB, and the values of Envoy's XFCC.
import type { Refusal } from '../../refusal.ts'
import { malformed, maxHeaderLength } from './malformed.ts'
import { parsePem } from './pem.ts'
import { decodePercent } from './percent-encoded.ts'

/** DER of the certificates in percent-encoded PEM, leaf first. Apache turns line feeds into spaces before it escapes them. */
export function parseEscapedPem(value: string): readonly Uint8Array[] | Refusal {
  const text = value.length > maxHeaderLength ? undefined : decodePercent(value)
  if (text === undefined) return notEscaped
  return parsePem(text, text.includes('\n') ? '\n' : ' ') ?? notEscaped
}

const notEscaped = malformed('PEM of certificates, percent-encoded')
