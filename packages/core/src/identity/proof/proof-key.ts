import { quoted, type Refusal } from '../../refusal.ts'
import { isAlgorithm, keyFits, type Algorithm } from '../jws/algorithms.ts'
import type { JwsHeader } from '../jws/compact-jws.ts'
import { parsePublicKey, type PublicJwk } from '../jws/public-key.ts'
import { malformed } from './proof-claims.ts'

/** The public key that a proof brings along, and the algorithm it was used with. */
export interface ProofKey {
  readonly jwk: PublicJwk
  readonly algorithm: Algorithm
}

/**
 * Reads the header of a proof (RFC 9449 §4.2). This is the one place where a `jwk` of a header is used: it proves only that
 * the sender holds some key, and the token's `cnf` says which it has to be.
 */
export function readProofKey(
  { typ, alg, all }: JwsHeader,
  algorithms: ReadonlySet<Algorithm>,
): ProofKey | Refusal {
  if (typ !== 'dpop+jwt') return malformed('`typ` "dpop+jwt"', typ === undefined ? 'no `typ`' : quoted(typ))
  if (!isAlgorithm(alg) || !algorithms.has(alg)) return malformed([...algorithms].join(', '), quoted(alg))
  const jwk = parsePublicKey(all['jwk'])
  if (jwk === 'private') return malformed('`jwk`: a public key', 'a private or symmetric one')
  if (jwk === undefined) return malformed('`jwk`: a public key of a kind in use', 'none')
  if (!keyFits(jwk, alg)) return malformed(`\`jwk\`: a key for checking ${alg}`, 'another')
  // The caller chose the key and the server pays for checking with it.
  if ((jwk.n ?? '').length > maxModulusCharacters) {
    return malformed('`jwk`: a modulus of at most 4096 bits', 'a longer one')
  }
  return { jwk, algorithm: alg }
}

const maxModulusCharacters = 683 // 4096 bits in base64url, as `parsePublicKey` has checked it to be
