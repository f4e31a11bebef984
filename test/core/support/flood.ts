// A stranger who invents names of keys, as fast as a test wants.
import type { Guard } from '@countersign/core'
import type { TestClock } from '@countersign/testing'
import { codeFor } from './asking.ts'
import { claimsAt, issuer } from './house.ts'
import { segment } from './raw-signer.ts'

interface FloodOptions {
  readonly guard: Guard
  readonly clock: TestClock
  readonly perMillisecond: number
  readonly milliseconds: number
  readonly iss?: string
  /** Told of each millisecond that has passed, when its tokens have been presented. */
  readonly each: (millisecond: number) => void | Promise<void>
}

/** Presents that many tokens a millisecond, each with a `kid` that nobody has seen before; resolves to all the answers. */
export async function flood(options: FloodOptions): Promise<ReadonlyMap<string, number>> {
  const { guard, clock, perMillisecond, milliseconds, iss = issuer, each } = options
  const tail = `${segment(claimsAt(clock, iss))}.${Buffer.alloc(64, 1).toString('base64url')}`
  const answers: Promise<string>[] = []
  for (let ms = 0; ms < milliseconds; ms += 1) {
    for (let n = 0; n < perMillisecond; n += 1) {
      const head = segment({ alg: 'ES256', typ: 'at+jwt', kid: `invented-${ms}-${n}` })
      answers.push(codeFor(guard, `${head}.${tail}`))
    }
    await each(ms)
    await passMillisecond(clock)
  }
  // Those who came last wait for one more answer.
  for (let ms = 0; ms < 3000; ms += 1) await passMillisecond(clock)
  const counts = new Map<string, number>()
  for (const code of await Promise.all(answers)) counts.set(code, (counts.get(code) ?? 0) + 1)
  return counts
}

/** What a promise has to do is done before the next millisecond begins. */
export async function passMillisecond(clock: TestClock): Promise<void> {
  clock.advance(1)
  const { promise, resolve } = Promise.withResolvers<void>()
  setImmediate(resolve)
  await promise
}
