import { quoted } from '../refusal.ts'
import { isInTime, isUsable, partiesOf, type Presented } from './effective-scopes.ts'
import type { PolicyInForce } from './policy-in-force.ts'
import type { Place } from './policy.ts'
import { covers } from './scope.ts'

/** All that would have to change for a scope to count: at the issuer, and for each party in the policy. */
export function changesFor(
  scope: string,
  presented: Presented,
  policy: PolicyInForce | undefined,
  nowMs: number,
): readonly string[] {
  const { scopes, mayGrant, service, user } = presented
  const changes: string[] = []
  if (scopes?.names.includes(scope) === false) {
    changes.push(`have the issuer of the token put \`${scope}\` into it`)
  }
  if (scopes === undefined && policy === undefined) {
    changes.push(
      `grant \`${scope}\` to ${quoted(service ?? user)}, in \`grants\` or a policy document: its credential carries no scopes`,
    )
  }
  if (mayGrant?.some((grant) => covers(grant, scope)) === false) {
    changes.push(`let the issuer give \`${scope}\`, in its \`mayGrant\``)
  }
  if (policy === undefined) return changes
  for (const id of partiesOf(presented)) {
    const change = grantChange(scope, id, presented, policy, nowMs)
    if (change !== undefined) changes.push(change)
  }
  return changes
}

function grantChange(
  scope: string,
  id: string,
  presented: Presented,
  policy: PolicyInForce,
  nowMs: number,
): string | undefined {
  const callers = policy.callersOf(id)
  const grants = callers.flatMap((caller) => caller.grants).filter((grant) => covers(grant.scope, scope))
  const inTime = grants.filter((grant) => isInTime(grant, nowMs))
  if (inTime.some((grant) => isUsable(grant, presented))) return undefined
  const [unused] = inTime
  if (unused !== undefined) {
    const needs = unused.via === 'both' ? 'both a token and a certificate' : `a ${unused.via}`
    return `have ${quoted(id)} present ${needs}, which ${placeOf(unused.at)} asks for (\`via\`)`
  }
  const [ended] = grants
  if (ended !== undefined) return `move the \`until\` of ${placeOf(ended.at)}, which has passed`
  const [caller] = callers
  return caller === undefined
    ? `name ${quoted(id)} in the \`is\` list of a caller, and grant it \`${scope}\``
    : `add \`${scope}\` to the grants of ${placeOf(caller.at)}`
}

/** Where something stands, as an operator finds it. */
export const placeOf = ({ path, line }: Place): string =>
  line === 0 ? `\`${path}\`` : `\`${path}\` (line ${line})`
