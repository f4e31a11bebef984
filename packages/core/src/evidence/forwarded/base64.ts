/**
 * Octets of base64 (RFC 4648 §4) in its one canonical spelling: padded, no white space, unused bits zero (§3.5). Undefined
 * for anything else, and for no octets at all: two spellings of one certificate would be two keys in a cache.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const octets = Buffer.from(text, 'base64')
  // Node skips what it does not know and takes the URL's alphabet as well; written out again, only the canonical text is the same.
  return text !== '' && octets.toString('base64') === text ? octets : undefined
}
