import type { VerifiedIdentity } from '../identity/verified-identity.ts'
import { partiesOf, presentedBy } from '../policy/effective-scopes.ts'
import type { Occasion } from '../policy/occasion.ts'
import { isRequirement, type Placement } from '../policy/placement.ts'
import type { Mode } from '../policy/policy.ts'
import type { PolicyInForce } from '../policy/policy-in-force.ts'
import { decide } from './decide.ts'
import { makeCaller } from './judge.ts'

/** A request, and what code and policy say of it. */
export interface Circumstances {
  readonly identity: VerifiedIdentity | undefined
  /** What code asks, of the route and of the routers before it; undefined where it says nothing. */
  readonly code: Placement | undefined
  readonly occasion: Occasion
  readonly policy: PolicyInForce | undefined
  readonly now: number
}

/** Whether refusals are only recorded now. */
export const observes = (mode: Mode | undefined, nowMs: number): boolean =>
  mode !== undefined && mode !== 'enforce' && nowMs < mode.observe.until

/** True where requests are recorded, because code or policy observes them. */
export function isObserved(
  own: Mode | undefined,
  { identity, occasion, policy, now }: Circumstances,
): boolean {
  return observes(own, now) || modesOf(policy, identity, occasion).some((mode) => observes(mode, now))
}

/**
 * True where a refusal is recorded and the request goes on all the same. `own`: the mode that code gives the service.
 * Throws where a requirement does, which lets nobody pass.
 * INVARIANT: whatever code or document says is enforced, is; and what a document observes loosens nothing that code asks.
 */
export function letsPass(own: Mode | undefined, circumstances: Circumstances): boolean {
  const { identity, occasion, policy, now, code } = circumstances
  const modes = modesOf(policy, identity, occasion)
  if (own === 'enforce' || modes.includes('enforce')) return false
  if (observes(own, now)) {
    const enforced = isRequirement(code) ? code.enforced : undefined
    return enforced === undefined || meets(enforced, policy, circumstances)
  }
  if (!modes.some((mode) => observes(mode, now))) return false
  // What the document grants may be just what code asks; what it does not grant may be just what it observes.
  return code === undefined || meets(code, policy, circumstances) || meets(code, undefined, circumstances)
}

/** Whether the caller that a policy makes of the request, or none at all, is let by. Throws where a requirement does. */
function meets(
  placement: Placement,
  policy: PolicyInForce | undefined,
  { identity, occasion, now }: Circumstances,
): boolean {
  const caller = identity === undefined ? undefined : makeCaller(identity, policy, now).caller
  return decide(caller, placement, now, occasion) === undefined
}

function modesOf(
  policy: PolicyInForce | undefined,
  identity: VerifiedIdentity | undefined,
  occasion: Occasion,
): readonly (Mode | undefined)[] {
  if (policy === undefined) return []
  const parties = identity === undefined ? [] : partiesOf(presentedBy(identity))
  return [
    ...policy.routeOf(occasion).entries.map(({ mode }) => mode),
    ...parties.flatMap((id) => policy.callersOf(id)).map(({ mode }) => mode),
  ]
}
