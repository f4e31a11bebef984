import { styleText } from 'node:util'
import { serviceNames } from '../workloads.ts'

/** Tells on stderr what is going on until there is something to show. stdout is for results alone. */
export class Progress {
  readonly #startedAt = performance.now()

  begin(): void {
    this.#write(
      `starting ${serviceNames.length} services and 2 OAuth issuers, each a process of its own, on loopback …`,
    )
  }

  started(name: string, address: string, role: string): void {
    this.#write(`  ${name.padEnd(14)} ${address}  ${role}`)
  }

  ready(): void {
    this.#write(`ready after ${(this.elapsedMs / 1000).toFixed(1)} s\n`)
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  #write(line: string): void {
    process.stderr.write(`${styleText('dim', line, { stream: process.stderr })}\n`)
  }
}
