import type { Clock } from '../clock/clock.ts'
import type { Caller } from '../identity/caller.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { Refusal, quoted } from '../refusal.ts'
import type { Occasion } from './occasion.ts'

/** What a decider is asked. Verified, and no token or key in it. */
export interface DeciderQuestion {
  readonly caller: Caller
  readonly request: InboundRequest
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  readonly params: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a decider answers. Nothing but `permit` lets a request go on. */
export interface DeciderAnswer {
  readonly effect: 'permit' | 'forbid'
  /** The names of the rules that decided, for the operator. */
  readonly reasons?: readonly string[]
}

/**
 * Another engine that decides beside requirements and policy: Cedar, OPA, a relationship store. It is asked last, about requests that
 * would otherwise be allowed to a known caller, and can only narrow.
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
  { request, route, params }: Occasion,
  clock: Clock,
): Refusal | undefined | Promise<Refusal | undefined> {
  const late = new AbortController()
  try {
    const answer = decider.decide({ caller, request, route, params, at: clock.now(), signal: late.signal })
    return answer instanceof Promise ? inTime(answer, decider, late, clock) : judge(answer, decider)
  } catch {
    return unavailable(decider, 'an exception')
  }
}

async function inTime(
  answer: Promise<DeciderAnswer>,
  decider: Decider,
  late: AbortController,
  clock: Clock,
): Promise<Refusal | undefined> {
  const timeoutMs = decider.timeoutMs ?? defaultTimeoutMs
  // Without a clock that can wake it, nobody would end the wait.
  if (clock.schedule === undefined) return unavailable(decider, 'no way to wait for it')
  const ended = Promise.withResolvers<Refusal>()
  const takeBack = clock.schedule(() => {
    late.abort()
    ended.resolve(unavailable(decider, `no answer within ${timeoutMs} ms`))
  }, timeoutMs)
  try {
    return await Promise.race([answer.then((said) => judge(said, decider)), ended.promise])
  } catch {
    return unavailable(decider, 'a rejection')
  } finally {
    takeBack()
  }
}

// INVARIANT: `permit` spelled like this, and nothing that is merely true, allows.
function judge(answer: unknown, decider: Decider): Refusal | undefined {
  const effect: unknown =
    typeof answer === 'object' && answer !== null && 'effect' in answer ? answer.effect : undefined
  if (effect === 'permit') return undefined
  if (effect !== 'forbid') return unavailable(decider, 'an answer that is neither permit nor forbid')
  const reasons = reasonsOf(answer)
  return new Refusal('decider_forbids', {
    expected: `a permit of ${quoted(decider.name)}`,
    actual: reasons.length === 0 ? 'forbid' : `forbid by ${reasons.join(', ')}`,
  })
}

function reasonsOf(answer: unknown): readonly string[] {
  const reasons: unknown =
    typeof answer === 'object' && answer !== null && 'reasons' in answer ? answer.reasons : undefined
  return Array.isArray(reasons) ? reasons.slice(0, 8).map(quoted) : []
}

const unavailable = (decider: Decider, actual: string): Refusal =>
  new Refusal('decider_unavailable', { expected: `an answer of ${quoted(decider.name)}`, actual })

const defaultTimeoutMs = 200
