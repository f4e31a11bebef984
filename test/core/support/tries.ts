/** How often a property is tried: less often where every mutant of the code has it tried once more. */
export const tries = (count: number): number =>
  process.env['MUTATED_ROOM'] === undefined ? count : Math.ceil(count / 20)
