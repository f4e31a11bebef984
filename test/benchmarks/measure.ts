// What something costs, as a ratio to something else that is measured in the same turns: machines differ, and are never quiet.

/** One thing to be measured. */
export interface Contender {
  readonly name: string
  /** Made ready anew for each round, which is not measured. The result does the work once for each number below `times`. */
  prepare(): Promise<Work>
}

export interface Work {
  /** Resolves when all is done. Rejects where the outcome is not what it should be. */
  run(times: number): Promise<void>
  close?(): void
}

export interface Ratio {
  readonly name: string
  /** CPU time of the process for each operation over that of the baseline in the same round: median and quartiles. */
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface Plan {
  readonly rounds: number
  readonly times: number
}

/** Measures contenders against a baseline, one after the other in each round, in an order that changes. The first round only warms up. */
export async function compare(
  baseline: Contender,
  contenders: readonly Contender[],
  { rounds, times }: Plan,
): Promise<readonly Ratio[]> {
  const all = [baseline, ...contenders]
  const ratios = new Map<string, number[]>(all.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    const turn = (round + all.length) % all.length
    const costs = new Map<string, number>()
    for (const each of [...all.slice(turn), ...all.slice(0, turn)]) {
      costs.set(each.name, await cost(each, times))
    }
    const unit = costs.get(baseline.name) ?? NaN
    if (round >= 0) for (const [name, spent] of costs) ratios.get(name)?.push(spent / unit)
  }
  return contenders.map(({ name }) => ratioOf(name, ratios.get(name) ?? []))
}

async function cost(contender: Contender, times: number): Promise<number> {
  const work = await contender.prepare()
  try {
    globalThis.gc?.()
    const before = process.cpuUsage()
    await work.run(times)
    const { user, system } = process.cpuUsage(before)
    return user + system
  } finally {
    work.close?.()
  }
}

/** What came of all rounds. */
export function ratioOf(name: string, values: readonly number[]): Ratio {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN
  return { name, low: at(0.25), median: at(0.5), high: at(0.75) }
}
