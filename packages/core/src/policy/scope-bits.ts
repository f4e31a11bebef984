import type { ScopeSet } from '../identity/caller.ts'

/** The scopes that requirements name, each with a bit of its own. They come from code, so they are few and stay. */
export class KnownScopes {
  readonly #max: number
  readonly #indexes = new Map<string, number>()
  readonly #names: string[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** The number of a scope; undefined where there are too many to give it one. */
  indexOf(scope: string): number | undefined {
    const index = this.#indexes.get(scope)
    if (index !== undefined || this.#names.length >= this.#max) return index
    this.#indexes.set(scope, this.#names.length)
    return this.#names.push(scope) - 1
  }

  nameOf(index: number): string | undefined {
    return this.#names[index]
  }
}

/**
 * A set of scopes that keeps what it answered, one bit for each known scope: whoever made it is asked once for each, when a
 * route first wants to know. INVARIANT: the set never changes; what depends on time or policy is a new set.
 */
export abstract class ScopesInBits implements ScopeSet {
  #held: Int32Array = noBits
  #asked: Int32Array = noBits

  abstract has(scope: string): boolean
  abstract [Symbol.iterator](): Iterator<string>

  /** Whether every scope of the mask is in the set. */
  hasAll(word: number, mask: number): boolean {
    return ((this.#held[word] ?? 0) & mask) === mask || (this.#ask(word, mask) & mask) === mask
  }

  /** Whether some scope of the mask is in the set. */
  hasAny(word: number, mask: number): boolean {
    return ((this.#held[word] ?? 0) & mask) !== 0 || (this.#ask(word, mask) & mask) !== 0
  }

  #ask(word: number, mask: number): number {
    if (word >= this.#held.length) {
      this.#held = extended(this.#held, word + 1)
      this.#asked = extended(this.#asked, word + 1)
    }
    let held = this.#held[word] ?? 0
    const asked = this.#asked[word] ?? 0
    for (let open = mask & ~asked; open !== 0; open &= open - 1) {
      const bit = open & -open
      const name = knownScopes.nameOf(word * 32 + 31 - Math.clz32(bit))
      if (name !== undefined && this.has(name)) held |= bit
    }
    this.#held[word] = held
    this.#asked[word] = asked | mask
    return held
  }
}

/** The scopes of one requirement, made ready to be looked for in the sets of callers. */
export class AskedScopes {
  readonly #names: readonly string[]
  readonly #masks: readonly { readonly word: number; readonly mask: number }[]
  /** Those without a bit. */
  readonly #others: readonly string[]

  constructor(names: readonly string[], known: KnownScopes = knownScopes) {
    const masks = new Map<number, number>()
    const others: string[] = []
    for (const name of names) {
      const index = known.indexOf(name)
      if (index === undefined) others.push(name)
      else masks.set(index >>> 5, (masks.get(index >>> 5) ?? 0) | (1 << (index & 31)))
    }
    this.#names = names
    this.#masks = [...masks].map(([word, mask]) => ({ word, mask }))
    this.#others = others
  }

  areAllIn(set: ScopeSet): boolean {
    if (!(set instanceof ScopesInBits)) return this.#names.every((name) => set.has(name))
    for (const { word, mask } of this.#masks) if (!set.hasAll(word, mask)) return false
    for (const name of this.#others) if (!set.has(name)) return false
    return true
  }

  isAnyIn(set: ScopeSet): boolean {
    if (!(set instanceof ScopesInBits)) return this.#names.some((name) => set.has(name))
    for (const { word, mask } of this.#masks) if (set.hasAny(word, mask)) return true
    for (const name of this.#others) if (set.has(name)) return true
    return false
  }
}

function extended(bits: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length)
  longer.set(bits)
  return longer
}

const noBits = new Int32Array(0)
// Routes of one process name tens of scopes; what comes after the first thousands is asked by name.
const knownScopes = new KnownScopes(4096)
