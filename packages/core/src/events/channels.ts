import { channel } from 'node:diagnostics_channel'
import type { DecisionEvent } from './decision-event.ts'

/** One message a decision: allowed and refused alike. */
export const decisionChannel: string = 'countersign:decision'
/** One message each time an issuer's keys were fetched, or could not be. */
export const keysChannel: string = 'countersign:keys'

/** An attempt to fetch the keys of an issuer. */
export interface KeysEvent {
  readonly issuer: string
  readonly outcome: 'refreshed' | 'failed'
  /** For the operator; undefined when refreshed. */
  readonly problem: string | undefined
}

const decisions = channel(decisionChannel)
const keys = channel(keysChannel)

/** False while nobody listens: then the event need not even be made. */
export const hasDecisionListeners = (): boolean => decisions.hasSubscribers

export const publishDecision = (event: DecisionEvent): void => decisions.publish(Object.freeze(event))

export const publishKeys = (event: KeysEvent): void => {
  if (keys.hasSubscribers) keys.publish(Object.freeze(event))
}
