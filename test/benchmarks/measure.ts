// What something costs, as a ratio to something else that is measured in the same turns: machines differ, and are never quiet.
import { setTimeout as sleep } from 'node:timers/promises'

/** One thing to be measured. */
export interface Contender {
  readonly name: string
  /** Made ready anew for each round, which is not measured. The result does the work once for each number below `times`. */
  prepare(): Promise<Work>
}

export interface Work {
  /**
   * Goes on where it stopped the last time. Resolves when all is done; with what that has cost, where it is not the CPU time of this
   * process. Rejects where the outcome is not what it should be.
   */
  run(times: number): Promise<Costs | void>
  close?(): void
}

/**
 * Made ready once for all rounds, as in a service: what is compiled for one guard is thrown away with it. Whatever it remembers has to be
 * smaller than what comes in turn, where it is to remember nothing.
 */
export function readyOnce({ name, prepare }: Contender): Contender {
  let ready: Promise<Work> | undefined
  return {
    name,
    async prepare() {
      const { run } = await (ready ??= prepare())
      return { run }
    },
  }
}

/** Figures by name, such as `cpu`. */
export type Costs = Readonly<Record<string, number>>

/** What one round has found, by the names of the contenders. */
export type Round = ReadonlyMap<string, Costs>

export interface Ratio {
  readonly name: string
  /** What each operation costs over what it costs the baseline in the same round: median and quartiles. */
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface Plan {
  readonly rounds: number
  readonly times: number
  /** Rounds before these that are not counted: code is compiled while it runs, which is work of this process as well. Default: 1. */
  readonly warmUps?: number
}

/** The same in smaller parts: what else a machine does comes and goes within seconds, and is to meet all contenders alike. */
export const inParts = ({ rounds, times, warmUps = 1 }: Plan, parts: number): Plan => ({
  rounds: rounds * parts,
  times: Math.ceil(times / parts),
  warmUps: warmUps * parts,
})

/** Measures the CPU time of contenders against a baseline. */
export async function compare(
  baseline: Contender,
  contenders: readonly Contender[],
  plan: Plan,
): Promise<readonly Ratio[]> {
  const rounds = await takeTurns([baseline, ...contenders], plan)
  return contenders.map(({ name }) => ratio(rounds, name, 'cpu', baseline.name))
}

/** Measures contenders, one after the other in each round, in an order that changes. */
export async function takeTurns(
  contenders: readonly Contender[],
  { rounds, times, warmUps = 1 }: Plan,
): Promise<readonly Round[]> {
  const measured: Round[] = []
  for (let round = -warmUps; round < rounds; round += 1) {
    const turn = (round + warmUps) % contenders.length
    const costs = new Map<string, Costs>()
    for (const each of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      costs.set(each.name, await cost(each, times))
    }
    if (round >= 0) measured.push(costs)
  }
  return measured
}

/** One figure of a contender over that of the baseline. */
export function ratio(
  rounds: readonly Round[],
  name: string,
  figure: string,
  baseline: string,
  unit: string = figure,
): Ratio {
  const values = rounds.map(
    (round) => (round.get(name)?.[figure] ?? NaN) / (round.get(baseline)?.[unit] ?? NaN),
  )
  return ratioOf(name, values)
}

async function cost(contender: Contender, times: number): Promise<Costs> {
  const work = await contender.prepare()
  try {
    // Threads of the collector go on for a while.
    await sleep(10)
    const before = process.cpuUsage()
    const costs = await work.run(times)
    const { user, system } = process.cpuUsage(before)
    return costs ?? { cpu: user + system }
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
