/** A bound in octets, and about how many a result keeps in memory, which is always the same for one result. */
export interface Weight<T> {
  readonly maxBytes: number
  readonly bytesOf: (result: T) => number
}

/**
 * Two generations: where the young one is full the old one is dropped whole, and what is still used moves on. So there is no order of
 * use to be kept up on every hit.
 */
export class Generations<T> {
  readonly #maxEntriesEach: number
  readonly #maxBytesEach: number
  readonly #bytesOf: (result: T) => number
  #young = new Map<string, T>()
  #old = new Map<string, T>()
  #youngBytes = 0

  constructor(maxEntries: number, { maxBytes, bytesOf }: Weight<T>) {
    this.#maxEntriesEach = Math.max(1, Math.floor(maxEntries / 2))
    this.#maxBytesEach = maxBytes / 2
    this.#bytesOf = bytesOf
  }

  find(key: string): T | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.insert(key, old)
    return old
  }

  /** What is larger than a generation may be has one to itself. */
  insert(key: string, result: T): void {
    const before = this.#young.get(key)
    if (before !== undefined) this.#youngBytes -= this.#bytesOf(before)
    const bytes = this.#bytesOf(result)
    const isFull = this.#young.size >= this.#maxEntriesEach || this.#youngBytes + bytes > this.#maxBytesEach
    if (isFull && before === undefined) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#young.set(key, result)
    this.#youngBytes += bytes
  }

  delete(key: string): void {
    const young = this.#young.get(key)
    if (young !== undefined) this.#youngBytes -= this.#bytesOf(young)
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#youngBytes = 0
  }
}

export const unweighed: Weight<unknown> = { maxBytes: Infinity, bytesOf: () => 0 }
