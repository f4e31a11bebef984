import type { Refusal } from '../../refusal.ts'
import { readableNames, type GeneralName } from './general-names.ts'
import { isHostPattern } from './host-names.ts'
import { findViolation, type ComparisonBudget } from './name-constraints.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'
import { flaw } from './path-flaws.ts'

/**
 * Holds every name of a path, leaf first, against the constraints of every authority above it (RFC 5280 §6.1.3 (b), (c)); the
 * anchor's own count as well. Asked of paths that are signed up to an anchor: nobody else can make it work.
 */
export function nameFlaw(path: readonly ParsedCertificate[], budget: ComparisonBudget): Refusal | undefined {
  for (const [depth, { nameConstraints }] of path.entries()) {
    if (nameConstraints === undefined || nameConstraints === 'unreadable') continue
    for (const [below, certificate] of path.slice(0, depth).entries()) {
      // An authority with a new key may have a name that it must not certify; a leaf may not.
      if (certificate.isSelfIssued && below > 0) continue
      const violation = findViolation(constrainedNames(certificate), nameConstraints, budget)
      if (violation === undefined) continue
      const what = violation === 'too many' ? 'has more names than can be compared' : `has another name`
      const kind = violation === 'too many' ? 'names' : kinds[violation.kind]
      const expected = `${kind} within the name constraints of authority ${depth} above the leaf`
      return flaw({ certificate, depth: below }, 'certificate_name_not_permitted', expected, what)
    }
  }
  return undefined
}

function constrainedNames(certificate: ParsedCertificate): readonly GeneralName[] {
  const { subject, subjectAltNames } = certificate
  const names: GeneralName[] = [...readableNames(subjectAltNames)]
  if (subject.parts.length > 0) names.push({ kind: 'directory', value: subject })
  for (const { type, text } of subject.attributes) {
    // Names of older forms, which somebody may still read: an e-mail address in the subject (RFC 5280 §4.2.1.10), and
    // a host for a common name, where there is no alternative name.
    if (type === emailAddress) names.push({ kind: 'email', value: text })
    const isOldHost = type === commonName && subjectAltNames === undefined && text.includes('.')
    if (isOldHost && isHostPattern(text)) names.push({ kind: 'dns', value: text })
  }
  return names
}

const commonName = '2.5.4.3'
const emailAddress = '1.2.840.113549.1.9.1'

const kinds: Readonly<Record<GeneralName['kind'], string>> = {
  uri: 'URIs',
  dns: 'DNS names',
  email: 'e-mail addresses',
  ip: 'IP addresses',
  directory: 'directory names',
  other: 'names of other kinds',
}
