import type { Cluster } from 'node:cluster'
import type { DpopOptions } from './parse-dpop.ts'

/** Whether other processes or threads answer for the same service. */
export interface ProcessSurroundings {
  readonly isClusterWorker: boolean
  readonly isWorkerThread: boolean
}

export function currentSurroundings(): ProcessSurroundings {
  // Asked for here, so that a process that uses neither does not load them.
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster // typed as the ES module that it is not
  return {
    isClusterWorker: cluster.isWorker,
    isWorkerThread: !process.getBuiltinModule('node:worker_threads').isMainThread,
  }
}

/** What to tell the operator where what one process keeps for itself would have to be shared by all, or undefined. */
export function warningOf(
  { replayStore, nonces }: Pick<DpopOptions, 'replayStore' | 'nonces'>,
  { isClusterWorker, isWorkerThread }: ProcessSurroundings,
): string | undefined {
  if (!isClusterWorker && !isWorkerThread) return undefined
  const kind = isClusterWorker ? 'a cluster worker' : 'a worker thread'
  // Each worker refuses what does not repeat its own nonce, so none accepts what another has: but callers go round.
  if (nonces === true) {
    return `countersign: this is ${kind} with DPoP nonces of its own, which others refuse; share one key: write \`dpop.nonces: { secret }\``
  }
  if (replayStore !== undefined) return undefined
  return `countersign: this is ${kind}, and a DPoP proof that was used here can be used once more in each other; share one memory: write \`dpop.replayStore\``
}
