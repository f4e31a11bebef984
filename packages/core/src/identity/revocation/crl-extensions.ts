import {
  extensionOids,
  parseAuthorityKeyId,
  readExtension,
  type CertificateExtensions,
} from '../certificate/certificate-extensions.ts'
import { MalformedDer, readAll } from '../certificate/der.ts'
import { hexOf, takeInteger } from '../certificate/der-values.ts'
import type { DistinguishedName } from '../certificate/distinguished-name.ts'
import { parseCrlScope, wholeScope, type CrlScope } from './crl-scope.ts'

/** What a list says of itself (RFC 5280 §5.2). */
export interface CrlExtensions {
  /** Grows from one list to the next of the same issuer and scope. */
  readonly number: bigint | undefined
  /** Hexadecimal. Tells the lists of an authority's keys apart, and proves nothing. */
  readonly authorityKeyId: string | undefined
  readonly scope: CrlScope
  /** True where it only says what has changed since another list (RFC 5280 §5.2.4). */
  readonly isDelta: boolean
  readonly unusable: string | undefined
}

/** Reads them. Throws `MalformedDer`. */
export function readCrlExtensions(
  extensions: CertificateExtensions,
  issuer: DistinguishedName,
): CrlExtensions {
  const read = <T>(oid: string, parse: (der: Uint8Array) => T): T | undefined =>
    readExtension(extensions, oid, parse)
  const number = read(oids.crlNumber, parseCrlNumber)
  const authorityKeyId = read(extensionOids.authorityKeyIdentifier, parseAuthorityKeyId)
  const base = read(oids.deltaCrlIndicator, parseCrlNumber)
  const isDelta = base !== undefined
  const scope = read(oids.issuingDistributionPoint, (der) => parseCrlScope(der, issuer)) ?? wholeScope
  const unusable =
    findUnsupported(extensions) ??
    scope.unusable ??
    (isDelta ? 'a delta of another list' : undefined) ??
    // RFC 5280 §5.2.3 asks for one: of two lists without, nobody can say which is the older.
    (number === undefined ? 'no cRLNumber' : undefined)
  return { number, authorityKeyId, scope, isDelta, unusable }
}

// Extensions that must not be critical are not understood where they are: whoever writes that means something else by them.
function findUnsupported(extensions: CertificateExtensions): string | undefined {
  for (const [oid, { isCritical }] of extensions) {
    const mayBeCritical = oid === oids.issuingDistributionPoint || oid === oids.deltaCrlIndicator
    if (isCritical && !mayBeCritical) return `the critical extension ${oid}`
  }
  return undefined
}

// RFC 5280 §5.2.3: at most 20 octets, of which the first may be a sign.
function parseCrlNumber(der: Uint8Array): bigint {
  const octets = readAll(der, takeInteger)
  if ((octets[0] ?? 0) >= 0x80 || octets.length > 20) throw new MalformedDer('a list with no sensible number')
  return BigInt(`0x${hexOf(octets)}`)
}

const oids = {
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
} as const
