/** Accepts a SPIFFE trust domain as the standard spells it, so that a correct SVID is correct. */
export function parseTrustDomain(text: string): string {
  if (/^[a-z0-9._-]{1,255}$/.test(text)) return text
  throw new TypeError(
    `\`trustDomain\`: expected lower-case letters, digits, \`.\`, \`_\` or \`-\`, got \`${text}\``,
  )
}

/** Accepts a SPIFFE path such as `/ns/shop/sa/checkout`. */
export function parseSpiffePath(text: string): string {
  if (/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/.test(text)) return text
  throw new TypeError(`expected a SPIFFE path such as \`/ns/shop/sa/checkout\`, got \`${text}\``)
}
