import { fork } from 'node:child_process'
import { once } from 'node:events'

export interface StartedServer {
  /** Where it listens. */
  readonly ports: readonly number[]
  /** Microseconds of CPU that its process has had, in all its threads. */
  cpu(): Promise<number>
  close(): void
}

/** Runs a program of this folder that calls `serveInChild`. */
export async function startServer(program: string, setup: object): Promise<StartedServer> {
  const child = fork(new URL(program, import.meta.url), { execArgv: [] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`expected ${program} to run on, and it has ended with ${code}`)
  })
  // Nobody may be asking.
  ended.catch(() => undefined)
  const ask = async (message: object): Promise<unknown> => {
    child.send(message)
    const [answer] = await Promise.race([once(child, 'message'), ended])
    return answer
  }
  const ports = (await ask(setup)) as readonly number[] // what `serveInChild` answers first
  return { ports, cpu: async () => Number(await ask({})), close: () => child.disconnect() }
}
