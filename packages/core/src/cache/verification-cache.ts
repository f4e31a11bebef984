/** A result that may be relied on only as long as it says so itself. */
export interface Mortal {
  isAlive(nowMs: number): boolean
}

interface Entry<T> {
  readonly digest: string
  readonly result: T
}

/**
 * What was verified, bounded in number. Found by a short key, confirmed by a digest of the whole credential, asked
 * whether it is alive on every hit. Refused credentials are never inserted, so garbage cannot displace anything.
 * Two generations: when the young one is full the old one is dropped whole, and what is still used moves on.
 */
export class VerificationCache<T extends Mortal> {
  readonly #entriesPerGeneration: number
  #young = new Map<string, Entry<T>>()
  #old = new Map<string, Entry<T>>()

  constructor(maxEntries: number) {
    this.#entriesPerGeneration = Math.max(1, Math.floor(maxEntries / 2))
  }

  find(key: string, digest: string | (() => string), nowMs: number): T | undefined {
    const young = this.#young.get(key)
    const entry = young ?? this.#old.get(key)
    if (entry === undefined) return undefined
    // INVARIANT: the key only finds; equality of the digest is what makes it the same credential.
    if (entry.digest !== (typeof digest === 'string' ? digest : digest())) return undefined
    if (!entry.result.isAlive(nowMs)) {
      this.#young.delete(key)
      this.#old.delete(key)
      return undefined
    }
    if (young === undefined) this.insert(key, entry.digest, entry.result)
    return entry.result
  }

  insert(key: string, digest: string, result: T): void {
    if (this.#young.size >= this.#entriesPerGeneration && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#old.delete(key)
    this.#young.set(key, { digest, result })
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
