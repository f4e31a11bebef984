import { ratioOf, type Ratio } from './measure.ts'

/** Something whose cost is measured elsewhere than in this process. */
export interface Measured {
  readonly name: string
  /** In any unit, as long as all have the same. */
  cost(): Promise<number>
}

/** Costs as ratios to the first, one after the other in each round, in an order that changes. The first round only warms up. */
export async function compareTurns(all: readonly Measured[], rounds: number): Promise<readonly Ratio[]> {
  const ratios = new Map<string, number[]>(all.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    const turn = (round + all.length) % all.length
    const costs = new Map<string, number>()
    for (const each of [...all.slice(turn), ...all.slice(0, turn)]) costs.set(each.name, await each.cost())
    const unit = costs.get(all[0]?.name ?? '') ?? NaN
    if (round >= 0) for (const [name, cost] of costs) ratios.get(name)?.push(cost / unit)
  }
  return all.slice(1).map(({ name }) => ratioOf(name, ratios.get(name) ?? []))
}
