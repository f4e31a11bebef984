import type { Caller } from '../identity/caller.ts'
import type { DecisionEvent } from '../events/decision-event.ts'
import type { Decision } from './decision.ts'

/** What surrounds a decision when it is told. */
export interface DecisionFacts {
  readonly method: string
  readonly route: string
  readonly requirement: string
  readonly verification: DecisionEvent['verification']
  readonly durationMs: number
}

/** Puts a decision into the words of its event: what determined it, and nothing secret. */
export function recordDecision(
  decision: Decision,
  caller: Caller | undefined,
  at: number,
  facts: DecisionFacts,
): DecisionEvent {
  const refusal = decision.outcome === 'deny' ? decision.refusal : decision.observed
  return {
    id: decision.id,
    at,
    outcome: decision.outcome,
    mode: decision.outcome === 'allow' && decision.observed !== undefined ? 'observe' : 'enforce',
    code: refusal?.code ?? null,
    ...facts,
    caller: caller?.id ?? null,
    provenBy: caller?.provenBy ?? [],
    expected: refusal?.detail.expected ?? null,
    actual: refusal?.detail.actual ?? null,
    advice: refusal?.detail.advice ?? null,
    issuer: refusal?.detail.issuer ?? null,
  }
}
