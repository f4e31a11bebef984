/** True for a DNS name in its preferred syntax (RFC 1034 §3.5, RFC 1123 §2.1): ASCII labels, no final dot, no address. */
export const isDnsName = (text: string): boolean =>
  text.length <= 253 && dnsName.test(text) && !looksLikeAddress(text)

/**
 * True for what certificates of private networks also call a host: with underscores. Good enough to be held against name
 * constraints, which is about what a name may cover, and not about what it is.
 */
export const isHost = (text: string): boolean => text.length <= 253 && host.test(text)

/** True for a host, or one with a wildcard for its first label. */
export const isHostPattern = (text: string): boolean => isHost(text.startsWith('*.') ? text.slice(2) : text)

/** True where a host is another one, or stands below it; labels are compared whole, without case. */
export function isWithin(name: string, base: string): boolean {
  const [below, above] = [name.toLowerCase(), base.toLowerCase()]
  return above === '' || below === above || below.endsWith(`.${above}`)
}

/**
 * The host of a URI (RFC 3986 §3.2), without user and port. Undefined where it has none, or an IP address or anything else
 * that is no host name: then no name constraint can be held against it (RFC 5280 §4.2.1.10).
 */
export function hostOfUri(uri: string): string | undefined {
  const [, authority] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#\\]*)/.exec(uri) ?? []
  const name = authority?.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '')
  return name !== undefined && isHost(name) && !looksLikeAddress(name) ? name : undefined
}

/** The mailbox and the host of an e-mail address in its plain form (RFC 5321 §4.1.2, without quotes and comments). */
export function parseEmail(text: string): { readonly mailbox: string; readonly host: string } | undefined {
  const [, mailbox, name] = /^([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([^@]+)$/.exec(text) ?? []
  return mailbox !== undefined && name !== undefined && isHost(name) ? { mailbox, host: name } : undefined
}

// Parsers of addresses take a last label of digits, or a hexadecimal one, for the end of one.
const looksLikeAddress = (name: string): boolean => /(^|\.)(\d+|0[xX][0-9a-fA-F]*)$/.test(name)

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const dnsName = new RegExp(`^${label}(?:\\.${label})*$`)
const looseLabel = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const host = new RegExp(`^${looseLabel}(?:\\.${looseLabel})*$`)
