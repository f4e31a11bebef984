// The keys behind test certificates, made and exported by Web Crypto.
import { KeyObject, webcrypto } from 'node:crypto'

/** Kind of key a certificate is for: P-256, RSA 2048, or an RSA key that is too short to be trusted. */
export type CertificateKeyKind = 'ec' | 'rsa' | 'rsa-1024'

/** Makes a new key pair of this kind. */
export async function generateCertificateKeys(kind: CertificateKeyKind): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyParameters[kind], true, ['sign', 'verify'])
}

/** The same private key, able to sign with this hash: Web Crypto ties an RSA key to the hash it was made for. */
export async function keyForHash(
  key: webcrypto.CryptoKey,
  hash: 'SHA-256' | 'SHA-1',
): Promise<webcrypto.CryptoKey> {
  if (hash === 'SHA-256' || key.algorithm.name !== rsa.name) return key
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key)
  return webcrypto.subtle.importKey('pkcs8', pkcs8, { name: rsa.name, hash }, false, ['sign'])
}

/** A private key as PKCS#8 PEM. */
export function privateKeyToPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1) }
const keyParameters = {
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  rsa: { ...rsa, modulusLength: 2048 },
  'rsa-1024': { ...rsa, modulusLength: 1024 },
}
