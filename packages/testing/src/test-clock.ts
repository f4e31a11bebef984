/** A clock that stands still until a test moves it. Give it to the guard and to the issuer alike. */
export interface TestClock {
  /** The time this clock shows, in milliseconds since 1970 (as `Date.now()` answers). */
  now(): number
  /** Moves the clock on, by milliseconds or by `{ seconds }`. A negative step moves it back. */
  advance(step: number | { readonly seconds: number }): void
  /** Sets the clock to this moment. */
  set(date: Date): void
  /**
   * Has a task run when the clock has been moved on by that many milliseconds, one at least; the result takes it back.
   * Tasks run while the clock is moved, in the order in which they are due, and see the time at which they are.
   * Moving the clock back neither runs one nor puts it off, as with `setTimeout`.
   */
  schedule(task: () => void, delayMs: number): () => void
}

/**
 * Makes a clock that shows `start` until it is moved. Default: 2030-01-01T00:00:00Z. An invalid date or a step that is not
 * finite throws a RangeError: with it, every comparison of times would be false, and a test could pass for that alone.
 */
export function createTestClock(start: Date = new Date('2030-01-01T00:00:00Z')): TestClock {
  let milliseconds = finite(start.getTime())
  /** All that the clock has ever been moved on by. Tasks are due by it. */
  let elapsed = 0
  const tasks = new Set<{ readonly dueAt: number; readonly run: () => void }>()

  function moveOn(end: number): void {
    const step = Math.max(0, end - elapsed)
    elapsed += step
    milliseconds += step
  }

  function advance(step: number): void {
    if (step < 0) {
      milliseconds += step
      return
    }
    const end = elapsed + step
    for (;;) {
      const [next] = [...tasks].filter(({ dueAt }) => dueAt <= end).toSorted((a, b) => a.dueAt - b.dueAt)
      if (next === undefined) break
      tasks.delete(next)
      moveOn(next.dueAt)
      next.run()
    }
    moveOn(end)
  }

  return {
    now: () => milliseconds,
    advance: (step) => advance(finite(typeof step === 'number' ? step : step.seconds * 1000)),
    set: (date) => advance(finite(date.getTime()) - milliseconds),
    schedule(task, delayMs) {
      const planned = { dueAt: elapsed + Math.max(1, delayMs), run: task }
      tasks.add(planned)
      return () => void tasks.delete(planned)
    },
  }
}

function finite(milliseconds: number): number {
  if (Number.isFinite(milliseconds)) return milliseconds
  throw new RangeError(`expected a time, got ${milliseconds}`)
}
