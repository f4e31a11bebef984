import type { CryptoKey } from 'jose'
import type { Algorithm, SecretAlgorithm } from './algorithms.ts'
import { loadJose } from './load-jose.ts'
import type { PublicJwk } from './public-key.ts'

/** A key made ready for one algorithm. */
export type ImportedKey = CryptoKey | Uint8Array

/** Makes a public key ready for one algorithm. Rejects where key and algorithm do not belong together. */
export async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<ImportedKey> {
  const { importJWK } = await loadJose()
  return importJWK(jwk, algorithm)
}

/** Whether this very compact JWS was signed with the key (RFC 7515 §5.2). Never rejects. */
export async function isSignedWith(
  jws: string,
  key: ImportedKey | Promise<ImportedKey>,
  algorithm: Algorithm | SecretAlgorithm,
): Promise<boolean> {
  try {
    const { compactVerify } = await loadJose()
    await compactVerify(jws, await key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}
