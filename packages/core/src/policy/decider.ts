import type { Clock } from '../clock/clock.ts'
import type { Caller } from '../identity/caller.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { Refusal, quoted } from '../refusal.ts'
import type { Occasion } from './occasion.ts'

/** What a decider is asked. Verified, and no token or key in it. */
export interface DeciderQuestion {
  readonly caller: Caller
  readonly request: InboundRequest
  /** As it was asked for, such as `GET /orders/:id`. */
  readonly route: string
  /** The same with the method that was registered, as the census shows it: `GET …` also for HEAD, `* …` for a route of all methods. */
  readonly registered: string
  /** What the path has in place of its names. A caller's text. */
  readonly params: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a decider answers: plain data, whose own `effect` counts. Nothing but `permit` lets a request go on. */
export interface DeciderAnswer {
  /** `error`: it cannot tell, because something failed in it. That denies as unavailable. */
  readonly effect: 'permit' | 'forbid' | 'error'
  /** The names of the rules that decided or failed, for the operator: eight at most are told. Never what the caller sent. */
  readonly reasons?: readonly string[]
}

/**
 * Another engine that decides beside requirements and policy: Cedar, OPA, a relationship store. It is asked last, about requests that
 * would otherwise be allowed on a route that requires a caller, and can only narrow.
 */
export interface Decider {
  /** For the operator. */
  readonly name: string
  /** An exception, a rejection and any other answer deny, as unavailable. */
  decide(question: DeciderQuestion): DeciderAnswer | Promise<DeciderAnswer>
  /** Milliseconds to wait for an answer, from 1 to 10,000. Default: 200. */
  readonly timeoutMs?: number
}

/** Asks every decider. Undefined if each permits, else why not. At once where all of them answer at once. */
export function askDeciders(
  deciders: readonly Decider[],
  caller: Caller,
  occasion: Occasion,
  clock: Clock,
): Refusal | undefined | Promise<Refusal | undefined> {
  for (const [i, decider] of deciders.entries()) {
    const answer = ask(decider, caller, occasion, clock)
    if (answer instanceof Promise) {
      return answer.then((refusal) => refusal ?? askDeciders(deciders.slice(i + 1), caller, occasion, clock))
    }
    if (answer !== undefined) return answer
  }
  return undefined
}

function ask(
  decider: Decider,
  caller: Caller,
  { request, route, registered, params }: Occasion,
  clock: Clock,
): Refusal | undefined | Promise<Refusal | undefined> {
  const late = new AbortController()
  try {
    const at = clock.now()
    const question = { caller, request, route, registered, params, at, signal: late.signal }
    const answer: unknown = decider.decide(question)
    return isThenable(answer) ? inTime(answer, decider, late, clock) : judge(answer, decider)
  } catch {
    return unavailable(decider, 'an exception')
  }
}

async function inTime(
  answer: PromiseLike<unknown>,
  decider: Decider,
  late: AbortController,
  clock: Clock,
): Promise<Refusal | undefined> {
  const timeoutMs = decider.timeoutMs ?? defaultTimeoutMs
  const judged = Promise.resolve(answer).then((said) => judge(said, decider))
  // Without a clock that can wake it, nobody would end the wait.
  if (clock.schedule === undefined) {
    late.abort()
    judged.catch(() => undefined)
    return unavailable(decider, 'no way to wait for it')
  }
  const ended = Promise.withResolvers<Refusal>()
  const takeBack = clock.schedule(() => {
    late.abort()
    ended.resolve(unavailable(decider, `no answer within ${timeoutMs} ms`))
  }, timeoutMs)
  try {
    return await Promise.race([judged, ended.promise])
  } catch {
    return unavailable(decider, 'a rejection')
  } finally {
    takeBack()
  }
}

// INVARIANT: `permit` spelled like this, and nothing that is merely true, allows.
function judge(answer: unknown, decider: Decider): Refusal | undefined {
  const effect = own(answer, 'effect')
  if (effect === 'permit') return undefined
  const reasons = own(answer, 'reasons')
  const told = Array.isArray(reasons) ? reasons.slice(0, maxReasons).map(quoted).join(', ') : ''
  if (effect === 'error') return unavailable(decider, told === '' ? 'an error' : `an error in ${told}`)
  if (effect !== 'forbid') return unavailable(decider, 'an answer that is neither permit nor forbid')
  return new Refusal('decider_forbids', {
    expected: `a permit of ${quoted(decider.name)}`,
    actual: told === '' ? 'forbid' : `forbid by ${told}`,
  })
}

/** What an answer itself says, never what all objects inherit. */
const own = (answer: unknown, name: keyof DeciderAnswer): unknown =>
  typeof answer === 'object' && answer !== null
    ? Object.getOwnPropertyDescriptor(answer, name)?.value
    : undefined

// Also a promise of another realm or library.
const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'

const unavailable = (decider: Decider, actual: string): Refusal =>
  new Refusal('decider_unavailable', { expected: `an answer of ${quoted(decider.name)}`, actual })

const defaultTimeoutMs = 200
const maxReasons = 8
