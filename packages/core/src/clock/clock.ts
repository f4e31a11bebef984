/** Where the guard reads the time from: an input, so that every rule about time has a deterministic test. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /**
   * Runs the task once, that many milliseconds from now; the result takes it back. Must not keep the process alive.
   * A clock without it only does what requests ask for: nothing is refreshed ahead of them.
   */
  schedule?(task: () => void, delayMs: number): () => void
}

export const systemClock: Required<Clock> = {
  now: Date.now,
  schedule(task, delayMs) {
    const timer = setTimeout(task, delayMs).unref()
    return () => clearTimeout(timer)
  },
}
