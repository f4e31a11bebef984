// The demo's end of the channel to one of its processes.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Commands, Reply } from './commands.ts'

interface Waiting {
  /** Takes what the command that was asked for returns. */
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** A process of the demo, started from a module of its own: `C` is what it answers, `Notice` what it tells unasked. */
export class RemoteProcess<C extends Commands<C>, Notice = never> {
  readonly name: string
  onNotice: (notice: Notice) => void = () => undefined
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended = Promise.withResolvers<Error>()
  #questions = 0
  #output = ''

  constructor(name: string, module: URL, showsOutput: boolean, preload?: URL) {
    this.name = name
    // stdout of the demo is for its results alone, so nothing of a child ever goes there by itself.
    this.#child = fork(module, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...process.execArgv, ...(preload === undefined ? [] : [`--import=${preload.href}`])],
    })
    this.#child.on('message', (reply: Reply<never, Notice>) => this.#receive(reply))
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('exit', (code, signal) => this.#end(`exit code ${code ?? signal}`))
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#keep(stream, showsOutput)
  }

  /** Has the process do something. Rejects where that fails there, or where the process ends before it answers. */
  ask<K extends keyof C & string>(
    command: K,
    ...[input]: Parameters<C[K]>
  ): Promise<Awaited<ReturnType<C[K]>>> {
    const id = ++this.#questions
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, command, input }, (error) => error && this.#end(error.message))
    })
  }

  /** Resolves when the process has ended, with the reason. */
  get ended(): Promise<Error> {
    return this.#ended.promise
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Has it end, and waits until it is gone. It keeps what it has compiled, which being killed would not let it do. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    const late = setTimeout(() => this.kill(), 2000)
    if (this.#child.connected) this.#child.disconnect()
    await gone
    clearTimeout(late)
  }

  #receive(reply: Reply<never, Notice>): void {
    if ('notice' in reply) {
      this.onNotice(reply.notice)
      return
    }
    const answer = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('problem' in reply) answer?.reject(new Error(`${this.name}: ${reply.problem}`))
    else answer?.resolve(reply.result)
  }

  #end(reason: string): void {
    const error = new Error(`the process \`${this.name}\` has ended (${reason})\n${this.#output}`.trimEnd())
    this.#ended.resolve(error)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  // The end of what it printed explains why it ended.
  #keep(stream: Readable | null, showsOutput: boolean): void {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-4000)
      if (showsOutput) process.stderr.write(text.replaceAll(/^(?=.)/gm, `${this.name} | `))
    })
  }
}
