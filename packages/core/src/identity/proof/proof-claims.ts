import { Refusal, quoted } from '../../refusal.ts'
import { isNumericDate, parseJsonObject } from '../jws/json-object.ts'

/** The claims of a DPoP proof (RFC 9449 §4.2), typed and complete. Nothing in them is proven. */
export interface ProofClaims {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  /** Seconds since the epoch, as `exp` and `nbf`. */
  readonly iat: number
  readonly ath: string | undefined
  readonly nonce: string | undefined
  readonly exp: number | undefined
  readonly nbf: number | undefined
}

/** Parses the payload of a proof: every claim that decides anything is there, and of its type. */
export function parseProofClaims(payload: Uint8Array): ProofClaims | Refusal {
  const all = parseJsonObject(payload, maxValues)
  if (all === undefined) return malformed('claims that are a JSON object', 'something else')
  for (const name of ['jti', 'htm', 'htu', 'iat']) {
    if (all[name] === undefined) return malformed(`\`${name}\``, `no \`${name}\``)
  }
  for (const name of ['jti', 'htm', 'htu', 'ath', 'nonce']) {
    const value = all[name]
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      return malformed(`\`${name}\`: a string`, value === '' ? 'an empty one' : quoted(value))
    }
  }
  for (const name of ['iat', 'exp', 'nbf']) {
    const value = all[name]
    if (value !== undefined && !isNumericDate(value)) {
      return malformed(`\`${name}\`: a number of seconds`, quoted(value))
    }
  }
  const { jti, htm, htu, iat, ath, nonce, exp, nbf } = all as unknown as ProofClaims // the loops have looked at each
  if (jti.length > maxIdLength) {
    return malformed(`\`jti\`: at most ${maxIdLength} characters`, `${jti.length}`)
  }
  return { jti, htm, htu, iat, ath, nonce, exp, nbf }
}

export const malformed = (expected: string, actual: string): Refusal =>
  new Refusal('dpop_proof_malformed', { expected, actual })

const maxIdLength = 256
// Members and elements: a proof has eight, and whatever else its sender likes.
const maxValues = 64
