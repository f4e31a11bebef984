import { VerificationCache } from '../../cache/verification-cache.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import type { ImportedKey } from '../jws/verify-signature.ts'

interface KnownKey {
  readonly imported: ImportedKey | Promise<ImportedKey>
  isAlive(): boolean
}

/**
 * Keys that verified tokens are bound to, ready for use: importing one costs as much as checking a signature, and most
 * callers keep theirs for long. Nothing else of a proof is remembered here.
 */
export class KnownKeys {
  readonly #keys = new VerificationCache<KnownKey>(maxKeys)

  find(jkt: string, algorithm: Algorithm): ImportedKey | Promise<ImportedKey> | undefined {
    const name = nameOf(jkt, algorithm)
    return this.#keys.find(name, 0)?.imported
  }

  /** Only once its thumbprint was found in a verified token: garbage displaces nothing. */
  keep(jkt: string, algorithm: Algorithm, imported: ImportedKey | Promise<ImportedKey>): void {
    const name = nameOf(jkt, algorithm)
    if (this.#keys.find(name, 0) === undefined) this.#keys.insert(name, { imported, isAlive })
  }
}

// An imported key is for one algorithm. The thumbprint stands for all members that make the key.
const nameOf = (jkt: string, algorithm: Algorithm): string => `${algorithm} ${jkt}`

const isAlive = (): boolean => true

const maxKeys = 1000
