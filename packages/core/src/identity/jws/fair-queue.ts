interface Place<T> {
  readonly item: T
  /** Tells whoever waits that the place is gone. */
  readonly giveUp: () => void
}

/** Those that wait by connection, in the order in which their turn comes. */
type Ring<T> = Map<object, Place<T>[]>

/**
 * What waits, shared out by connection: each has one turn before any has a second. Those that were postponed come after all others.
 * Bounded: where all places are taken, those lose theirs first, and then whoever has most of them.
 */
export class FairQueue<T> {
  readonly #max: number
  readonly #first: Ring<T> = new Map()
  readonly #last: Ring<T> = new Map()
  readonly #postponed = new WeakSet()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** From now on, whatever comes by this connection, or waits already, has its turn when nothing else waits. */
  postpone(connection: object): void {
    this.#postponed.add(connection)
    const waiting = this.#first.get(connection)
    if (waiting === undefined) return
    this.#first.delete(connection)
    this.#last.set(connection, waiting)
  }

  /** Has something wait. `giveUp` is called if there is no place for it, or none any more. */
  add(item: T, connection: object, giveUp: () => void): void {
    const isLast = this.#postponed.has(connection)
    const ring = isLast ? this.#last : this.#first
    const waiting = ring.get(connection) ?? []
    if (this.#size >= this.#max) {
      const displaced = isLast ? undefined : (this.#shift(this.#last) ?? this.#popLongest(waiting.length))
      if (displaced === undefined) return giveUp()
      displaced.giveUp()
    }
    waiting.push({ item, giveUp })
    ring.set(connection, waiting)
    this.#size += 1
  }

  /** What comes next, which no longer waits. */
  take(): T | undefined {
    return (this.#shift(this.#first) ?? this.#shift(this.#last))?.item
  }

  /** The newest of the connection that has most waiting, if it has more than a newcomer would. */
  #popLongest(length: number): Place<T> | undefined {
    let longest: Place<T>[] = []
    for (const waiting of this.#first.values()) if (waiting.length > longest.length) longest = waiting
    if (longest.length <= length + 1) return undefined
    this.#size -= 1
    return longest.pop()
  }

  #shift(ring: Ring<T>): Place<T> | undefined {
    for (const [connection, waiting] of ring) {
      const place = waiting.shift()
      // Behind all others again.
      ring.delete(connection)
      if (waiting.length > 0) ring.set(connection, waiting)
      this.#size -= 1
      return place
    }
    return undefined
  }
}
