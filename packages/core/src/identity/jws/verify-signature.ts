import { createHmac, timingSafeEqual, webcrypto } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { Algorithm, SecretAlgorithm } from './algorithms.ts'
import type { SignedText } from './compact-jws.ts'
import { loadJose } from './load-jose.ts'
import { NativeKey } from './native-key.ts'
import type { PublicJwk } from './public-key.ts'

/** A public key made ready for one algorithm, bound to its kind, its curve and its hash. */
export interface ReadyKey {
  readonly algorithm: Algorithm
  readonly cryptoKey: CryptoKey
  /** The same for the fast path; undefined for algorithms that it has not. */
  readonly native: NativeKey | undefined
  /** Octets of every signature that it makes; undefined where the platform looks after that. */
  readonly signatureLength: number | undefined
}

/** A key made ready: a public one, or a secret. */
export type ImportedKey = ReadyKey | Uint8Array

/** Makes a public key ready for one algorithm. Rejects where key and algorithm do not belong together. */
export async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<ReadyKey> {
  const { importJWK } = await loadJose()
  const cryptoKey = await importJWK(jwk, algorithm)
  if (cryptoKey instanceof Uint8Array) throw new Error('a public key was taken for a secret')
  const native = NativeKey.from(cryptoKey, algorithm)
  // RFC 8017 §8.1.2, §8.2.2: as long as the modulus. OpenSSL takes one of PSS also without the zeros that it begins with.
  const signatureLength = jwk.kty === 'RSA' ? Buffer.byteLength(jwk.n ?? '', 'base64url') : undefined
  return { algorithm, cryptoKey, native, signatureLength }
}

/**
 * Whether a compact JWS was signed with the key (RFC 7515 §5.2). INVARIANT: `parseCompactJws` has taken it for well-formed,
 * so its text is ASCII and its signature had one spelling. Never rejects. At once where the key is ready.
 *
 * This is all that stands between a stranger and a claim, and all that most refusals cost: the signature is handed to the
 * platform as it is, with nothing parsed again and no exception to say no.
 */
export function isSignedWith(
  jws: SignedText,
  key: ImportedKey | Promise<ImportedKey>,
  algorithm: Algorithm | SecretAlgorithm,
  by: By = 'loop',
): boolean | Promise<boolean> {
  return key instanceof Promise
    ? key.then((ready) => isSignedBy(jws, ready, algorithm, by)).catch(() => false)
    : isSignedBy(jws, key, algorithm, by)
}

/** Where a signature is checked: in this very turn of the event loop, on a thread beside it, or by WebCrypto, on a thread as well. */
export type By = 'loop' | 'thread' | 'webcrypto'

function isSignedBy(
  { signed, signature }: SignedText,
  key: ImportedKey,
  algorithm: Algorithm | SecretAlgorithm,
  by: By,
): boolean | Promise<boolean> {
  const input = Buffer.from(signed, 'latin1')
  if (key instanceof Uint8Array) return isMacOf(input, signature, key, algorithm)
  // INVARIANT: a key verifies by the algorithm that it was made ready for, and by no other.
  if (key.algorithm !== algorithm) return false
  if (key.signatureLength !== undefined && signature.length !== key.signatureLength) return false
  if (by !== 'webcrypto' && key.native !== undefined) {
    return by === 'loop' ? key.native.verifies(input, signature) : key.native.verifiesAside(input, signature)
  }
  return webcrypto.subtle.verify(parametersOf(algorithm), key.cryptoKey, signature, input).catch(() => false)
}

// RFC 7518 §3.2. A secret never serves an algorithm of public keys.
function isMacOf(input: Buffer, signature: Uint8Array, secret: Uint8Array, algorithm: string): boolean {
  const bits = /^HS(256|384|512)$/.exec(algorithm)?.[1]
  if (bits === undefined) return false
  const mac = createHmac(`sha${bits}`, secret).update(input).digest()
  return mac.length === signature.length && timingSafeEqual(mac, signature)
}

/** RFC 7518 §3.3-3.5, RFC 8037 §3.1, RFC 9964: what the imported key does not say by itself. */
function parametersOf(algorithm: Algorithm | SecretAlgorithm) {
  const bits = algorithm.slice(2)
  if (algorithm.startsWith('ES')) return { name: 'ECDSA', hash: `SHA-${bits}` }
  if (algorithm.startsWith('PS')) return { name: 'RSA-PSS', saltLength: Number(bits) / 8 }
  if (algorithm.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5' }
  return { name: algorithm === 'EdDSA' ? 'Ed25519' : algorithm }
}
