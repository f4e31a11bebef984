interface Place<T> {
  readonly item: T
  /** Tells whoever waits that the place is gone. */
  readonly giveUp: () => void
}

/** Those that wait by connection, in the order in which their turn comes. */
type Ring<T> = Map<object, Place<T>[]>

/**
 * What waits, shared out by connection: each has one turn before any has a second. Those that have sent more wrong than right come after
 * all others. Bounded: where all places are taken, those lose theirs first, and then whoever has most of them.
 */
export class FairQueue<T> {
  readonly #max: number
  readonly #first: Ring<T> = new Map()
  readonly #last: Ring<T> = new Map()
  /** How many wrong ones are not made up for. */
  readonly #debts = new WeakMap<object, number>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** What came by a connection was wrong: what waits, or comes by it from now on, has its turn when nothing else waits. */
  postpone(connection: object): void {
    this.#debts.set(connection, Math.min(this.#debtOf(connection) + 1, maxDebt))
    move(connection, this.#first, this.#last)
  }

  /** What came by a connection was right: that makes up for a wrong one, since others may share the connection with a forger. */
  restore(connection: object): void {
    const debt = this.#debtOf(connection)
    if (debt === 0) return
    this.#debts.set(connection, debt - 1)
    if (debt === 1) move(connection, this.#last, this.#first)
  }

  #debtOf(connection: object): number {
    return this.#debts.get(connection) ?? 0
  }

  /** Has something wait. `giveUp` is called if there is no place for it, or none any more. */
  add(item: T, connection: object, giveUp: () => void): void {
    const isLast = this.#debtOf(connection) > 0
    const ring = isLast ? this.#last : this.#first
    const waiting = ring.get(connection) ?? []
    if (this.#size >= this.#max) {
      const displaced =
        (isLast ? undefined : this.#shift(this.#last)) ?? this.#popLongest(ring, waiting.length)
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
  #popLongest(ring: Ring<T>, length: number): Place<T> | undefined {
    let longest: Place<T>[] = []
    for (const waiting of ring.values()) if (waiting.length > longest.length) longest = waiting
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

function move<T>(connection: object, from: Ring<T>, to: Ring<T>): void {
  const waiting = from.get(connection)
  if (waiting === undefined) return
  from.delete(connection)
  to.set(connection, waiting)
}

const maxDebt = 16
