import type { CertificateExtensions } from '../certificate/certificate-extensions.ts'
import { MalformedDer } from '../certificate/der.ts'
import { nonceValueOf, type StatusQuestion } from './ocsp-request.ts'
import { parseOcspResponse, type OcspResponse } from './ocsp-response.ts'
import { findSigner } from './ocsp-signer.ts'
import type { SingleStatus } from './ocsp-single-status.ts'
import type { RevocationStatus } from './revocation-status.ts'

/** What was sent, and what an answer has to fit. */
export interface AskedStatus extends StatusQuestion {
  readonly certId: Uint8Array
  readonly nonce: Uint8Array | undefined
}

/** What an authority, or its delegate, has signed of one certificate. */
export interface SignedStatus {
  /** `unknown`: it knows of no such certificate. That is not good. */
  readonly status: RevocationStatus | 'unknown'
  /** When that was known to be so, in milliseconds since the epoch. */
  readonly thisUpdate: number
}

/** Verifies an answer (RFC 6960 §3.2). A string is why it says nothing: a sentence for the operator, in words of our own. */
export function readOcspAnswer(der: Uint8Array, asked: AskedStatus, nowMs: number): SignedStatus | string {
  const response = parsedOf(der)
  if (typeof response === 'string') return response
  const flaw = responseFlaw(response, asked.nonce, nowMs)
  if (flaw !== undefined) return flaw
  const [single, ...others] = response.statuses.filter(({ certId }) => areEqual(certId, asked.certId))
  if (single === undefined) return 'it is about other certificates than the one that was asked about'
  if (others.length > 0) return 'it says more than one thing of the certificate'
  const until = single.nextUpdate ?? single.thisUpdate + maxUndatedMs
  const whyNot = singleFlaw(single, until, nowMs)
  if (whyNot !== undefined) return whyNot
  const signer = findSigner(response, asked.issuer, nowMs)
  if (typeof signer === 'string') return signer
  return { status: statusOf(single, until, signer.until), thisUpdate: single.thisUpdate }
}

function parsedOf(der: Uint8Array): OcspResponse | string {
  try {
    return parseOcspResponse(der)
  } catch (error) {
    if (error instanceof MalformedDer) return `it cannot be read: ${error.message}`
    throw error
  }
}

function responseFlaw(
  { producedAt, extensions }: OcspResponse,
  nonce: Uint8Array | undefined,
  nowMs: number,
): string | undefined {
  if (producedAt > nowMs + maxSkewMs) return 'it was produced in the future'
  if (hasCritical(extensions, understood)) return 'it has a critical extension of no known kind'
  const returned = extensions.get(nonceExtension)?.value
  // Answers that were signed beforehand have none (RFC 9654 §2.1), and are as old as they say.
  const isReturned = nonce === undefined || returned === undefined || areEqual(returned, nonceValueOf(nonce))
  return isReturned ? undefined : 'it has another nonce than the question'
}

function singleFlaw(
  { thisUpdate, nextUpdate, extensions }: SingleStatus,
  until: number,
  nowMs: number,
): string | undefined {
  if (hasCritical(extensions, none)) return 'its status has a critical extension of no known kind'
  if (thisUpdate > nowMs + maxSkewMs) return 'its status is of the future'
  if (until >= nowMs) return undefined
  return nextUpdate === undefined
    ? 'its status has no nextUpdate and is more than an hour old'
    : 'its status is out of time'
}

// A delegate's word ends with its certificate: so a stolen key of a delegate is worth little. A revocation stands in any case.
function statusOf({ says }: SingleStatus, until: number, signerUntil: number): RevocationStatus | 'unknown' {
  if (says.kind === 'unknown') return 'unknown'
  if (says.kind === 'revoked') return { kind: 'revoked', at: says.at, until }
  return { kind: 'good', until: Math.min(until, signerUntil) }
}

const hasCritical = (extensions: CertificateExtensions, known: ReadonlySet<string>): boolean =>
  [...extensions].some(([oid, { isCritical }]) => isCritical && !known.has(oid))

const areEqual = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

/** id-pkix-ocsp-nonce */
const nonceExtension = '1.3.6.1.5.5.7.48.1.2'
const understood: ReadonlySet<string> = new Set([nonceExtension])
const none: ReadonlySet<string> = new Set()
/** How far the responder's clock may be ahead of ours. Behind, none: a status that is out of time is asked for again. */
const maxSkewMs = 60_000
/** Without nextUpdate there is always something newer (RFC 6960 §4.2.2.1), which nobody can ask for all the time. */
const maxUndatedMs = 3_600_000
