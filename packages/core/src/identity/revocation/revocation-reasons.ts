import { namedBitsOf } from '../certificate/der-values.ts'

/** Reasons for revocations, as a sum of bits (ReasonFlags of RFC 5280 §4.2.1.13). */
export type RevocationReasons = number

/** All that there are. The first bit of ReasonFlags is not used. */
export const allReasons: RevocationReasons = 0b1_1111_1110

/** The content of a ReasonFlags; all, where it is left out. Throws `MalformedDer`. */
export function reasonsOf(content: Uint8Array | undefined): RevocationReasons {
  if (content === undefined) return allReasons
  const bits = namedBitsOf(content)
  return bits.reduce((sum, isSet, i) => (isSet ? sum | (1 << i) : sum), 0) & allReasons
}
