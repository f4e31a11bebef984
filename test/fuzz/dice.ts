// All that is random in the fuzz, decided by one seed.
import { createRandom } from '../core/support/mutate-jws.ts'

export interface Dice {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number
  /** True that often, from 0 to 1. */
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
}

export function createDice(seed: number): Dice {
  const random = createRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return {
    below,
    chance: (probability) => random() < probability,
    pick: <T>(from: readonly T[]) => from[below(from.length)] as T, // in range; nothing here is empty
  }
}
