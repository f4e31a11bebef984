import type { Clock } from '../../clock/clock.ts'
import { statusOf, type Live, type LiveState } from './live.ts'
import { deadlineMs } from './refresh-times.ts'

/** Where a source that the application supplies puts what it has. Both may be called at any time, as often as one likes. */
export interface SourceListener {
  /** The whole document, as it is from now on; in the form that a file would have. What cannot be used leaves the one before. */
  replace(document: string | Uint8Array): void
  /** Nothing new can be had. What was there before serves for up to a day longer. `problem`: a sentence for the operator. */
  fail(problem: string): void
}

/** A source of trust that the application supplies, such as one that speaks with an agent beside it. */
export interface Source {
  /** Called once, when a guard is made. The result ends it, and is called when the guard is closed. */
  follow(listener: SourceListener): () => void
}

interface SuppliedValueOptions<T> {
  readonly clock: Clock
  readonly source: Source
  /** Throws a sentence for the operator. */
  readonly parse: (document: Uint8Array, previous: T | undefined) => T
  readonly maxStaleMs: number
  readonly landed: (isReplaced: boolean) => void
}

/** A value that somebody else puts here, whenever there is another one. */
export class SuppliedValue<T> implements Live<T> {
  readonly #options: SuppliedValueOptions<T>
  readonly #first = Promise.withResolvers<void>()
  readonly #end: () => void
  #value: { readonly parsed: T; readonly at: number } | undefined
  /** Since when nothing new can be had. */
  #failing: { readonly problem: string; readonly since: number } | undefined
  #isClosed = false

  constructor(options: SuppliedValueOptions<T>) {
    this.#options = options
    // Whoever waits for the first document does not wait for ever.
    options.clock.schedule?.(() => this.#first.resolve(), deadlineMs)
    this.#end = options.source.follow({
      replace: (document) => this.#replace(document),
      fail: (problem) => this.#fail(problem),
    })
  }

  current(nowMs: number): T | undefined {
    return this.#isExpired(nowMs) ? undefined : this.#value?.parsed
  }

  prepared(): Promise<void> {
    return this.#first.promise
  }

  get underWay(): Promise<void> | undefined {
    return this.#value === undefined ? this.#first.promise : undefined
  }

  get state(): LiveState {
    const wasHad = this.#value !== undefined
    const serves = wasHad && !this.#isExpired(this.#options.clock.now())
    const status = statusOf(wasHad, serves, this.#failing === undefined)
    return { status, readAt: this.#value?.at, problem: this.#failing?.problem }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#first.resolve()
    this.#end()
  }

  #replace(document: string | Uint8Array): void {
    if (this.#isClosed) return
    try {
      const octets = typeof document === 'string' ? Buffer.from(document) : Uint8Array.from(document)
      this.#value = {
        parsed: this.#options.parse(octets, this.#value?.parsed),
        at: this.#options.clock.now(),
      }
      this.#failing = undefined
      this.#land(true)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : 'unknown')
    }
  }

  #fail(problem: string): void {
    if (this.#isClosed) return
    // The first of several failures in a row is the one that age is counted from.
    this.#failing = { problem, since: this.#failing?.since ?? this.#options.clock.now() }
    this.#land(false)
  }

  #land(isReplaced: boolean): void {
    this.#first.resolve()
    this.#options.landed(isReplaced)
  }

  #isExpired(nowMs: number): boolean {
    return (
      this.#isClosed ||
      (this.#failing !== undefined && nowMs - this.#failing.since > this.#options.maxStaleMs)
    )
  }
}
