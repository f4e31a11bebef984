// Calls in number, and what became of them.
import { Agent } from 'node:https'
import type { Service } from './service.ts'

export interface Figures {
  readonly calls: number
  /** How many were refused, by code. */
  readonly refusals: Readonly<Record<string, number>>
  /** As the callers saw it. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Callers of a service, each with a connection that it keeps. */
export class Load {
  readonly #service: Service
  readonly #agents: readonly Agent[]
  readonly #durations: number[] = []
  readonly #refusals = new Map<string, number>()

  constructor(service: Service, callers: number) {
    this.#service = service
    this.#agents = Array.from(
      { length: callers },
      () => new Agent({ keepAlive: true, maxSockets: 1, ca: service.ca }),
    )
  }

  /** Every caller calls with every token. */
  async round(tokens: readonly string[]): Promise<void> {
    await Promise.all(
      this.#agents.map(async (_agent, caller) => {
        for (const token of tokens) await this.call(caller, token)
      }),
    )
  }

  /** One caller calls, on its own connection. Answers `allow`, or the code of the refusal. */
  async call(caller: number, token: string): Promise<string> {
    const agent = this.#agents[caller % this.#agents.length]
    const startedAt = performance.now()
    const { code } = await this.#service.call('/orders', {
      headers: { authorization: `Bearer ${token}` },
      ...(agent && { agent }),
    })
    this.#durations.push(performance.now() - startedAt)
    if (code !== 'allow') this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1)
    return code
  }

  get figures(): Figures {
    const sorted = this.#durations.toSorted((a, b) => a - b)
    const percentile = (part: number): number =>
      Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2))
    return {
      calls: sorted.length,
      refusals: Object.fromEntries(this.#refusals),
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
    }
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy()
  }
}

/** Prints the figures of a drill, and how often the issuer was asked. */
export function tell(
  drill: string,
  { calls, refusals, p50Ms, p99Ms }: Figures,
  asked: readonly string[],
): void {
  const refused = Object.entries(refusals).map(([code, count]) => `${count} ${code}`)
  const requests = Object.entries(Object.groupBy(asked, (path) => path))
  console.log(
    [
      `${drill}: ${calls} calls`,
      `refused: ${refused.join(', ') || 'none'}`,
      `the issuer was asked: ${requests.map(([path, all]) => `${path} ${all?.length}`).join(', ')}`,
      `p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
    ].join('; '),
  )
}
