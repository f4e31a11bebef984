// Signatures as the numbers that they are: the orders of their groups, and other spellings of the same number.
import { segmentsOf, type Original } from './original.ts'

/** The same token with its signature changed. */
export function withSignature(original: Original, change: (octets: Buffer) => Buffer): string {
  const [header, payload, signature] = segmentsOf(original)
  return `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`
}

export const orders: Readonly<Record<string, bigint>> = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ES512:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
}
export const edwardsOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** (r, n − s) verifies wherever (r, s) does. */
export function ecdsaTwin(algorithm: string, octets: Buffer): Buffer {
  const half = octets.length / 2
  const s = numberOf(octets.subarray(half))
  return Buffer.concat([octets.subarray(0, half), octetsOf((orders[algorithm] ?? 0n) - s, half)])
}

/** s + L is the same number modulo L; RFC 8032 §5.1.7 has it refused. */
export function edwardsTwin(octets: Buffer): Buffer {
  const s = numberOf(Buffer.from(octets.subarray(32).toReversed())) + edwardsOrder
  return Buffer.concat([octets.subarray(0, 32), octetsOf(s, 32).toReversed()])
}

/** The signature plus the modulus; RFC 8017 §5.2.2 has it refused. */
export function rsaTwin({ publicKey }: Original, octets: Buffer): Buffer {
  const { n = '' } = publicKey?.export({ format: 'jwk' }) ?? {}
  const twin = numberOf(octets) + numberOf(Buffer.from(n, 'base64url'))
  return octetsOf(twin, twin >= 1n << BigInt(octets.length * 8) ? octets.length + 1 : octets.length)
}

/** Algorithms that a key can be used with, other than its own. */
export function relatives(algorithm: string): readonly string[] {
  const family = ['RS', 'PS'].some((name) => algorithm.startsWith(name))
    ? ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
    : ['ES', 'HS'].some((name) => algorithm.startsWith(name))
      ? ['256', '384', '512'].map((bits) => algorithm.slice(0, 2) + bits)
      : []
  return family.filter((name) => name !== algorithm)
}

export const numberOf = (octets: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(octets).toString('hex') || '0'}`)

export const octetsOf = (number: bigint, length: number): Buffer =>
  Buffer.from(
    number
      .toString(16)
      .padStart(length * 2, '0')
      .slice(-length * 2),
    'hex',
  )
