// A program: tells in which surroundings it runs, or starts itself in those that it is asked for.
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker } from 'node:worker_threads'
import { currentSurroundings } from '../../../packages/core/src/options/several-processes.ts'

const [, , wanted] = process.argv
if (wanted === 'thread' && isMainThread) {
  const thread = new Worker(fileURLToPath(import.meta.url))
  thread.once('error', console.error)
} else if (wanted === 'cluster' && cluster.isPrimary) {
  cluster.fork()
} else {
  console.log(JSON.stringify(currentSurroundings()))
  if (cluster.isWorker) cluster.worker?.disconnect()
}
