import { ConfigurationError } from '../configuration-error.ts'
import { maxTokenLength } from '../evidence/length.ts'
import { algorithms, isAlgorithm, isAvailable, type Algorithm } from '../identity/jws/algorithms.ts'
import { requireStrings } from './option-values.ts'

/** The algorithms that proofs may be signed with unless said otherwise. */
export const proofAlgorithms: readonly Algorithm[] = ['ES256', 'ES384', 'Ed25519', 'EdDSA', 'PS256', 'RS256']

/** Checks a list of algorithms for proofs. Throws a ConfigurationError that says what to write instead. */
export function requireProofAlgorithms(given: unknown, option: string): readonly Algorithm[] {
  const names = requireStrings(given, option)
  if (names.length === 0 || !names.every(isAlgorithm)) {
    throw new ConfigurationError(option, `expected some of ${fitting.join(', ')}`)
  }
  for (const name of names) {
    if (!fitting.includes(name)) {
      throw new ConfigurationError(
        option,
        `proofs by ${name} are longer than the ${maxTokenLength} characters that are read`,
      )
    }
    if (!isAvailable(name)) {
      throw new ConfigurationError(
        option,
        `the running Node cannot verify ${name}: leave it out, or use Node 24`,
      )
    }
  }
  return names
}

// The public key stands in the proof beside the signature, and both are encoded, the key twice.
const fitting: readonly Algorithm[] = algorithms.filter(
  (name) => name !== 'ML-DSA-65' && name !== 'ML-DSA-87',
)
