import type { RefusalCode } from '../refusal.ts'

/** What was seen of one caller on one route while refusals were only recorded. */
export interface Observation {
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  /** `caller.id`; null for requests that no valid credential came with. */
  readonly caller: string | null
  /** What is asked there, in one line; null where nothing was declared. */
  readonly requirement: string | null
  /** The scopes that are named in it. */
  readonly scopes: readonly string[]
  /** How many requests would have been allowed. */
  readonly allowed: number
  /** How many would have been refused, by code. */
  readonly refused: Readonly<Partial<Record<RefusalCode, number>>>
  /** Milliseconds since the epoch. */
  readonly firstAt: number
  readonly lastAt: number
}

/** What is told of one request. */
export type Observed = Pick<Observation, 'route' | 'caller' | 'requirement' | 'scopes'> & {
  /** Why it would have been refused; undefined where it would not. */
  readonly code: RefusalCode | undefined
  readonly at: number
}

interface Counted extends Omit<Observation, 'refused'> {
  allowed: number
  lastAt: number
  readonly refused: Map<RefusalCode, number>
}

/** The record of an observe mode: counters for each route and caller. Bounded: callers and routes that come when it is full are left out. */
export class Observations {
  readonly #counted = new Map<string, Counted>()

  record({ route, caller, requirement, scopes, code, at }: Observed): void {
    const key = JSON.stringify([route, caller])
    let counted = this.#counted.get(key)
    if (counted === undefined) {
      if (this.#counted.size >= maxEntries) return
      counted = {
        route,
        caller,
        requirement,
        scopes,
        allowed: 0,
        refused: new Map(),
        firstAt: at,
        lastAt: at,
      }
      this.#counted.set(key, counted)
    }
    counted.lastAt = at
    if (code === undefined) counted.allowed += 1
    else counted.refused.set(code, (counted.refused.get(code) ?? 0) + 1)
  }

  entries(): readonly Observation[] {
    return [...this.#counted.values()].map((counted) =>
      Object.freeze({ ...counted, refused: Object.freeze(Object.fromEntries(counted.refused)) }),
    )
  }
}

const maxEntries = 10_000
