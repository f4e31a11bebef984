import { X509Certificate, createPublicKey } from 'node:crypto'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import {
  isSecretAlgorithm,
  secretLength,
  type Algorithm,
  type SecretAlgorithm,
} from '../identity/jws/algorithms.ts'

/** Parses `secret` for these algorithms. Throws a ConfigurationError where it is too short, or no secret at all. */
export function parseSecret(
  secret: unknown,
  algorithms: ReadonlySet<Algorithm | SecretAlgorithm>,
  option: string,
): Uint8Array {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new ConfigurationError(option, `expected text or octets, got ${describeValue(secret)}`)
  }
  const octets = Uint8Array.from(Buffer.from(secret as Uint8Array)) // of text, Buffer takes UTF-8; the copy is nobody else's
  const needed = Math.max(
    ...[...algorithms].map((name) => (isSecretAlgorithm(name) ? secretLength(name) : Infinity)),
  )
  if (octets.length < needed) {
    throw new ConfigurationError(option, `expected at least ${needed} octets, got ${octets.length}`)
  }
  if (isKey(Buffer.from(octets))) {
    throw new ConfigurationError(
      option,
      'this is a key or a certificate, not a secret: write the key into `jwks`',
    )
  }
  return octets
}

/** What everybody may read is no secret, whatever it is called (RFC 8725 §2.1): PEM, JWK, DER, or base64 of DER. */
function isKey(octets: Buffer): boolean {
  const text = octets.toString('latin1')
  if (/-----BEGIN |^\s*[[{][^]*"kty"/.test(text)) return true
  return [octets, Buffer.from(text, 'base64')].some((der) => isPublicKey(der) || isCertificate(der))
}

function isPublicKey(der: Buffer): boolean {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' }).type === 'public'
  } catch {
    return false
  }
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0
  } catch {
    return false
  }
}
