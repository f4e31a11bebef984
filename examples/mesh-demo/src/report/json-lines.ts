import type { Outcome } from '../calls/call.ts'
import { judge, observedOf } from '../calls/judge.ts'
import { outcomesOf, type Report, type Result } from './report.ts'

/** One JSON object a line for each call on stdout, for programs. What went wrong is told on stderr, in words. */
export const jsonLines: Report = {
  show(result: Result): void {
    for (const outcome of outcomesOf(result)) {
      process.stdout.write(`${JSON.stringify(lineOf(outcome))}\n`)
      for (const problem of judge(outcome)) {
        const { caller, callee, route, credential } = outcome.call
        process.stderr.write(`${caller} → ${callee}, ${route}, ${credential}: ${problem}\n`)
      }
    }
  },
  end: () => undefined,
}

const lineOf = ({ call, status, event, candidate, ms }: Outcome) => ({
  caller: call.caller,
  callee: call.callee,
  route: call.route,
  credential: call.credential,
  expect: call.expect,
  status,
  code: event?.outcome === 'deny' ? event.code : null,
  observed: observedOf(event) ?? null,
  candidate: candidate ?? null,
  ms: Math.round(ms * 10) / 10,
})
