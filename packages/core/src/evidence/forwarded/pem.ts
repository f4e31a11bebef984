import { decodeBase64 } from './base64.ts'
import { maxCertificates } from './malformed.ts'

/**
 * Certificates in textual encoding (RFC 7468 §3, stricttextualmsg): lines of 64 characters, the last of a block shorter, nothing
 * between the blocks, nothing around them but one last line end. Undefined for anything else. The lines end in `eol`: proxies
 * turn line feeds into spaces where a header may not hold them.
 */
export function parsePem(text: string, eol: '\n' | ' '): readonly Uint8Array[] | undefined {
  const ended = text.endsWith(eol) ? text : `${text}${eol}`
  // Behind the last certificate is nothing. One piece more than there may be shows that there are too many.
  const blocks = ended.split(end + eol, maxCertificates + 2)
  if (blocks.pop() !== '' || blocks.length > maxCertificates) return undefined
  const certificates = blocks.map((block) => decodeBlock(block, eol))
  return certificates.every((der) => der !== undefined) ? certificates : undefined
}

// Each line ends, the last one too: what is behind the last line end is empty.
function decodeBlock(block: string, eol: string): Uint8Array | undefined {
  if (!block.startsWith(begin + eol)) return undefined
  const lines = block.slice(begin.length + 1).split(eol)
  if (lines.pop() !== '') return undefined
  const last = lines.length - 1
  const areWhole = lines.every(({ length }, i) => (i === last ? length > 0 && length <= 64 : length === 64))
  return areWhole ? decodeBase64(lines.join('')) : undefined
}

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'
