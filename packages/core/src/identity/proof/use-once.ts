import { hash } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../refusal.ts'
import type { VerifiedProof } from './dpop-proof.ts'
import type { ReplayStore } from './replay-store.ts'

/** Runs a task once after a delay; the result takes it back. */
export type Schedule = NonNullable<Clock['schedule']>

/** Refuses a proof that was used before (RFC 9449 §11.1), and one of which that cannot be said. Never rejects. */
export async function useOnce(
  { jkt, jti, expiresAtMs }: VerifiedProof,
  store: ReplayStore,
  schedule: Schedule,
): Promise<Refusal | undefined> {
  // By key and id, not by the proof's text: an ECDSA signature has a twin. Hashed, since callers choose their ids.
  const key = hash('sha256', `${jkt}.${jti}`, 'base64url')
  const isNew = await answerOf(() => store.add(key, expiresAtMs + clockDifferenceMs), schedule)
  if (isNew === true) return undefined
  return isNew === false
    ? replayed
    : new Refusal('replay_store_unavailable', {
        expected: 'true or false from the replay store',
        actual: isNew,
      })
}

/** What the store says, or how it failed to. Its error is not repeated: it may tell where the store is and how to enter. */
async function answerOf(
  ask: () => boolean | Promise<boolean>,
  schedule: Schedule,
): Promise<boolean | 'an error' | 'another value' | 'no answer in time'> {
  try {
    const answer: unknown = ask()
    const settled = typeof answer === 'boolean' ? answer : await inTime(answer, schedule)
    return typeof settled === 'boolean' || settled === late ? settled : 'another value'
  } catch {
    return 'an error'
  }
}

async function inTime(answer: unknown, schedule: Schedule): Promise<unknown> {
  const { promise: deadline, resolve } = Promise.withResolvers<typeof late>()
  const cancel = schedule(() => resolve(late), patienceMs)
  try {
    return await Promise.race([answer, deadline])
  } finally {
    cancel()
  }
}

const late = 'no answer in time'
const patienceMs = 2000

// Instances that share a store differ in their clocks, and so may one clock from itself after it was set.
const clockDifferenceMs = 30_000

const replayed = new Refusal('dpop_proof_replayed', {
  expected: 'a proof that was not used before',
  actual: 'a `jti` that its key has used',
  advice: 'callers make a new proof for every request, a repeated one included',
})
