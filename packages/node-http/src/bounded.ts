import type { Next } from './messages.ts'

/** Runs a handler. What was asked and allowed for it ends where it passes the request on or throws: what comes next speaks for itself. */
export function runBounded(
  end: (hasFailed: boolean) => void,
  next: Next,
  run: (passOn: Next) => unknown,
): unknown {
  try {
    return run((error) => {
      end(Boolean(error))
      next(error)
    })
  } catch (error) {
    end(true)
    throw error
  }
}
