import { LRUCache } from 'lru-cache'

/** A result that may be relied on only as long as it says so itself. */
export interface Mortal {
  isAlive(nowMs: number): boolean
}

/**
 * What was verified, bounded in number. Found by a short key, confirmed by a digest of the whole credential, asked
 * whether it is alive on every hit. Refused credentials are never inserted, so garbage cannot displace anything.
 */
export class VerificationCache<T extends Mortal> {
  readonly #entries: LRUCache<string, { readonly digest: string; readonly result: T }>

  constructor(maxEntries: number) {
    this.#entries = new LRUCache({ max: maxEntries })
  }

  find(key: string, digest: string | (() => string), nowMs: number): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // INVARIANT: the key only finds; equality of the digest is what makes it the same credential.
    if (entry.digest !== (typeof digest === 'string' ? digest : digest())) return undefined
    if (entry.result.isAlive(nowMs)) return entry.result
    this.#entries.delete(key)
    return undefined
  }

  insert(key: string, digest: string, result: T): void {
    this.#entries.set(key, { digest, result })
  }

  get size(): number {
    return this.#entries.size
  }

  clear(): void {
    this.#entries.clear()
  }
}
