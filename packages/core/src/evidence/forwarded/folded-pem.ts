// Apache `%{SSL_CLIENT_CERT}s`: PEM whose line feeds became spaces, since a header holds none.
import type { Refusal } from '../../refusal.ts'
import { malformed, maxHeaderLength } from './malformed.ts'
import { parsePem } from './pem.ts'

/** DER of the certificates in PEM with spaces for line ends, leaf first. */
export function parseFoldedPem(value: string): readonly Uint8Array[] | Refusal {
  return (value.length > maxHeaderLength ? undefined : parsePem(value, ' ')) ?? notFolded
}

const notFolded = malformed('PEM of certificates with spaces for line ends')
