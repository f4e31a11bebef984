// Whether what happened is what had to happen.
import { refusals } from '@countersign/core'
import { spiffeIdOf } from '../workloads.ts'
import type { Outcome } from './call.ts'
import type { Credential } from './credentials.ts'

/** What is wrong with an outcome, one sentence each; nothing where it is as expected. */
export function judge(outcome: Outcome): readonly string[] {
  const { call, event } = outcome
  if (event === undefined) {
    return [`expected ${call.callee} to record its decision, found none beside the status ${outcome.status}`]
  }
  const actual = event.code ?? event.outcome
  if (actual !== call.expect) return [`expected ${call.expect}, got ${actual}`]
  return call.expect === 'allow' ? judgeAllowed(outcome) : judgeRefused(outcome, call.expect)
}

/** The exit code of the demo: 0 only if there were outcomes, and every one was as expected. */
export function exitCodeOf(outcomes: readonly Outcome[]): 0 | 1 {
  return outcomes.length > 0 && outcomes.every((outcome) => judge(outcome).length === 0) ? 0 : 1
}

// Allowed is not enough: it has to be this caller, known by this proof.
function judgeAllowed({ call, status, event }: Outcome): readonly string[] {
  const caller = call.credential === 'none' ? null : spiffeIdOf(call.caller)
  const proofs = proofsOf[call.credential] ?? []
  return [
    ...demand('a status from 200 to 299', status >= 200 && status <= 299, status),
    ...demand(`the caller ${caller}`, event?.caller === caller, event?.caller),
    ...demand(
      `proof by ${proofs.join(' and ') || 'nothing'}`,
      event?.provenBy.join() === proofs.join(),
      event?.provenBy,
    ),
  ]
}

// The right code, the status that the table of refusals has for it, and not a word of it to the caller.
function judgeRefused({ status, body }: Outcome, code: keyof typeof refusals): readonly string[] {
  return [
    ...demand(`the status ${refusals[code].status}`, status === refusals[code].status, status),
    ...demand('an answer that does not tell the code', !body.includes(code), 'one that does'),
  ]
}

const demand = (expected: string, isMet: boolean, actual: unknown): readonly string[] =>
  isMet ? [] : [`expected ${expected}, got ${String(actual)}`]

const proofsOf: Partial<Record<Credential, readonly string[]>> = {
  token: ['token'],
  certificate: ['certificate'],
  'token and certificate': ['token', 'certificate'],
}
