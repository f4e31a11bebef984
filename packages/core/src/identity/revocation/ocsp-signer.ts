import { Refusal } from '../../refusal.ts'
import { hexOf } from '../certificate/der-values.ts'
import { parseCertificate, type ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { flawOf } from '../certificate/path-flaws.ts'
import { isSignedWith } from '../certificate/signed-data.ts'
import { keyHashOf } from './ocsp-request.ts'
import type { OcspResponse, ResponderId } from './ocsp-response.ts'

/** Who signed an answer and had the right to. */
export interface OcspSigner {
  /** Until when its word counts, in milliseconds since the epoch: a delegate's ends with its certificate. */
  readonly until: number
}

/**
 * Finds who signed (RFC 6960 §4.2.2.2): the very key that issued the certificate in question, or a delegate whose certificate that
 * key signed for that purpose. Answers with a sentence for the operator where it is neither. The issuer's own keyUsage does not
 * matter: most authorities may only sign certificates and CRLs after it, and answer nevertheless.
 * INVARIANT: nobody else is ever asked: what a sibling or a parent of the issuer signs says nothing of the issuer's certificates.
 */
export function findSigner(
  response: OcspResponse,
  issuer: ParsedCertificate,
  nowMs: number,
): OcspSigner | string {
  const { responder, signedData, certificates } = response
  const isIssuer = isNamed(responder, issuer)
  if (isIssuer && isSignedWith(issuer.publicKey, signedData)) return { until: Infinity }
  let problem = isIssuer ? 'the key of the issuer, which it names, has not signed it' : undefined
  for (const der of certificates) {
    const delegate = parseCertificate(der)
    if (delegate instanceof Refusal || !isNamed(responder, delegate)) continue
    const flaw = delegateFlaw(delegate, issuer, nowMs)
    if (flaw === undefined && isSignedWith(delegate.publicKey, signedData)) {
      return { until: delegate.notAfter }
    }
    problem ??= flaw ?? 'the key of the delegate, which it names, has not signed it'
  }
  return problem ?? 'it names neither the issuer nor a delegate whose certificate is in it'
}

const isNamed = (responder: ResponderId, signer: ParsedCertificate): boolean =>
  responder.kind === 'name'
    ? responder.name === signer.subject.comparable
    : responder.hash === hexOf(keyHashOf(signer))

// Cheap checks first: certificates of an answer are whatever somebody on the way put there.
function delegateFlaw(
  delegate: ParsedCertificate,
  issuer: ParsedCertificate,
  nowMs: number,
): string | undefined {
  const { isCa, keyUsage, extendedKeyUsage, extensions, notBefore, notAfter } = delegate
  // An authority that is also a delegate would let whoever runs it speak for the certificates of its own issuer.
  if (isCa || keyUsage?.certSign === true) return 'its delegate is an authority'
  if (keyUsage?.digitalSignature === false) return 'its delegate may not sign, after its keyUsage'
  // RFC 6960 §4.2.2.2 wants this very usage: `anyExtendedKeyUsage` is what a certificate for any purpose has.
  if (extendedKeyUsage?.includes(ocspSigning) !== true) return 'its delegate has no extKeyUsage OCSPSigning'
  const flaw = flawOf({ certificate: delegate, depth: 0 }, nowMs, false)
  if (flaw !== undefined) return `the certificate of its delegate does not hold: ${flaw.code}`
  if (!extensions.has(noCheck) && notAfter - notBefore > maxCheckedLifetimeMs) {
    return 'its delegate has neither id-pkix-ocsp-nocheck nor a lifetime of at most 7 days'
  }
  const isIssued = delegate.issuer.comparable === issuer.subject.comparable && delegate.isSignedBy(issuer)
  return isIssued ? undefined : 'its delegate was certified by another authority than the issuer'
}

/** id-kp-OCSPSigning, id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2). */
const ocspSigning = '1.3.6.1.5.5.7.3.9'
const noCheck = '1.3.6.1.5.5.7.48.1.5'

/**
 * Whether a delegate was revoked nobody is asked: the only one to ask is the delegate. Without `nocheck` its issuer expects that
 * somebody does ask, so it has to be so short-lived that nobody need: 7 days, as the CA/Browser Forum has it (BR §1.6.1).
 */
const maxCheckedLifetimeMs = 7 * 24 * 3_600_000
