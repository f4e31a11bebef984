import { fork } from 'node:child_process'
import { once } from 'node:events'

export interface StartedServer {
  readonly port: number
  /** Microseconds of CPU that its process has had, in all its threads. */
  cpu(): Promise<number>
  close(): void
}

/** Runs a program of this folder that calls `serve`. */
export async function startServer(program: string, setup: object): Promise<StartedServer> {
  const child = fork(new URL(program, import.meta.url), { execArgv: [] })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`expected ${program} to run on`)
  })
  // Nobody may be asking.
  ended.catch(() => undefined)
  const ask = async (message: object): Promise<number> => {
    child.send(message)
    const [answer] = await Promise.race([once(child, 'message'), ended])
    return Number(answer)
  }
  const port = await ask(setup)
  return { port, cpu: () => ask({}), close: () => child.kill() }
}
