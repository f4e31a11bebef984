import { constants } from 'node:crypto'
import { isRocaModulus } from '../jws/roca.ts'
import { DerReader, readWhole, tags } from './der.ts'
import { hexOf, takeBits, takeInteger, takeOid } from './der-values.ts'

/**
 * True for an AlgorithmIdentifier, in DER, of a signature that counts: ECDSA, RSA PKCS #1 v1.5 and RSASSA-PSS with SHA-256, -384 or
 * -512, and Ed25519. INVARIANT: algorithms are compared with their parameters, octet for octet, since parameters decide as
 * much as names do: the hash of a PSS signature is a parameter.
 */
export const isStrongSignature = (algorithm: Uint8Array): boolean => signatureScheme(algorithm) !== undefined

/** How such a signature is checked; undefined for one that does not count. */
export const signatureScheme = (algorithm: Uint8Array): SignatureScheme | undefined =>
  strongSignatures.get(hexOf(algorithm))

/** What OpenSSL is told beside the key. */
export interface SignatureScheme {
  /** Node's names of the keys that can have made it. */
  readonly keyTypes: readonly string[]
  /** Null where the algorithm has its own. */
  readonly hash: string | null
  /** RSASSA-PSS alone needs these. */
  readonly padding?: number
  readonly saltLength?: number
}

/**
 * True for a SubjectPublicKeyInfo, in DER, whose key counts: P-256, P-384 or P-521 by name, Ed25519, or RSA from 2048 to 8192
 * bits. Throws `MalformedDer` where it is none.
 */
export function isStrongKey(spki: Uint8Array): boolean {
  const [algorithm, key] = readWhole(
    spki,
    tags.sequence,
    (reader) => [reader.take(), takeBits(reader)] as const,
  )
  const name = hexOf(algorithm.whole)
  if (strongCurves.has(name)) return true
  const type = takeOid(new DerReader(algorithm.content))
  const isRsa = name === rsaKey || type === rsaPss
  return isRsa && isStrongRsa(key)
}

// A huge exponent is legal and makes each signature check take tens of milliseconds.
function isStrongRsa(key: Uint8Array): boolean {
  const [modulus, exponent] = readWhole(
    key,
    tags.sequence,
    (reader) => [takeInteger(reader), takeInteger(reader)] as const,
  )
  // An integer in its shortest form has a leading zero for its sign alone, in front of whole octets of a positive number.
  const isWhole = modulus[0] === 0
  const bits = (modulus.length - 1) * 8
  // OpenSSL takes a negative exponent for a positive one.
  if ((exponent[0] ?? 0xff) >= 0x80) return false
  const e = BigInt(`0x${hexOf(exponent)}`)
  const isSound = ((modulus.at(-1) ?? 0) & 1) === 1 && e >= 3n && e < 2n ** 32n && (e & 1n) === 1n
  return isWhole && isSound && bits >= 2048 && bits <= 8192 && !isRocaModulus(modulus)
}

const rsaPss = '1.2.840.113549.1.1.10'
const rsaKey = '300d06092a864886f70d0101010500'
const strongCurves: ReadonlySet<string> = new Set([
  '301306072a8648ce3d020106082a8648ce3d030107', // P-256
  '301006072a8648ce3d020106052b81040022', // P-384
  '301006072a8648ce3d020106052b81040023', // P-521
  '300506032b6570', // Ed25519
])

// RFC 4055 §3.1: the mask is made with the same hash, the salt has its length, the trailer is the default. The NULL
// behind a hash may be left out (RFC 4055 §2.1).
function pssWith(hashNumber: string, saltLength: number, withNull: boolean): string {
  const sha = `0609608648016503040${hashNumber}${withNull ? '0500' : ''}`
  const hash = sequence(sha)
  const mask = sequence(`06092a864886f70d010108${hash}`)
  const salt = `0201${saltLength.toString(16)}`
  const parameters = sequence(`a0${withLength(hash)}a1${withLength(mask)}a2${withLength(salt)}`)
  return sequence(`06092a864886f70d01010a${parameters}`)
}

// Short enough for a length of one octet.
const withLength = (hex: string): string => (hex.length / 2).toString(16).padStart(2, '0') + hex
const sequence = (hex: string): string => `30${withLength(hex)}`

const hashes = [
  { hash: 'sha256', ecdsa: '02', pkcs1: '0b', number: '201', octets: 32 },
  { hash: 'sha384', ecdsa: '03', pkcs1: '0c', number: '202', octets: 48 },
  { hash: 'sha512', ecdsa: '04', pkcs1: '0d', number: '203', octets: 64 },
] as const

const strongSignatures: ReadonlyMap<string, SignatureScheme> = new Map([
  ...hashes.flatMap(({ hash, ecdsa, pkcs1, number, octets }): [string, SignatureScheme][] => {
    const rsa = { keyTypes: ['rsa'], hash }
    const pss = {
      keyTypes: ['rsa', 'rsa-pss'],
      hash,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: octets,
    }
    return [
      [sequence(`06082a8648ce3d0403${ecdsa}`), { keyTypes: ['ec'], hash }],
      // The parameters are NULL, and absent ones count as that (RFC 4055 §5).
      [sequence(`06092a864886f70d0101${pkcs1}0500`), rsa],
      [sequence(`06092a864886f70d0101${pkcs1}`), rsa],
      [pssWith(number, octets, true), pss],
      [pssWith(number, octets, false), pss],
    ]
  }),
  ['300506032b6570', { keyTypes: ['ed25519'], hash: null }],
])
