/**
 * The ASCII text behind a percent-encoding (RFC 3986 §2.1), or undefined where a single octet is not as it should be. `+`, `/` and
 * `=` may stand as they are, as AWS leaves them; `+` is itself, never a space: that is how forms are written, not URIs.
 */
export function decodePercent(text: string): string | undefined {
  if (!encoded.test(text)) return undefined
  // Below 0x80 each octet is one character, so nothing can be left over and nothing can throw.
  return text.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const encoded = /^(?:[A-Za-z0-9._~+/=-]|%[0-7][0-9A-Fa-f])*$/
