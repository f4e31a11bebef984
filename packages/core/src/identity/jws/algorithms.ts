import { createPublicKey } from 'node:crypto'
import type { PublicJwk } from './public-key.ts'

/** A JWS algorithm by which a public key verifies. */
export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'Ed25519'
  | 'EdDSA'
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87'

/** A JWS algorithm of one shared secret. Never accepted beside a public key. */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

interface KeyShape {
  readonly kty: string
  readonly crv?: string
  /** A key of this type says itself which algorithm it is for (RFC 9964 §3). */
  readonly mustSayAlg?: true
}

const rsa: KeyShape = { kty: 'RSA' }
const ed25519: KeyShape = { kty: 'OKP', crv: 'Ed25519' }
const mlDsa: KeyShape = { kty: 'AKP', mustSayAlg: true }

/** The one place that knows which kind of key an algorithm takes (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864, RFC 9964). */
const keyShapes: ReadonlyMap<string, KeyShape> = new Map<Algorithm, KeyShape>([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['Ed25519', ed25519],
  ['EdDSA', ed25519], // deprecated name, bound to the one curve
  ['ML-DSA-44', mlDsa],
  ['ML-DSA-65', mlDsa],
  ['ML-DSA-87', mlDsa],
])

/** Octets that a secret needs at least: as many as the hash gives (RFC 7518 §3.2). */
const secretLengths: ReadonlyMap<string, number> = new Map<SecretAlgorithm, number>([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
])

export const algorithms: readonly Algorithm[] = [...keyShapes.keys()] as Algorithm[] // the keys are the type's members

export const isAlgorithm = (name: unknown): name is Algorithm =>
  typeof name === 'string' && keyShapes.has(name)

export const isSecretAlgorithm = (name: unknown): name is SecretAlgorithm =>
  typeof name === 'string' && secretLengths.has(name)

/** Octets that a secret for the algorithm needs at least. */
export const secretLength = (algorithm: SecretAlgorithm): number => secretLengths.get(algorithm) ?? Infinity

/**
 * True if the key may verify a signature made with the algorithm: type and curve fit, and what the key says of its
 * own use (`alg`, `use`, `key_ops`) does not speak against it (RFC 7517 §4.2-4.4).
 */
export function keyFits(jwk: PublicJwk, algorithm: Algorithm): boolean {
  const shape = keyShapes.get(algorithm)
  return (
    shape !== undefined &&
    jwk.kty === shape.kty &&
    (shape.crv === undefined || jwk.crv === shape.crv) &&
    (jwk.alg === undefined ? shape.mustSayAlg !== true : jwk.alg === algorithm) &&
    (jwk.use === undefined || jwk.use === 'sig') &&
    // A public key verifies and does nothing else: with another operation beside, no WebCrypto imports it.
    (jwk.key_ops === undefined || (jwk.key_ops.length === 1 && jwk.key_ops[0] === 'verify'))
  )
}

/** Whether the running Node verifies the algorithm: ML-DSA needs OpenSSL 3.5. */
export const isAvailable = (algorithm: Algorithm): boolean =>
  !algorithm.startsWith('ML-DSA') || (hasMlDsa ??= takesMlDsaKey())

// It takes the making of a key to find out, and never changes.
let hasMlDsa: boolean | undefined

function takesMlDsaKey(): boolean {
  try {
    // Any octets of the right number are a public key (FIPS 204 §7.2).
    const pub = Buffer.alloc(1312).toString('base64url')
    createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-44', pub }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}
