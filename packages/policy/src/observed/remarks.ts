import type { Observation } from '@countersign/core'
import { isGrantable, isToAllow, type ObservedParties } from './observed-parties.ts'
import type { ObservedRoutes } from './observed-routes.ts'
import { shown } from './yaml-text.ts'

/** What the document does not allow, and what it cannot say, as comments. */
export function remarks(
  observations: readonly Observation[],
  parties: ObservedParties,
  routes: ObservedRoutes,
): readonly string[] {
  const known = observations.filter(({ caller }) => caller !== null)
  const refused = known.filter((seen) => codesOf(seen).length > 0)
  const nobody = observations.filter((seen) => seen.caller === null && codesOf(seen).length > 0)
  const lost = known.filter((seen) => isToAllow(seen) && !isSaid(seen, parties, routes))
  return [
    ...section(
      'Would have been refused. A grant, or a change of the caller, is for you to decide:',
      refused.map((seen) => `${who(seen)} on ${where(seen)}: ${codesOf(seen).join(', ')}`),
    ),
    ...section(
      'Came without a valid credential, and has no part in this policy:',
      nobody.map((seen) => `${where(seen)}: ${codesOf(seen).join(', ')}`),
    ),
    ...section(
      'Was allowed, and could not be written down. It will be refused unless code says otherwise:',
      lost.map((seen) => `${who(seen)} on ${where(seen)}`),
    ),
  ]
}

/** Whether the document says all that was allowed. */
function isSaid(seen: Observation, parties: ObservedParties, routes: ObservedRoutes): boolean {
  const areUsersSaid = seen.users === null || parties.all.some(({ is }) => is.includes(seen.users ?? ''))
  return (
    parties.callerOf(seen) !== undefined &&
    areUsersSaid &&
    routes.names.has(seen.route) &&
    seen.used.every(isGrantable)
  )
}

/** What says nothing is refused for that alone; it is in the document, or told as lost. */
const codesOf = ({ caller, refused }: Observation): readonly string[] =>
  Object.entries(refused)
    .filter(([code]) => caller === null || code !== 'route_undeclared')
    .map(([code, times]) => `${shown(code)} ${times} ${times === 1 ? 'time' : 'times'}`)

const who = ({ caller }: Observation): string => shown(caller ?? '')

const where = ({ route, requirement }: Observation): string =>
  requirement === null ? shown(route) : `${shown(route)}, which asks ${shown(requirement)}`

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return []
  const untold = lines.length - maxLines
  return [
    '',
    `# ${title}`,
    ...lines.slice(0, maxLines).map((line) => `#   ${line}`),
    ...(untold > 0 ? [`#   and ${untold} more`] : []),
  ]
}

const maxLines = 500
