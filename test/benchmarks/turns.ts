import { ratio, takeTurns, type Contender, type Ratio } from './measure.ts'

/** Something whose cost is measured elsewhere than in this process. */
export interface Measured {
  readonly name: string
  /** In any unit, as long as all have the same. */
  cost(): Promise<number>
}

/** Costs as ratios to the first, in turns. */
export async function compareTurns(all: readonly Measured[], rounds: number): Promise<readonly Ratio[]> {
  const measured = await takeTurns(all.map(contender), { rounds, times: 1 })
  return all.slice(1).map(({ name }) => ratio(measured, name, 'cost', all[0]?.name ?? ''))
}

const contender = ({ name, cost }: Measured): Contender => ({
  name,
  prepare: async () => ({ run: async () => ({ cost: await cost() }) }),
})
