/** A clock that stands still until a test moves it. Give it to the guard and to the issuer alike. */
export interface TestClock {
  /** The time this clock shows, in milliseconds since 1970 (as `Date.now()` answers). */
  now(): number
  /** Moves the clock on, by milliseconds or by `{ seconds }`. A negative step moves it back. */
  advance(step: number | { readonly seconds: number }): void
  /** Sets the clock to this moment. */
  set(date: Date): void
}

/** Makes a clock that shows `start` until it is moved. Default: 2030-01-01T00:00:00Z. */
export function createTestClock(start: Date = new Date('2030-01-01T00:00:00Z')): TestClock {
  let milliseconds = start.getTime()
  return {
    now: () => milliseconds,
    advance(step) {
      milliseconds += typeof step === 'number' ? step : step.seconds * 1000
    },
    set(date) {
      milliseconds = date.getTime()
    },
  }
}
