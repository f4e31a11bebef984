// Whether what happened is what had to happen.
import type { DecisionEvent, RefusalCode } from '@countersign/core'
import { spiffeIdOf } from '../workloads.ts'
import type { Outcome } from './call.ts'
import type { Credential } from './credentials.ts'
import { isSuccess, refusalStatus, statusText } from './status.ts'

/** What is wrong with an outcome, one sentence each; nothing where it is as expected. */
export function judge(outcome: Outcome): readonly string[] {
  const { call, event } = outcome
  if (event === undefined) {
    return [`expected ${call.callee} to record its decision, found none beside the status ${outcome.status}`]
  }
  const actual = verdictOf(event)
  if (actual !== call.expect) return [`expected ${call.expect}, got ${actual}`]
  return [
    ...(call.expect === 'allow' ? judgeAllowed(outcome) : judgeRefused(outcome, call.expect)),
    ...demand(
      `a candidate that says ${call.candidate ?? 'the same'}`,
      outcome.candidate === call.candidate,
      outcome.candidate,
    ),
  ]
}

/** What was decided. What a callee would refuse and only observes, it allows. */
export const verdictOf = ({ outcome, code }: DecisionEvent): string =>
  outcome === 'allow' ? outcome : (code ?? outcome)

/** Why it would have been refused, where that is only observed. */
export const observedOf = (event: DecisionEvent | undefined): RefusalCode | undefined =>
  event?.mode === 'observe' ? (event.code ?? undefined) : undefined

/** The exit code of the demo: 0 only if there were outcomes, and every one was as expected. */
export function exitCodeOf(outcomes: readonly Outcome[]): 0 | 1 {
  return outcomes.length > 0 && outcomes.every((outcome) => judge(outcome).length === 0) ? 0 : 1
}

// Allowed is not enough: it has to be this caller, known by this proof.
function judgeAllowed({ call, status, body, event }: Outcome): readonly string[] {
  const caller = call.credential === 'none' ? null : spiffeIdOf(call.caller)
  const proofs = proofsOf[call.credential] ?? []
  const observed = observedOf(event)
  const user = call.credential === "alice's token, certificate" ? 'alice' : undefined
  const [, onBehalfOf] = /"onBehalfOf":"(\w+)"/.exec(body) ?? []
  return [
    ...demand('a status of success', isSuccess(call, status), statusText(call, status)),
    ...demand(`the caller ${caller}`, event?.caller === caller, event?.caller),
    ...demand(
      `proof by ${proofs.join(' and ') || 'nothing'}`,
      event?.provenBy.join() === proofs.join(),
      event?.provenBy,
    ),
    ...demand(`a record of ${call.observed ?? 'no refusal'}`, observed === call.observed, observed),
    ...demand(`a call on behalf of ${user ?? 'nobody'}`, onBehalfOf === user, onBehalfOf),
  ]
}

// The right code, the status that belongs to it, and not a word of it to the caller.
function judgeRefused({ call, status, body }: Outcome, code: RefusalCode): readonly string[] {
  const expected = refusalStatus(call, code)
  return [
    ...demand(`the status ${statusText(call, expected)}`, status === expected, statusText(call, status)),
    ...demand('an answer that does not tell the code', !body.includes(code), 'one that does'),
  ]
}

const demand = (expected: string, isMet: boolean, actual: unknown): readonly string[] =>
  isMet ? [] : [`expected ${expected}, got ${String(actual)}`]

const proofsOf: Partial<Record<Credential, readonly string[]>> = {
  token: ['token'],
  certificate: ['certificate'],
  'token and certificate': ['token', 'certificate'],
  "alice's token, certificate": ['token', 'certificate'],
}
