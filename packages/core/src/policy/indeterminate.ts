import type { Caller } from '../identity/caller.ts'
import { Refusal, refusals } from '../refusal.ts'
import type { Occasion } from './occasion.ts'
import type { Requirement } from './requirement.ts'

/**
 * True where a refusal is no verdict on the caller: the check itself failed, by a condition that breaks, a context that is
 * unavailable, a fault of ours. INVARIANT: that denies wherever it stands, also under `not`.
 */
export const isIndeterminate = ({ code }: Refusal): boolean => refusals[code].fault !== 'caller'

/** What a part of a requirement says: met, not met, or an error, which is what an exception and any other value count as. */
export function answerOf(
  part: Requirement,
  caller: Caller,
  nowMs: number,
  occasion: Occasion,
): Refusal | undefined {
  try {
    return answer(part.check(caller, nowMs, occasion))
  } catch {
    return failed
  }
}

/** The same of the whole part, as a `not` has to know it. */
export function wholeAnswerOf(
  part: Requirement,
  caller: Caller,
  nowMs: number,
  occasion: Occasion,
): Refusal | undefined {
  try {
    return answer(part.checkWhole(caller, nowMs, occasion))
  } catch {
    return failed
  }
}

// A check is somebody's function: a promise or a boolean, whichever it is, has not said that the caller meets it.
const answer = (said: unknown): Refusal | undefined =>
  said === undefined || said instanceof Refusal ? said : failed

const failed = new Refusal('internal_error', {
  expected: 'a check that answers',
  actual: 'one that failed',
})
