import type { Clock } from '../clock/clock.ts'
import type { RequestContext } from '../context.ts'
import type { Decision, Deny } from '../decision/decision.ts'

/** See `Guard.watch`. A clock that schedules nothing asks nothing. */
export function watchAccess(context: RequestContext, clock: Clock, end: (refused: Deny) => void): () => void {
  let isOver = false
  let takeBack: (() => void) | undefined
  const plan = (): void => {
    takeBack = clock.schedule?.(ask, untilNext(context.decision, clock.now()))
  }
  const ask = (): void => {
    const decision = context.recheck()
    if (decision instanceof Promise) void decision.then(settle)
    else settle(decision)
  }
  const settle = (decision: Decision): void => {
    if (isOver) return
    if (decision.outcome === 'allow') plan()
    else {
      isOver = true
      end(decision)
    }
  }
  plan()
  return () => {
    isOver = true
    takeBack?.()
  }
}

/** Keys are withdrawn, certificates revoked and policies replaced without anybody calling: how long that may go unnoticed. */
const everyMs = 5000

function untilNext(decision: Decision | undefined, nowMs: number): number {
  const expiresAt = decision?.outcome === 'allow' ? decision.caller?.expiresAt : undefined
  const leftMs = (expiresAt ?? Infinity) - nowMs
  // Clocks may differ by a little, so what has just ended still counts: it is asked for as often as anything else.
  return leftMs > 0 ? Math.min(everyMs, leftMs) : everyMs
}
