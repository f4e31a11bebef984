// What the suite asks of an adapter: one place behind a guard, which tells what it has seen.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { decisionChannel, type DecisionEvent, type Guard, type Placement } from '@countersign/core'

/** The line of a header, or an entry of metadata. A name may come several times. */
export type Field = readonly [name: string, value: string]

/** An adapter on one release of its framework. */
export interface Door {
  /** Such as `Express 5`. */
  readonly name: string
  /** Such as `@countersign/express`. */
  readonly adapter: string
  /** What proofs of possession are made for. */
  readonly target: { readonly method: string; readonly path: string }
  open(guard: Guard, placement: Placement): Promise<OpenDoor>
}

export interface OpenDoor {
  /** Calls over a real connection. */
  ask(fields: readonly Field[]): Promise<Asked>
  close(): Promise<void>
}

/** What a handler has seen. */
export interface Seen {
  readonly caller: string | null
  /** Of all headers in which it could look, lower-case. */
  readonly names: readonly string[]
}

export interface Asked {
  /** Undefined where no handler was reached. */
  readonly seen: Seen | undefined
  /** Everything that the caller was told. */
  readonly told: string
  /** Of the last decision: null where it allowed, undefined where there was none. */
  readonly code: string | null | undefined
}

/** Runs something, and says with which code the last decision meanwhile ended. */
export async function withCode<Result extends object>(
  run: () => Promise<Result>,
): Promise<Result & Pick<Asked, 'code'>> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent) // the channel's own
  subscribe(decisionChannel, listen)
  try {
    return { ...(await run()), code: events.at(-1)?.code }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}
