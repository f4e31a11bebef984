import type { Authentication } from '../identity/authentication.ts'
import {
  counts,
  effectiveScopes,
  partiesOf,
  presentedBy,
  type Presented,
} from '../policy/effective-scopes.ts'
import { changesFor, placeOf } from '../policy/missing-scope.ts'
import type { Occasion } from '../policy/occasion.ts'
import { isRequirement, type Placement } from '../policy/placement.ts'
import type { PolicyInForce } from '../policy/policy-in-force.ts'
import { covers } from '../policy/scope.ts'
import { Refusal, quoted, refusals, type RefusalCode } from '../refusal.ts'
import type { Decision } from './decision.ts'
import { makeCaller, type Judge } from './judge.ts'

/** Why a decision came out as it did. For the operator, as the policy stands now. */
export interface Explanation {
  readonly outcome: 'allow' | 'deny'
  /** Why it was denied, or would have been where refusals are only recorded; null where it was allowed. */
  readonly code: RefusalCode | null
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  /** `caller.id`; null where nobody was identified. */
  readonly caller: string | null
  /** What spoke: `code: scopes(orders:read)`, `policy: routes[0] (line 12): …`; or the check of the credential that failed. */
  readonly rules: readonly string[]
  /** Where each scope comes from that the route names and the caller has. */
  readonly scopes: readonly { readonly scope: string; readonly by: readonly string[] }[]
  /** As few changes as would have allowed it; empty where it was allowed. */
  readonly changes: readonly string[]
}

/** What a decision was made of. */
export interface Explained {
  readonly occasion: Occasion
  readonly placement: Placement | undefined
  readonly code: Placement | undefined
  readonly authentication: Authentication | Refusal
  readonly route: string
  readonly registered: string
}

/** See `Guard.explain`. */
export function explain(decision: Decision, made: Explained, judge: Judge, nowMs: number): Explanation {
  const { policy } = judge
  const refusal = decision.outcome === 'deny' ? decision.refusal : decision.observed
  const identity = made.authentication instanceof Refusal ? undefined : made.authentication.identity
  const caller = identity === undefined ? undefined : makeCaller(identity, policy, nowMs).caller
  return Object.freeze({
    outcome: decision.outcome,
    code: refusal?.code ?? null,
    route: made.route,
    caller: caller?.id ?? null,
    rules: rulesOf(made, policy, refusal),
    scopes: identity === undefined ? [] : originsOf(made, presentedBy(identity), policy, nowMs),
    changes: refusal === undefined ? [] : changesOf(refusal, made, policy, nowMs),
  })
}

function rulesOf(
  made: Explained,
  policy: PolicyInForce | undefined,
  refusal: Refusal | undefined,
): readonly string[] {
  if (made.authentication instanceof Refusal) return [made.authentication.code]
  const { code, route, registered } = made
  const entries = policy?.routeOf({ route, registered }).entries ?? []
  return [
    ...(code === undefined ? [] : [`code: ${code.text}`]),
    ...entries.map(({ at, placement }) => `policy: ${placeOf(at)}: ${placement.text}`),
    ...(refusal !== undefined && policy?.reach !== undefined ? [`policy: ${policy.reach.text}`] : []),
  ]
}

/** For each scope that is asked for and held: the token, and the grants that let it be used. */
function originsOf(
  { placement }: Explained,
  presented: Presented,
  policy: PolicyInForce | undefined,
  nowMs: number,
): Explanation['scopes'] {
  if (!isRequirement(placement)) return []
  const { scopes: held } = effectiveScopes(presented, policy, nowMs)
  const grants = partiesOf(presented)
    .flatMap((id) => policy?.callersOf(id) ?? [])
    .flatMap((caller) => caller.grants)
  return placement.scopes
    .filter((scope) => held.has(scope))
    .map((scope) => ({
      scope,
      by: [
        ...(presented.scopes?.names.includes(scope) === true ? ['the token'] : []),
        ...grants
          .filter((grant) => covers(grant.scope, scope) && counts(grant, presented, nowMs))
          .map(({ at }) => placeOf(at)),
      ],
    }))
}

function changesOf(
  refusal: Refusal,
  { authentication, placement, occasion, registered }: Explained,
  policy: PolicyInForce | undefined,
  nowMs: number,
): readonly string[] {
  const { expected, advice } = refusal.detail
  const otherwise = [advice ?? `what is expected: ${expected ?? refusals[refusal.code].sentence}`]
  if (refusal.code === 'route_undeclared') {
    return [
      `say who may call it: in code, or by \`- { route: ${registered}, requires: … }\` in the policy document`,
    ]
  }
  if (authentication instanceof Refusal || authentication.identity === undefined) return otherwise
  if (!isRequirement(placement)) return otherwise
  const { identity } = authentication
  const { caller } = makeCaller(identity, policy, nowMs)
  const lacks = [placement, policy?.reach].flatMap((asked) => asked?.lacking(caller, nowMs, occasion) ?? [])
  const changes = lacks.flatMap((lack) =>
    'scope' in lack
      ? changesFor(lack.scope, presentedBy(identity), policy, nowMs)
      : [lack.refusal.detail.advice ?? `have ${quoted(caller.id)} meet ${lack.requirement}`],
  )
  return changes.length === 0 ? otherwise : [...new Set(changes)]
}
