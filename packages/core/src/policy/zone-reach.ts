import { Refusal, quoted } from '../refusal.ts'
import type { Policy } from './policy.ts'
import { OtherRequirement, type Requirement } from './requirement.ts'

/**
 * What `calls` asks of every caller: to be in a zone that may call one of this service's own. Undefined where zones limit nobody.
 * Whoever is in no zone is outside all of them.
 */
export function reachOf({ service, zones, calls }: Policy): Requirement | undefined {
  if (calls === undefined) return undefined
  const own = [...zones].flatMap(([zone, members]) =>
    service !== undefined && members.has(service) ? [zone] : [],
  )
  const allowed = [...calls].flatMap(([zone, reached]) =>
    own.some((each) => reached.has(each)) ? [zone] : [],
  )
  const text = `calls(${allowed.join(', ')} → ${own.join(', ')})`
  return new OtherRequirement({
    text,
    check: (caller) =>
      caller.zones.some((zone) => allowed.includes(zone))
        ? undefined
        : new Refusal('caller_not_allowed', {
            expected:
              allowed.length === 0
                ? 'nobody: no zone may call this one'
                : `a caller in zone ${allowed.join(' or ')}`,
            actual: `${quoted(caller.id)} in ${caller.zones.length === 0 ? 'no zone' : caller.zones.join(', ')}`,
            advice:
              'put the caller into a zone, or let its zone call this one, in `zones` and `calls` of the policy',
          }),
  })
}
