import type { CandidateDifference, Observation } from '@countersign/core'
import { judge } from '../calls/judge.ts'
import { frameworkOf, nameOf, serviceNames, type ServiceName } from '../workloads.ts'
import { outcomesOf, type RecordsOfAll, type Result } from './report.ts'

/** What was proven, in sentences; or that it was not. */
export function summarise(
  results: readonly Result[],
  elapsedMs: number,
  records: RecordsOfAll,
): readonly string[] {
  const all = results.flatMap(outcomesOf)
  const wrong = all.filter((outcome) => judge(outcome).length > 0)
  const seconds = (elapsedMs / 1000).toFixed(1)
  if (wrong.length > 0 || all.length === 0) {
    return [
      `${wrong.length} of ${all.length} calls did not go as expected (✗). Nothing is proven by this run.`,
    ]
  }
  const refused = results.filter(({ control }) => control !== undefined)
  const allowed = results.filter(({ control }) => control === undefined).flatMap(outcomesOf)
  const codes = new Set(refused.map(({ experiment }) => experiment.call.expect))
  const open = allowed.filter(({ call }) => call.credential === 'none')
  return [
    `All ${all.length} calls between ${serviceNames.length} services on ${frameworks} went as expected,`,
    `${seconds} s after the first process was started. Proven:`,
    `- ${allowed.length} calls were allowed, and each callee knew exactly who called and by which proof: a token, a certificate,`,
    `  or both. On the ways checkout → orders → inventory and checkout → orders → pricing each hop called in its own name.`,
    `  ${open.length} of them need no caller, because their routes say so, with the reason.`,
    `- ${refused.length} calls were refused, with ${codes.size} different codes. The same ${refused.length} calls without their one defect were allowed.`,
    `- For alice, checkout did what both may do. An inventory that was granted too much is held by its zone.`,
    `- What a caller learns is a status, a coarse error and a decision id. The codes above are from the callees' own`,
    `  decision events, found by that id.`,
    ...recordedIn(records),
  ]
}

/** What the guards themselves have on record, for whoever is about to enforce it. */
function recordedIn(records: RecordsOfAll): readonly string[] {
  const all = [...records]
  return [
    '- On record, for the day on which more is enforced:',
    ...all.flatMap(([service, { observations }]) => observations.flatMap((each) => refusedIn(each, service))),
    ...all.flatMap(([service, { differences }]) => differences.map((each) => differenceIn(each, service))),
  ]
}

// Without a caller nothing was let pass: the code of the route asks for one, and what it asks is never only observed.
const refusedIn = ({ route, caller, refused }: Observation, service: ServiceName): readonly string[] =>
  Object.entries(caller === null ? {} : refused).map(
    ([code, requests]) =>
      `  ${service}, ${route}: ${nameOf(caller)} would have been refused ${times(requests)} with ${code}, and was let pass`,
  )

const differenceIn = (
  { route, caller, candidate, requests }: CandidateDifference,
  service: ServiceName,
): string =>
  `  ${service}, ${route}: ${nameOf(caller)} was allowed ${times(requests)}; the candidate says ${candidate ?? 'allow'}`

const frameworks = new Intl.ListFormat('en').format(new Set(Object.values(frameworkOf)))

const times = (requests: number): string =>
  requests === 1 ? 'once' : requests === 2 ? 'twice' : `${requests} times`
