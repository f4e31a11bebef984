// Every way in which a good token or proof is changed, and one of them at a time, or two.
import type { Dice } from '../dice.ts'
import type { Original } from '../original.ts'
import { claimMutations } from './claims.ts'
import { headerMutations } from './header.ts'
import type { Mutations } from './mutation.ts'
import { octetMutations } from './octets.ts'
import { proofMutations } from './proofs.ts'
import { signatureMutations } from './signatures.ts'
import { textMutations } from './text.ts'

const ofBoth: Mutations = {
  ...textMutations,
  ...octetMutations,
  ...signatureMutations,
  ...headerMutations,
  ...claimMutations,
}

/** Name → mutation, of tokens and of proofs. */
export const mutations: Readonly<Record<Original['kind'], Mutations>> = {
  token: ofBoth,
  proof: { ...ofBoth, ...proofMutations },
}

export interface Mutant {
  readonly original: Original
  /** What was done, as in `a claim twice + padding`. */
  readonly done: string
  readonly text: string
}

export function mutate(original: Original, dice: Dice, all: readonly Original[]): Mutant {
  const known = mutations[original.kind]
  const [name, mutation] = dice.pick(Object.entries(known))
  const text = mutation(original, dice, all)
  if (!dice.chance(0.08)) return { original, done: name, text }
  const [then, second] = dice.pick(Object.entries(textMutations))
  return { original, done: `${name} + ${then}`, text: second({ ...original, jws: text }, dice, all) }
}
