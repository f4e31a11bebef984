import type { ParsedCrl } from './crl.ts'

/**
 * True where a list goes back behind another one of the same issuer, key and scope, as somebody's who serves an old one to hide a
 * revocation: whoever replaces lists keeps the one before. Asked of lists whose signature was checked: a number that
 * nobody has signed could keep out every list that comes after.
 */
export const isOlder = (crl: ParsedCrl, before: ParsedCrl): boolean =>
  isOfOneSeries(crl, before) &&
  (crl.thisUpdate < before.thisUpdate || (crl.number ?? 0n) < (before.number ?? 0n))

/**
 * True where a list takes the place of one whose signature was found good: it goes on where that ends, and the same key signed it.
 * Nothing that anybody else wrote does, whatever it says of itself.
 */
export const supersedes = (crl: ParsedCrl, before: ParsedCrl): boolean =>
  before.provenSigner !== undefined &&
  isOfOneSeries(crl, before) &&
  !isOlder(crl, before) &&
  crl.isSignedBy(before.provenSigner)

// Each key of an authority has lists of its own, which need not count together.
const isOfOneSeries = (a: ParsedCrl, b: ParsedCrl): boolean =>
  a.issuer.comparable === b.issuer.comparable &&
  a.authorityKeyId === b.authorityKeyId &&
  a.scope.comparable === b.scope.comparable &&
  a.isDelta === b.isDelta
