/** Where the guard reads the time from: an input, so that every rule about time has a deterministic test. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

export const systemClock: Clock = { now: Date.now }
