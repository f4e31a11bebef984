import type { RefusalCode } from '../refusal.ts'

/** What is told of a decision to whoever listens: who, what, why; no token, key, header or claim set. */
export interface DecisionEvent {
  /** The id that a refused caller is given too. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly outcome: 'allow' | 'deny'
  /** `observe`: it would have been denied, and was only recorded. */
  readonly mode: 'enforce' | 'observe'
  /** Why it was denied, or would have been; null when allowed. */
  readonly code: RefusalCode | null
  readonly method: string
  /** The route as the framework registered it, such as `GET /orders/:id`; never the URL that came. */
  readonly route: string
  /** The requirement in one line, such as `scopes(orders:read)`. */
  readonly requirement: string
  /** `caller.id`; null where nobody was identified. */
  readonly caller: string | null
  readonly provenBy: readonly string[]
  /** Where the identity came from: this connection, the shared cache, a fresh verification, or no credential. */
  readonly verification: 'connection' | 'cache' | 'fresh' | 'none'
  readonly expected: string | null
  readonly actual: string | null
  readonly advice: string | null
  readonly issuer: string | null
  /** From the request's arrival at the guard to the decision, waiting included; 0 where nobody listened yet when it came. */
  readonly durationMs: number
}
