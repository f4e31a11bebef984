// Starts the demo as a person would, and keeps what it says.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../examples/mesh-demo/src/demo.ts', import.meta.url))

export class RunningDemo {
  stdout = ''
  stderr = ''
  readonly process: ChildProcess
  readonly #closed: Promise<unknown[]>

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    // What asks for colours or forbids them in the runner's own environment is not what is tested.
    const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env
    this.process = spawn(process.execPath, [script, ...args], { env: { ...inherited, ...env } })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.#closed = once(this.process, 'close')
  }

  /** Resolves when it has said this on stdout. */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`the demo ended:\n${this.stderr}`)
      await Promise.race([once(this.process.stdout ?? this.process, 'data'), this.#closed])
    }
  }

  /** Resolves to the exit code. */
  async ended(): Promise<number | null> {
    await this.#closed
    return this.process.exitCode
  }

  /** Where its processes listen. */
  get addresses(): readonly string[] {
    return this.stderr.match(/https:\/\/localhost:\d+/g) ?? []
  }
}
