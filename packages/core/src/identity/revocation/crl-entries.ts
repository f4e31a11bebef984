import { takeExtensions, type CertificateExtensions } from '../certificate/certificate-extensions.ts'
import { takeSerialNumber } from '../certificate/certificate-fields.ts'
import { DerReader, MalformedDer, readAll, tags } from '../certificate/der.ts'
import { hexOf, takeGeneralizedTime, takeTime } from '../certificate/der-values.ts'

/** Whom a list revokes, and what of it keeps the list from being used. */
export interface Revocations {
  /** Serial number → when it was revoked, in milliseconds since the epoch. */
  readonly revocations: ReadonlyMap<string, number>
  /** An entry that may be of another authority, or that says what nobody here understands (RFC 5280 §5.3). */
  readonly foreign: string | undefined
}

/** Reads what is in `revokedCertificates` (RFC 5280 §5.1.2.6), in one pass. Throws `MalformedDer`. */
export function readRevocations(content: Uint8Array, isDelta: boolean): Revocations {
  const reader = new DerReader(content)
  const revocations = new Map<string, number>()
  const read = new Set<string>()
  let foreign: string | undefined
  while (!reader.isAtEnd) {
    const entry = reader.enter(tags.sequence)
    revocations.set(takeSerialNumber(entry), takeTime(entry))
    if (entry.isAtEnd) continue
    const { whole } = entry.take()
    entry.end()
    // Among a hundred thousand entries there are a dozen different ends, one for each reason.
    const key = whole.length <= 16 ? hexOf(whole) : undefined
    if (key !== undefined && read.has(key)) continue
    const found = readEntryExtensions(takeExtensions(new DerReader(whole)), isDelta)
    if (key !== undefined) read.add(key)
    foreign ??= found
  }
  return { revocations, foreign }
}

function readEntryExtensions(extensions: CertificateExtensions, isDelta: boolean): string | undefined {
  let foreign: string | undefined
  for (const [oid, { isCritical, value }] of extensions) {
    if (oid === reasonCode) requireReason(value, isDelta)
    else if (oid === invalidityDate) readAll(value, takeGeneralizedTime)
    // Whoever is not told whose the entry is takes it for the list's issuer's (RFC 5280 §5.3.3).
    else if (oid === certificateIssuer) foreign ??= 'an entry of another authority'
    else if (isCritical) foreign ??= `an entry with the critical extension ${oid}`
  }
  return foreign
}

// RFC 5280 §5.3.1: 7 is not used, and what 8 takes off a list was on another one.
function requireReason(value: Uint8Array, isDelta: boolean): void {
  const [reason = 0xff, ...others] = readAll(value, (reader) => reader.takeTagged(tags.enumerated))
  const isKnown = others.length === 0 && reason <= 10 && reason !== 7
  if (!isKnown || (reason === removeFromCrl && !isDelta)) throw new MalformedDer('no reason for a revocation')
}

const reasonCode = '2.5.29.21'
const invalidityDate = '2.5.29.24'
const certificateIssuer = '2.5.29.29'

const removeFromCrl = 8
