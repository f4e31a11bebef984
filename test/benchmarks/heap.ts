// What something keeps on the heap, after all that is garbage is gone.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ratioOf, type Contender, type Plan, type Ratio } from './measure.ts'

/** Bytes kept for each operation, over a number of bytes. The first round only warms up: functions are compiled once. */
export async function heapKept(
  contenders: readonly Contender[],
  unitBytes: number,
  { rounds, times }: Plan,
): Promise<readonly Ratio[]> {
  const kept = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, prepare } of contenders) {
      const work = await prepare()
      const before = await heapUsed()
      await work.run(times)
      const after = await heapUsed()
      work.close?.()
      if (round >= 0) kept.get(name)?.push((after - before) / times / unitBytes)
    }
  }
  return [...kept].map(([name, values]) => ratioOf(name, values))
}

/** In bytes, outside the heap of V8 included. A turn of the event loop first, which ends what is under way. */
export async function heapUsed(): Promise<number> {
  for (let i = 0; i < 2; i += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const { heapUsed: onHeap, external } = process.memoryUsage()
  return onHeap + external
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
