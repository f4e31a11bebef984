import { createHmac, timingSafeEqual, webcrypto } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { Algorithm, SecretAlgorithm } from './algorithms.ts'
import { loadJose } from './load-jose.ts'
import type { PublicJwk } from './public-key.ts'

/** A key made ready for one algorithm: of a public key, bound to its kind, its curve and its hash; or a secret. */
export type ImportedKey = CryptoKey | Uint8Array

/** Makes a public key ready for one algorithm. Rejects where key and algorithm do not belong together. */
export async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<ImportedKey> {
  const { importJWK } = await loadJose()
  return importJWK(jwk, algorithm)
}

/**
 * Whether a compact JWS was signed with the key (RFC 7515 §5.2). INVARIANT: `parseCompactJws` has taken it for well-formed,
 * so its text is ASCII and its signature has one spelling. Never rejects.
 *
 * This is all that stands between a stranger and a claim, and all that most refusals cost: the signature is handed to the
 * platform as it is, with nothing parsed again and no exception to say no.
 */
export async function isSignedWith(
  jws: string,
  key: ImportedKey | Promise<ImportedKey>,
  algorithm: Algorithm | SecretAlgorithm,
): Promise<boolean> {
  const end = jws.lastIndexOf('.')
  const input = Buffer.from(jws.slice(0, end), 'latin1')
  const signature = Buffer.from(jws.slice(end + 1), 'base64url')
  try {
    const imported = await key
    if (imported instanceof Uint8Array) return isMacOf(input, signature, imported, algorithm)
    return await webcrypto.subtle.verify(parametersOf(algorithm), imported, signature, input)
  } catch {
    return false
  }
}

// RFC 7518 §3.2. A secret never serves an algorithm of public keys.
function isMacOf(input: Buffer, signature: Buffer, secret: Uint8Array, algorithm: string): boolean {
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
