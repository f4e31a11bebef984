import { Refusal } from '../../refusal.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'

/** A leaf, and behind it every issuer up to and including the trust anchor. */
export type VerifiedPath = readonly ParsedCertificate[]

/**
 * Finds a path from a leaf to one of the anchors that holds at a time (RFC 5280 §6.1), trying every candidate issuer
 * before giving up. Bounded in depth and in signature checks, so that no hostile pool of certificates can stall it.
 */
export function validatePath(
  leaf: ParsedCertificate,
  intermediates: readonly ParsedCertificate[],
  anchors: readonly ParsedCertificate[],
  nowMs: number,
): VerifiedPath | Refusal {
  const search: Search = { intermediates, anchors, nowMs, signatureChecks: 0, refusal: undefined }
  const flaw = flawOf(leaf, nowMs, 'the leaf')
  if (flaw !== undefined) return flaw
  return extend([leaf], search) ?? search.refusal ?? untrusted
}

interface Search {
  readonly intermediates: readonly ParsedCertificate[]
  readonly anchors: readonly ParsedCertificate[]
  readonly nowMs: number
  signatureChecks: number
  /** Why the most promising issuer was not good enough: the answer if no other is. */
  refusal: Refusal | undefined
}

function extend(path: VerifiedPath, search: Search): VerifiedPath | undefined {
  const last = path.at(-1)
  if (last === undefined || path.length > maxDepth) return undefined
  for (const anchor of search.anchors) if (isIssuedBy(last, anchor, path, search)) return [...path, anchor]
  for (const candidate of search.intermediates) {
    // The same name with the same key twice in one path is a circle.
    const isRepeated = path.some(
      (seen) => seen.subject === candidate.subject && seen.publicKey.equals(candidate.publicKey),
    )
    if (isRepeated || !isIssuedBy(last, candidate, path, search)) continue
    const found = extend([...path, candidate], search)
    if (found !== undefined) return found
  }
  return undefined
}

function isIssuedBy(
  subject: ParsedCertificate,
  issuer: ParsedCertificate,
  path: VerifiedPath,
  search: Search,
): boolean {
  if (subject.issuer !== issuer.subject) return false
  // Cheap checks first: a signature check costs a hundred of them, and this is asked by whoever connects.
  const flaw = flawOf(issuer, search.nowMs, 'an issuer') ?? issuerFlaw(issuer, path)
  search.refusal ??= flaw
  if (flaw !== undefined || search.signatureChecks >= maxSignatureChecks) return false
  search.signatureChecks += 1
  return subject.isSignedBy(issuer)
}

function flawOf(certificate: ParsedCertificate, nowMs: number, which: string): Refusal | undefined {
  if (nowMs > certificate.notAfter) {
    return new Refusal('certificate_expired', {
      expected: 'a certificate in time',
      actual: `${which} expired at ${time(certificate.notAfter)}`,
    })
  }
  if (nowMs < certificate.notBefore) {
    return new Refusal('certificate_not_yet_valid', {
      expected: 'a certificate in time',
      actual: `${which} starts at ${time(certificate.notBefore)}`,
    })
  }
  if (!certificate.isSignedStrongly || !certificate.hasStrongKey) {
    return new Refusal('certificate_algorithm_weak', {
      expected: 'SHA-256 or better, RSA 2048, P-256 or Ed25519',
      actual: which,
    })
  }
  if (certificate.unsupportedExtension !== undefined) {
    return new Refusal('certificate_extension_unsupported', {
      expected: 'no critical extension but the common ones',
      actual: `${certificate.unsupportedExtension} in ${which}`,
    })
  }
  return undefined
}

// RFC 5280 §6.1.4 (k)-(n). The path so far is what lies below: the leaf does not count, nor do self-issued links.
function issuerFlaw(issuer: ParsedCertificate, path: VerifiedPath): Refusal | undefined {
  if (!issuer.isCa) return notAuthorized('basicConstraints with cA')
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.certSign) {
    return notAuthorized('keyUsage with keyCertSign')
  }
  const below = path.slice(1).filter(({ subject, issuer: above }) => subject !== above).length
  if (issuer.pathLength !== undefined && below > issuer.pathLength) {
    return notAuthorized(`at most ${issuer.pathLength} authorities below it`)
  }
  const usages = issuer.extendedKeyUsage
  if (usages !== undefined && !usages.includes(clientAuth) && !usages.includes(anyUsage)) {
    return notAuthorized('extKeyUsage with clientAuth')
  }
  return undefined
}

const notAuthorized = (expected: string): Refusal =>
  new Refusal('certificate_issuer_not_authorized', {
    expected: `an issuer that has ${expected}`,
    actual: 'an issuer without',
  })

const untrusted = new Refusal('certificate_untrusted', {
  expected: "a path to a root of the certificate's own trust domain",
  actual: 'none found',
  advice:
    'check that the caller sends its intermediates, and that the bundle of this trust domain is current',
})

/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
export const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyUsage = '2.5.29.37.0'
const maxDepth = 8
const maxSignatureChecks = 32

const time = (ms: number): string => new Date(ms).toISOString()
