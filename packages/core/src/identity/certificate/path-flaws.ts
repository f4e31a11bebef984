import { Refusal, type RefusalCode } from '../../refusal.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'

/** What a path is validated for: the extended key usage (RFC 5280 §4.2.1.12) that its leaf and its authorities must allow. */
export type CertificatePurpose = 'clientAuth' | 'serverAuth'

/** A certificate and where it stands: 0 is the leaf, 1 its issuer. */
export interface Link {
  readonly certificate: ParsedCertificate
  readonly depth: number
}

/**
 * What is wrong with a certificate wherever it stands. Of an anchor, the signature and the serial number are not looked at:
 * nobody but its operator vouches for it, and nobody revokes it by number.
 */
export function flawOf(link: Link, nowMs: number, isAnchor: boolean): Refusal | undefined {
  const { certificate } = link
  const { notBefore, notAfter } = certificate
  if (nowMs > notAfter) {
    return flaw(link, 'certificate_expired', 'a certificate in time', `expired at ${time(notAfter)}`)
  }
  if (nowMs < notBefore) {
    return flaw(link, 'certificate_not_yet_valid', 'a certificate in time', `starts at ${time(notBefore)}`)
  }
  if (!certificate.hasStrongKey || (!isAnchor && !certificate.isSignedStrongly)) {
    const expected = 'SHA-256 or better, RSA 2048, P-256 or Ed25519'
    return flaw(link, 'certificate_algorithm_weak', expected, 'has another key or signature')
  }
  if (!isAnchor && certificate.serialNumber === '') {
    return flaw(link, 'certificate_malformed', 'a serial number that is positive', 'has zero')
  }
  if (certificate.unsupportedExtension !== undefined) {
    const expected = 'no critical extension but the common ones'
    return flaw(
      link,
      'certificate_extension_unsupported',
      expected,
      `has ${certificate.unsupportedExtension}`,
    )
  }
  if (certificate.nameConstraints === 'unreadable') {
    const expected = 'name constraints that can be read'
    return flaw(link, 'certificate_extension_unsupported', expected, 'has others')
  }
  if (certificate.subjectAltNames === 'unreadable') {
    return flaw(link, 'certificate_malformed', 'alternative names in strict DER', 'has others')
  }
  return undefined
}

/** What makes a certificate unfit for being the one that a path is about. */
export function leafFlaw(leaf: ParsedCertificate, purpose: CertificatePurpose): Refusal | undefined {
  const { isCa, keyUsage } = leaf
  const link = { certificate: leaf, depth: 0 }
  if (isCa || keyUsage?.certSign === true || keyUsage?.crlSign === true) {
    const expected = 'no CA, no keyCertSign and no cRLSign'
    return flaw(link, 'certificate_not_a_leaf', expected, 'has one of them')
  }
  if (keyUsage?.digitalSignature === false) {
    return flaw(link, 'certificate_purpose_mismatch', 'keyUsage with digitalSignature', 'has one without')
  }
  if (leaf.extendedKeyUsage?.includes(purposeOids[purpose]) === false) {
    return flaw(link, 'certificate_purpose_mismatch', `extKeyUsage with ${purpose}`, 'has other usages')
  }
  return undefined
}

/**
 * What keeps an authority from issuing what stands below it (RFC 5280 §6.1.4 (k)-(n)). `below` is the path so far: its leaf does
 * not count for the length, nor do self-issued links. Usages are nested: an authority may restrict what it issues for.
 */
export function issuerFlaw(
  link: Link,
  below: readonly ParsedCertificate[],
  purpose: CertificatePurpose,
): Refusal | undefined {
  const { isCa, keyUsage, pathLength, extendedKeyUsage } = link.certificate
  if (!isCa) return notAuthorized(link, 'basicConstraints with cA')
  if (keyUsage?.certSign === false) return notAuthorized(link, 'keyUsage with keyCertSign')
  if (pathLength !== undefined && countIntermediates(below) > pathLength) {
    return notAuthorized(link, `at most ${pathLength} authorities below it`)
  }
  const isForPurpose =
    extendedKeyUsage === undefined ||
    extendedKeyUsage.includes(purposeOids[purpose]) ||
    extendedKeyUsage.includes(anyUsage)
  return isForPurpose ? undefined : notAuthorized(link, `extKeyUsage with ${purpose}`)
}

/** How many certificates of a path, leaf first, stand between its ends and count for its length. */
export const countIntermediates = (path: readonly ParsedCertificate[]): number =>
  path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length

/** A refusal that says which certificate it is about. */
export const flaw = (link: Link, code: RefusalCode, expected: string, what: string): Refusal =>
  new Refusal(code, { expected, actual: `${placeOf(link)} ${what}` })

const notAuthorized = (link: Link, expected: string): Refusal =>
  flaw(link, 'certificate_issuer_not_authorized', `an issuer that has ${expected}`, 'has not')

const placeOf = ({ depth, certificate }: Link): string =>
  depth === 0
    ? 'the leaf'
    : `authority ${depth} above the leaf, with serial number ${certificate.serialNumber},`

/** id-kp-clientAuth, id-kp-serverAuth (RFC 5280 §4.2.1.12). */
export const purposeOids: Readonly<Record<CertificatePurpose, string>> = {
  clientAuth: '1.3.6.1.5.5.7.3.2',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}
const anyUsage = '2.5.29.37.0'

const time = (ms: number): string => new Date(ms).toISOString()
