import type { Dice } from '../dice.ts'
import type { Original } from '../original.ts'

/** Makes something broken, or at least something else, of a good token or proof. `all` are the other good ones. */
export type Mutation = (original: Original, dice: Dice, all: readonly Original[]) => string

/** By what is done, as messages and tables name it. */
export type Mutations = Readonly<Record<string, Mutation>>
