import { decodeBase64 } from './base64.ts'
import { maxCertificates } from './malformed.ts'

/**
 * Certificates in textual encoding (RFC 7468 §3, stricttextualmsg): lines of 64 characters, the last of a block shorter, nothing
 * between the blocks, nothing around them but one last line end. Undefined for anything else. The lines end in `eol`: proxies
 * turn line feeds into spaces where a header may not hold them.
 */
export function parsePem(text: string, eol: '\n' | ' '): readonly Uint8Array[] | undefined {
  const certificates: Uint8Array[] = []
  let rest = text.endsWith(eol) ? text : `${text}${eol}`
  while (rest !== '') {
    if (certificates.length === maxCertificates || !rest.startsWith(begin + eol)) return undefined
    const start = begin.length + 1
    const stop = rest.indexOf(end + eol, start)
    const der = stop === -1 ? undefined : decodeLines(rest.slice(start, stop), eol)
    if (der === undefined) return undefined
    certificates.push(der)
    rest = rest.slice(stop + end.length + 1)
  }
  return certificates.length === 0 ? undefined : certificates
}

// Each line ends, the last one too: what is behind the last line end is empty.
function decodeLines(body: string, eol: string): Uint8Array | undefined {
  const lines = body.split(eol)
  if (lines.pop() !== '') return undefined
  const last = lines.length - 1
  const areWhole = lines.every(({ length }, i) => (i === last ? length > 0 && length <= 64 : length === 64))
  return areWhole ? decodeBase64(lines.join('')) : undefined
}

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'
