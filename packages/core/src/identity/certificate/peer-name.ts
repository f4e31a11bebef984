import { isIP } from 'node:net'
import { Refusal } from '../../refusal.ts'
import { readableNames } from './general-names.ts'
import { isDnsName, parseEmail } from './host-names.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'

/** A name that a peer is expected to have, of one kind. */
export type ExpectedName = { readonly dns: string } | { readonly ip: string } | { readonly email: string }

/**
 * Holds a leaf against the name that its owner is expected to have (RFC 9525 §6). Alternative names count and nothing else:
 * the common name never does, not even where there is no other (T44).
 */
export function peerNameFlaw(
  { subjectAltNames }: ParsedCertificate,
  expected: ExpectedName,
): Refusal | undefined {
  const names = readableNames(subjectAltNames)
  const isMet = names.some((name) => {
    if ('dns' in expected) return name.kind === 'dns' && isDnsMatch(name.value, expected.dns)
    if ('ip' in expected) return name.kind === 'ip' && addressOf(expected.ip)?.equals(name.value) === true
    return name.kind === 'email' && isEmailMatch(name.value, expected.email)
  })
  if (isMet) return undefined
  const kind = 'dns' in expected ? 'DNS name' : 'ip' in expected ? 'IP address' : 'e-mail address'
  return new Refusal('certificate_name_mismatch', {
    expected: `an alternative name that is the expected ${kind}`,
    actual: names.length === 0 ? 'no alternative names' : 'others',
  })
}

// RFC 9525 §6.3: a wildcard stands for the whole first label and for one label. Of a single label below it, such as in
// `*.com`, nobody is the owner.
function isDnsMatch(presented: string, expected: string): boolean {
  const [name, wanted] = [presented.toLowerCase(), expected.toLowerCase()]
  if (!isDnsName(wanted)) return false
  if (!name.startsWith('*.')) return isDnsName(name) && name === wanted
  const base = name.slice(2)
  return isDnsName(base) && base.includes('.') && wanted.slice(wanted.indexOf('.') + 1) === base
}

// The host without case, the mailbox as it is (RFC 5280 §7.5).
function isEmailMatch(presented: string, expected: string): boolean {
  const [name, wanted] = [parseEmail(presented), parseEmail(expected)]
  if (name === undefined || wanted === undefined) return false
  return name.mailbox === wanted.mailbox && name.host.toLowerCase() === wanted.host.toLowerCase()
}

/** The octets of an IP address in text; undefined where it is none. */
function addressOf(text: string): Buffer | undefined {
  const family = isIP(text)
  if (family === 4) return Buffer.from(text.split('.').map(Number))
  if (family !== 6 || text.includes('%')) return undefined
  // `URL` writes an address of version 6 in one way (RFC 5952), with an embedded one of version 4 in groups.
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

const groupsOf = (text: string): readonly number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
