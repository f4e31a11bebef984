import { ConfigurationError, type Observation } from '@countersign/core'
import { isName } from '../policy/names.ts'
import { parsePolicy } from '../policy/parse-policy.ts'
import { observedParties } from './observed-parties.ts'
import { observedRoutes } from './observed-routes.ts'
import { remarks } from './remarks.ts'
import { flowList, yamlText } from './yaml-text.ts'

export interface FromObservationsOptions {
  /** The caller name of the service that was observed, for `service`. Default: none; zones need it. */
  readonly service?: string
}

/**
 * Makes a policy document of what a guard has seen while it only observed: `policyFromObservations(guard.observations())`. It allows
 * what was allowed, and undeclared routes to those who called them with a valid credential. Whatever would have been refused is
 * left out, and told in comments. Who called while nothing was refused stands in it, so it is to be read before it decides.
 *
 * Users are not told apart: those of one issuer are one caller. Throws a `ConfigurationError` for a `service` that is no name, and a
 * `PolicyError` where so much was seen that no document may hold it.
 */
export function policyFromObservations(
  observations: readonly Observation[],
  { service }: FromObservationsOptions = {},
): string {
  if (service !== undefined && !isName(service)) {
    throw new ConfigurationError('service', 'expected the name of this service, such as orders')
  }
  const seen = observations.toSorted((one, other) => compare(one.route, other.route))
  const parties = observedParties(seen)
  const routes = observedRoutes(seen, parties)
  const callers = parties.all.flatMap(({ name, is, grants }) => [
    `  ${name}:`,
    `    is: ${flowList(is)}`,
    ...(grants.size === 0 ? [] : ['    grants:']),
    ...[...grants.values()]
      .toSorted((one, other) => compare(one.scope, other.scope))
      .map(({ scope, via }) => `      - { scope: ${yamlText(scope)}, via: ${via} }`),
  ])
  const text = [
    `# Made of what was observed${spanOf(seen)}.`,
    '# Read it before it decides: who called while nothing was refused stands here, whether or not they should.',
    'version: 1',
    ...(service === undefined ? [] : [`service: ${yamlText(service)}`]),
    ...(callers.length === 0 ? [] : ['callers:', ...callers]),
    ...(routes.written.length === 0 ? [] : ['routes:']),
    ...routes.written.flatMap(({ remark, entry }) => [`  # ${remark}`, `  - ${entry}`]),
    ...remarks(seen, parties, routes),
    '',
  ].join('\n')
  // What is written here has to be read by those who enforce it.
  parsePolicy(text, 'the policy of what was observed')
  return text
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

function spanOf(seen: readonly Observation[]): string {
  const first = new Date(Math.min(...seen.map(({ firstAt }) => firstAt)))
  const last = new Date(Math.max(...seen.map(({ lastAt }) => lastAt)))
  const isKnown = !Number.isNaN(first.getTime()) && !Number.isNaN(last.getTime())
  return isKnown ? ` from ${first.toISOString()} to ${last.toISOString()}` : ''
}
