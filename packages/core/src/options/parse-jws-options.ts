import { ConfigurationError, describeValue } from '../configuration-error.ts'
import {
  algorithms as publicAlgorithms,
  isAlgorithm,
  isSecretAlgorithm,
  keyFits,
  secretLength,
  type Algorithm,
  type SecretAlgorithm,
} from '../identity/jws/algorithms.ts'
import { isRecord } from '../identity/jws/json-object.ts'
import { parsePublicKey } from '../identity/jws/public-key.ts'
import { parseSecretKey, secretFits } from '../identity/jws/secret-key.ts'
import { importKey, type ImportedKey } from '../identity/jws/verify-signature.ts'
import { requireKnownKeys, requireStrings } from './option-values.ts'

/** Which keys may have signed a JWS, and how. */
export interface CompactJwsOptions {
  /**
   * The keys, as an object (RFC 7517 §5). Public keys; or, where `algorithms` are those of HMAC, shared secrets alone.
   * Keys of other kinds, too weak or meant for something else are passed over.
   */
  readonly jwks: { readonly keys: readonly object[] }
  /** The algorithms that are accepted, either of public keys or of secrets. What the JWS says chooses among them only. */
  readonly algorithms: readonly [Algorithm, ...Algorithm[]] | readonly [SecretAlgorithm, ...SecretAlgorithm[]]
}

/** A key of a set, and what it can be used for. */
export interface VerificationKey {
  readonly kid: string | undefined
  fits(algorithm: Algorithm | SecretAlgorithm): boolean
  import(algorithm: Algorithm | SecretAlgorithm): ImportedKey | Promise<ImportedKey>
}

export interface ParsedJwsOptions {
  readonly keys: readonly VerificationKey[]
  readonly algorithms: ReadonlySet<Algorithm | SecretAlgorithm>
}

/** Parses what a JWS is to be verified with. Throws a ConfigurationError that says what to write instead. */
export function parseJwsOptions(options: CompactJwsOptions): ParsedJwsOptions {
  requireKnownKeys(options, '', ['jwks', 'algorithms'])
  const names = requireStrings(options.algorithms, 'algorithms')
  const jwks = requireKeys(options.jwks)
  if (names.length > 0 && names.every(isAlgorithm)) {
    return { keys: publicKeys(jwks), algorithms: new Set(names) }
  }
  if (names.length > 0 && names.every(isSecretAlgorithm)) {
    return { keys: secrets(jwks, names), algorithms: new Set(names) }
  }
  throw new ConfigurationError(
    'algorithms',
    `expected some of ${publicAlgorithms.join(', ')}, or some of HS256, HS384, HS512 alone beside shared secrets`,
  )
}

function requireKeys(jwks: unknown): readonly unknown[] {
  // Text that looks like a key set has been taken for an HMAC secret elsewhere.
  if (typeof jwks === 'string') {
    throw new ConfigurationError('jwks', 'expected an object, got text: write JSON.parse(…)')
  }
  if (isRecord(jwks) && Array.isArray(jwks['keys'])) return jwks['keys']
  throw new ConfigurationError(
    'jwks',
    `expected a JWK Set, got ${describeValue(jwks)}: write { keys: [jwk] }`,
  )
}

function publicKeys(jwks: readonly unknown[]): readonly VerificationKey[] {
  return jwks.flatMap((key, i) => {
    const jwk = parsePublicKey(key)
    if (jwk === undefined) return []
    if (jwk === 'private') {
      throw new ConfigurationError(
        `jwks.keys[${i}]`,
        'expected a public key, got a private or symmetric one: whoever verifies must not be able to sign',
      )
    }
    return {
      kid: jwk.kid,
      fits: (algorithm) => isAlgorithm(algorithm) && keyFits(jwk, algorithm),
      import: (algorithm) => importKey(jwk, algorithm as Algorithm), // it fits
    }
  })
}

// Nobody publishes secrets: whoever verifies has written this set, and every member of it that is wrong is a mistake.
function secrets(jwks: readonly unknown[], names: readonly SecretAlgorithm[]): readonly VerificationKey[] {
  return jwks.map((key, i) => {
    const secret = parseSecretKey(key)
    if (secret === undefined) {
      throw new ConfigurationError(
        `jwks.keys[${i}]`,
        'expected a shared secret, since `algorithms` are those of HMAC: { kty: "oct", k: its octets in base64url }',
      )
    }
    const meantFor = names.filter((name) => (secret.alg ?? name) === name)
    if (meantFor.length > 0 && meantFor.every((name) => secret.octets.length < secretLength(name))) {
      throw new ConfigurationError(
        `jwks.keys[${i}]`,
        'the secret is too short: HS256 needs 32 octets, HS384 needs 48, HS512 needs 64 (RFC 7518 §3.2)',
      )
    }
    return {
      kid: secret.kid,
      fits: (algorithm) => isSecretAlgorithm(algorithm) && secretFits(secret, algorithm),
      import: () => secret.octets,
    }
  })
}
