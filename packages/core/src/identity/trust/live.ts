import type { KeyStatus } from '../../events/channels.ts'

/** What a source of trust can say of itself, for health checks. */
export interface LiveState {
  /**
   * `waiting`: nothing yet. `fresh`: in order. `stale`: the last attempt failed, what was there before still serves. `expired`: it
   * is too old to serve.
   */
  readonly status: KeyStatus
  /** When it was last read, in milliseconds since the epoch; undefined where it never was, or where it does not change. */
  readonly readAt: number | undefined
  /** Why the last attempt failed, for the operator. */
  readonly problem: string | undefined
}

/** What there is: whether anything was ever had, whether it may still serve, and whether the last attempt went well. */
export function statusOf(wasHad: boolean, serves: boolean, isFresh: boolean): KeyStatus {
  if (serves) return isFresh ? 'fresh' : 'stale'
  return wasHad ? 'expired' : 'waiting'
}

/** A value that may be replaced at any time, as a whole. */
export interface Live<T> {
  /** What serves now, at once; undefined where there is nothing, or nothing that may still serve. */
  current(nowMs: number): T | undefined
  /** Resolves when the first attempt has ended, well or badly. From the first call on, the value is kept fresh. Never rejects. */
  prepared(): Promise<void>
  /** The attempt under way, where there is one. Never rejects. */
  readonly underWay: Promise<void> | undefined
  readonly state: LiveState
  /** Ends what is under way. What serves then is undefined. */
  close(): void
}

/** A value that was written down: it never changes. */
export class FixedValue<T> implements Live<T> {
  readonly underWay = undefined
  readonly state: LiveState = Object.freeze({ status: 'fresh', readAt: undefined, problem: undefined })
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  current(): T {
    return this.#value
  }

  async prepared(): Promise<void> {}

  close(): void {}
}
