import { secretLength, type SecretAlgorithm } from './algorithms.ts'
import { isOptionalString, isRecord } from './json-object.ts'
import { decodeCanonical } from './public-key.ts'

/** A shared secret (RFC 7518 §6.4), spelled canonically. */
export interface SecretKey {
  readonly kid: string | undefined
  /** The one algorithm that it is for, if it says so. */
  readonly alg: string | undefined
  readonly octets: Uint8Array
  /** False where `use` or `key_ops` say that it is for something else than checking signatures. */
  readonly isForVerifying: boolean
}

/** Parses a JWK (RFC 7517 §4) as a shared secret, or undefined where it is none. */
export function parseSecretKey(jwk: unknown): SecretKey | undefined {
  if (!isRecord(jwk) || jwk['kty'] !== 'oct') return undefined
  const { kid, alg, use = 'sig', key_ops: operations = ['verify'] } = jwk
  const octets = decodeCanonical(jwk['k'])
  if (octets === undefined || !isOptionalString(kid) || !isOptionalString(alg)) return undefined
  if (typeof use !== 'string' || !Array.isArray(operations)) return undefined
  return { kid, alg, octets, isForVerifying: use === 'sig' && operations.includes('verify') }
}

/** Whether the secret is meant for the algorithm, and as long as its hash at least (RFC 7518 §3.2). */
export const secretFits = (secret: SecretKey, algorithm: SecretAlgorithm): boolean =>
  secret.isForVerifying &&
  (secret.alg ?? algorithm) === algorithm &&
  secret.octets.length >= secretLength(algorithm)
