import { hash } from 'node:crypto'
import type { PublicJwk } from '../jws/public-key.ts'

/**
 * The SHA-256 thumbprint of a public key (RFC 7638 §3, RFC 9964 §6 for `AKP`) in base64url. Made of the required members
 * alone, in their order: what else a caller writes into its key changes nothing.
 */
export function jwkThumbprint({ kty, crv, e, n, x, y, alg, pub }: PublicJwk): string {
  const members = {
    EC: { crv, kty, x, y },
    OKP: { crv, kty, x },
    RSA: { e, kty, n },
    AKP: { alg, kty, pub },
  }[kty as 'EC' | 'OKP' | 'RSA' | 'AKP'] // `parsePublicKey` knows no others
  return hash('sha256', JSON.stringify(members), 'base64url')
}
