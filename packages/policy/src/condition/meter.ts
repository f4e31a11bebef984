/**
 * What an evaluation may cost, as a count. One unit is about the evaluation of one word or mark of an expression, a quarter of a
 * microsecond; a thousand elements, held against each other, are about a hundred of them.
 */
export class Meter {
  #left = 0

  start(): void {
    this.#left = maxCost
  }

  /** What was spent since the start. */
  get spent(): number {
    return maxCost - this.#left
  }

  /** Throws when there is no more. INVARIANT: from then on, always: whoever catches the error cannot go on. */
  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw exceeded
  }

  /** For each element of a list that will be gone over, or each key of a mapping. */
  spendOnEach(value: unknown, units: number): void {
    this.spend(units * (Array.isArray(value) ? value.length : value instanceof Map ? value.size : 1))
  }

  /** For reading all of a value, however deep it is. */
  spendOnAll(value: unknown): void {
    if (typeof value === 'string') this.spend(value.length / charactersPerUnit)
    else if (Array.isArray(value)) {
      this.spend(1 + value.length / elementsPerUnit)
      for (const item of value) if (isLong(item)) this.spendOnAll(item)
    } else if (value instanceof Map) {
      this.spend(1 + value.size / elementsPerUnit)
      for (const item of value.values()) if (isLong(item)) this.spendOnAll(item)
    }
  }
}

// Shorter text is paid for with the element that it is.
const isLong = (value: unknown): boolean =>
  typeof value === 'string' ? value.length > charactersPerUnit : typeof value === 'object'

// Made once: a thrown error with its stack costs more than what it ends.
const exceeded = Object.freeze(
  Object.assign(new Error('a condition that costs too much'), { code: 'cost_exceeded' }),
)

/** Units for one evaluation: a few milliseconds at most. */
export const maxCost = 10_000
const elementsPerUnit = 8
const charactersPerUnit = 200
