import type { Dice } from '../dice.ts'
import type { HeaderSubject } from './subjects.ts'

type Mutation = (value: string, dice: Dice, subject: HeaderSubject) => string

const at = (value: string, dice: Dice): number => dice.below(value.length + 1)
const put = (value: string, where: number, length: number, by: string): string =>
  value.slice(0, where) + by + value.slice(where + length)
const part = (value: string, dice: Dice): string => {
  const start = at(value, dice)
  return value.slice(start, start + dice.below(24))
}

const mutations: readonly Mutation[] = [
  (value) => value,
  (value, dice) => put(value, at(value, dice), 1, String.fromCharCode(dice.below(128))),
  (value, dice) => put(value, at(value, dice), 0, String.fromCharCode(dice.below(128))),
  (value, dice) => put(value, at(value, dice), 1, ''),
  (value, dice) => put(value, at(value, dice), 1, dice.pick([...'ABCwxyz0189+/=-_%"\\,;: '])),
  (value, dice) => put(value, at(value, dice), dice.below(12), ''),
  (value, dice) => value.slice(0, at(value, dice)),
  (value, dice) => value.slice(at(value, dice)),
  (value, dice) => put(value, at(value, dice), 0, part(value, dice)),
  (value, dice, { atoms }) => put(value, at(value, dice), 0, dice.pick(atoms)),
  (value, dice, { atoms }) => put(value, at(value, dice), dice.below(8), dice.pick(atoms)),
  (value, dice, { atoms }) => value + dice.pick(atoms),
  (value, dice, { atoms }) => dice.pick(atoms) + value,
  (value, dice, { originals }) => `${value}${dice.pick([',', ', ', ';', '', ' '])}${dice.pick(originals)}`,
  (value, dice, { originals }) => put(value, at(value, dice), 0, part(dice.pick(originals), dice)),
  (value, dice, { atoms }) => value.replace(dice.pick(atoms), dice.pick(atoms)),
  (value, dice, { atoms }) => value.replaceAll(dice.pick(atoms), dice.pick(atoms)),
  (value, dice) => put(value, at(value, dice), 1, `%${dice.below(256).toString(16).padStart(2, '0')}`),
  (value, dice) => {
    const where = at(value, dice)
    const character = value.charCodeAt(where)
    return Number.isNaN(character) ? value : put(value, where, 1, `%${character.toString(16)}`)
  },
  (value, dice) => put(value, at(value, dice), 0, part(value, dice).repeat(1 + dice.below(30))),
  (value, dice) => (dice.chance(0.5) ? value.toLowerCase() : value.toUpperCase()),
  // Rarely very long: what takes more than linear time would show.
  (value, dice, { atoms }) =>
    dice.chance(0.02) ? value + dice.pick([...atoms, part(value, dice)]).repeat(4000) : value,
]

/** A good value of a format with one to three changes. */
export function mutateHeader(subject: HeaderSubject, dice: Dice): string {
  let value = dice.pick(subject.originals)
  for (let i = 1 + dice.below(3); i > 0; i -= 1) value = dice.pick(mutations)(value, dice, subject)
  return value
}
