import type { JWK } from 'jose'
import { isRecord } from './json-object.ts'
import { isRocaModulus } from './roca.ts'

/** A public key whose kind is known, whose numbers are spelled canonically, and whose strength suffices. */
export type PublicJwk = Readonly<JWK> & { readonly [checked]: true }

declare const checked: unique symbol

/**
 * Parses a JWK (RFC 7517 §4) as a public key. `private` where it gives a secret away: whoever published it can no longer
 * be told from anybody else. Undefined where it is of a kind that nobody here uses, or too weak or too large to be used.
 */
export function parsePublicKey(jwk: unknown): PublicJwk | 'private' | undefined {
  if (!isRecord(jwk)) return undefined
  if (isPrivate(jwk)) return 'private'
  const { kty, key_ops: operations, ext } = jwk
  if (texts.some((name) => jwk[name] !== undefined && typeof jwk[name] !== 'string')) return undefined
  if (operations !== undefined && !isListOfNames(operations)) return undefined
  if ((ext !== undefined && typeof ext !== 'boolean') || 'oth' in jwk) return undefined
  const isUsable =
    kty === 'RSA' ? isSaneRsa(jwk) : typeof kty === 'string' && hasOctets(jwk, octetsOf(kty, jwk))
  return isUsable ? (jwk as PublicJwk) : undefined // every member that a verifier reads has been looked at
}

// All that WebCrypto reads as text where it stands in a JWK, of whatever kind that is. INVARIANT: whether a key can be
// imported is decided by the members that make it, so that one which was imported before is as good as any of its copies.
const texts = ['kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi'] as const

/** Member → its length in octets: full-size coordinates (RFC 7518 §6.2.1, RFC 8037 §2) and ML-DSA keys (RFC 9964). */
function octetsOf(kty: string, { crv, alg }: Record<string, unknown>): Record<string, number> | undefined {
  if (kty === 'EC') {
    const length = typeof crv === 'string' ? coordinateLengths.get(crv) : undefined
    return length === undefined ? undefined : { x: length, y: length }
  }
  if (kty === 'OKP') return crv === 'Ed25519' ? { x: 32 } : undefined
  const length = kty === 'AKP' && typeof alg === 'string' ? mlDsaLengths.get(alg) : undefined
  return length === undefined ? undefined : { pub: length }
}

const coordinateLengths: ReadonlyMap<string, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
])

const mlDsaLengths: ReadonlyMap<string, number> = new Map([
  ['ML-DSA-44', 1312],
  ['ML-DSA-65', 1952],
  ['ML-DSA-87', 2592],
])

const hasOctets = (jwk: Record<string, unknown>, lengths: Record<string, number> | undefined): boolean =>
  lengths !== undefined &&
  Object.entries(lengths).every(([name, length]) => decodeCanonical(jwk[name])?.length === length)

// 2048 bits is today's floor (RFC 7518 §3.3); a huge modulus or exponent makes every check expensive.
function isSaneRsa({ n, e }: Record<string, unknown>): boolean {
  const modulus = decodeCanonical(n)
  const exponent = decodeCanonical(e)
  if (modulus === undefined || exponent === undefined) return false
  // A leading zero is not how a number is written (RFC 7518 §6.3.1.1), and would make a short key look long.
  if (modulus[0] === 0 || exponent[0] === 0) return false
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1
  const isSized = bits >= 2048 && bits <= 8192 && isOdd && exponent.length <= 5 && exponent.compare(one) !== 0
  return isSized && !isRocaModulus(modulus)
}

/** The octets of canonical base64url (RFC 7515 §2), or undefined: one value has one spelling. */
export function decodeCanonical(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const octets = Buffer.from(text, 'base64url')
  return isSpelledCanonically(text, octets.length) ? octets : undefined
}

/** Whether text, of which so many octets came, is what `toString('base64url')` would make of them: found out without making it. */
function isSpelledCanonically(text: string, octets: number): boolean {
  // Node passes over characters that it does not know, and stops at padding: less comes of such text.
  if (text.length !== Math.ceil((octets * 4) / 3)) return false
  // It takes the other alphabet of RFC 4648 for the same, and may see but the lower half of a character.
  if (text.includes('+') || text.includes('/') || Buffer.byteLength(text) !== text.length) return false
  const bitsOver = octets % 3 === 0 ? 0 : octets % 3 === 1 ? 0b1111 : 0b11
  return (sextet(text.charCodeAt(text.length - 1)) & bitsOver) === 0
}

/** What a character of base64url stands for. */
function sextet(code: number): number {
  if (code >= 0x61) return code - 0x61 + 26
  if (code === 0x5f) return 63
  if (code >= 0x41) return code - 0x41
  return code === 0x2d ? 62 : code - 0x30 + 52
}

// RFC 7517 §4.3: no duplicates.
const isListOfNames = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((name) => typeof name === 'string') &&
  new Set(value).size === value.length

// RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 9964. Any part of an RSA key beside modulus and exponent gives all of it away.
const isPrivate = (jwk: Record<string, unknown>): boolean =>
  ['d', 'k', 'priv'].some((name) => name in jwk) ||
  (jwk['kty'] === 'RSA' && ['p', 'q', 'dp', 'dq', 'qi', 'oth'].some((name) => name in jwk))

const one = Buffer.from([1])
