import { Generations, unweighed, type Weight } from './generations.ts'

/** A result that may be relied on only as long as it says so itself. */
export interface Mortal {
  isAlive(nowMs: number): boolean
}

/**
 * What was verified, bounded in number, and in octets where it is weighed. Found by a digest of the whole credential, so that equality of
 * the key makes it the same one, and asked whether it is alive on every hit. Refused credentials are never inserted, so garbage
 * cannot displace anything. What was longest unused goes first.
 *
 * A large cache has shards: a map that grows is copied whole, in one turn of the event loop.
 */
export class VerificationCache<T extends Mortal> {
  readonly #shards: readonly Generations<T>[]
  readonly #shift: number

  constructor(maxEntries: number, { maxBytes, bytesOf }: Weight<T> = unweighed) {
    const bits = Math.ceil(Math.max(0, Math.log2(Math.min(maxEntries / entriesEach, maxBytes / bytesEach))))
    const count = 2 ** bits
    this.#shift = 32 - bits
    const weight = { maxBytes: maxBytes / count, bytesOf }
    this.#shards = Array.from({ length: count }, () => new Generations(Math.ceil(maxEntries / count), weight))
  }

  find(digest: string, nowMs: number): T | undefined {
    const shard = this.#shardOf(digest)
    const result = shard?.find(digest)
    if (result === undefined || result.isAlive(nowMs)) return result
    shard?.delete(digest)
    return undefined
  }

  insert(digest: string, result: T): void {
    this.#shardOf(digest)?.insert(digest, result)
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear()
  }

  // Multiplied by the golden ratio (Knuth, volume 3, §6.4), the upper bits differ even where digests are written in a small alphabet.
  #shardOf(digest: string): Generations<T> | undefined {
    if (this.#shards.length === 1) return this.#shards[0]
    const start = (digest.charCodeAt(0) << 8) | digest.charCodeAt(1)
    return this.#shards[Math.imul(start, 0x9e3779b1) >>> this.#shift]
  }
}

// At most, for a shard: the first is copied in about a millisecond, and the second still holds many credentials.
const entriesEach = 32_768
const bytesEach = 2 ** 20
