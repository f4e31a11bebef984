import { Refusal, quoted } from '../../refusal.ts'
import { textNames } from './general-names.ts'
import { isDnsName } from './host-names.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'
import { validatePath, validityOf, type PathQuestion } from './validate-path.ts'
import type { VerifiedCertificate } from './verify-certificate.ts'

/** Where a certificate that is no SVID has the name of its owner. */
export type CertificateIdentity = 'dns' | { readonly subject: SubjectAttribute }

/** An attribute of the subject that can be a name. */
export type SubjectAttribute = keyof typeof attributeOids

/** An authority that the operator gave a name, and what its certificates say of their owners. */
export interface NamingAuthority {
  readonly name: string
  /** Or why there are none now. */
  readonly roots: readonly ParsedCertificate[] | Refusal
  readonly identity: CertificateIdentity
}

/** Verifies a certificate against the first authority that vouches for it, and names its owner as that authority does. */
export function verifyNamed(
  presented: Omit<PathQuestion, 'anchors' | 'purpose'>,
  authorities: readonly NamingAuthority[],
): VerifiedCertificate | Refusal {
  let refusal: Refusal | undefined
  for (const { name, roots, identity } of authorities) {
    const path =
      roots instanceof Refusal ? roots : validatePath({ ...presented, anchors: roots, purpose: 'clientAuth' })
    if (path instanceof Refusal) {
      // What an authority found wrong says more than that another one knows nobody of the kind; and one that cannot be asked
      // might have found nothing wrong.
      const saysMore = refusal === undefined || refusal.code === 'certificate_untrusted'
      if (saysMore || path.code === 'bundle_unavailable') refusal = path
      continue
    }
    const owner =
      identity === 'dns' ? dnsNameOf(presented.leaf) : attributeOf(presented.leaf, identity.subject)
    if (owner instanceof Refusal) return owner
    return { id: `x509:${name}#${owner}`, spiffeId: undefined, path, ...validityOf(path) }
  }
  return refusal ?? new Refusal('certificate_untrusted', { expected: 'an authority', actual: 'none' })
}

// Exactly one: the first of several would be the attacker's choice. Without case, so that equal names are equal strings.
function dnsNameOf({ subjectAltNames }: ParsedCertificate): string | Refusal {
  const names = textNames(subjectAltNames, 'dns')
  const [name] = names
  if (name === undefined || names.length !== 1) return malformed('exactly one DNS name', String(names.length))
  return isDnsName(name)
    ? `dns=${name.toLowerCase()}`
    : malformed('a DNS name without wildcard', quoted(name))
}

// INVARIANT: the subject counts where there is no alternative name of any kind, and never beside one (T44).
function attributeOf(
  { subject, subjectAltNames }: ParsedCertificate,
  attribute: SubjectAttribute,
): string | Refusal {
  if (subjectAltNames !== undefined) return malformed('no alternative name beside the subject', 'some')
  const values = subject.attributes.filter(({ type }) => type === attributeOids[attribute])
  const [value] = values
  if (value === undefined || values.length !== 1) {
    return malformed(`exactly one ${attribute} in the subject`, String(values.length))
  }
  const isPlain =
    /^[\p{L}\p{N}][\p{L}\p{N} ._@:/-]{0,254}$/u.test(value.text) && value.text === value.text.normalize()
  return isPlain && value.text.trim() === value.text
    ? `${attribute}=${value.text}`
    : malformed(`a ${attribute} of letters, digits and ._@:/-`, quoted(value.text))
}

const malformed = (expected: string, actual: string): Refusal =>
  new Refusal('certificate_identity_malformed', { expected, actual })

const attributeOids = {
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  organizationalUnitName: '2.5.4.11',
  userId: '0.9.2342.19200300.100.1.1',
} as const

export const subjectAttributes = Object.keys(attributeOids)
