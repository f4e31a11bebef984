import { Refusal } from '../../refusal.ts'

/** The refusal of a header that a proxy should have written otherwise. Never repeats what came: it is somebody's credential. */
export const malformed = (expected: string, actual?: string): Refusal =>
  new Refusal('forwarded_certificate_malformed', {
    expected,
    ...(actual === undefined ? {} : { actual }),
    advice:
      'compare the configuration of the proxy with the preset that is named in `certificates.forwarded`',
  })

/** Longer values are refused before anything is decoded: ten certificates of the largest kind do not fill it. */
export const maxHeaderLength = 256 * 1024

/** A leaf and what may stand between it and a root. Longer chains are nobody's. */
export const maxCertificates = 10
