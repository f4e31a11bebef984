import type { Clock } from '../clock/clock.ts'
import type { Authentication } from '../identity/authentication.ts'
import { createCaller, type Caller } from '../identity/caller.ts'
import type { Live } from '../identity/trust/live.ts'
import type { KnownCaller, PolicyRole, VerifiedIdentity } from '../identity/verified-identity.ts'
import { whenKnown } from '../identity/when-known.ts'
import type { ContextProviders } from '../policy/context-providers.ts'
import { askDeciders, type Decider } from '../policy/decider.ts'
import { effectiveScopes, presentedBy } from '../policy/effective-scopes.ts'
import { isIndeterminate } from '../policy/indeterminate.ts'
import type { Occasion } from '../policy/occasion.ts'
import { Unprotected, isRequirement, type Placement } from '../policy/placement.ts'
import type { PolicyInForce } from '../policy/policy-in-force.ts'
import type { Requirement } from '../policy/requirement.ts'
import { Refusal } from '../refusal.ts'
import { decide } from './decide.ts'

export interface JudgeOptions {
  readonly clock: Clock
  /** Undefined where there is no policy: then credentials decide alone. */
  readonly policy: Pick<Live<PolicyInForce>, 'current'> | undefined
  readonly contexts: ContextProviders | undefined
  readonly deciders: readonly Decider[]
  /** Which policy that is. */
  readonly role: PolicyRole
}

/** What came out for one request. */
export interface Verdict {
  readonly caller: Caller | undefined
  /** Why it may not go on; undefined where it may. */
  readonly refusal: Refusal | undefined
}

/** Verified identity → caller → verdict, by what code and policy ask. Synchronous unless somebody else has to be asked. */
export class Judge {
  readonly #options: JudgeOptions

  constructor(options: JudgeOptions) {
    this.#options = options
  }

  /** The policy that holds now; undefined where there is none, or none that may still serve. */
  get policy(): PolicyInForce | undefined {
    return this.#options.policy?.current(this.#options.clock.now())
  }

  /** May who was authenticated pass this placement? Never rejects. */
  judge(
    { identity, missing }: Authentication,
    placement: Placement,
    occasion: Occasion,
    now: number,
  ): Verdict | Promise<Verdict> {
    // A probe that everybody may call has to say that the service is alive.
    if (placement instanceof Unprotected) return { caller: undefined, refusal: undefined }
    const { clock, deciders } = this.#options
    const policy = this.#options.policy?.current(now)
    if (policy === undefined && this.#options.policy !== undefined) {
      return { caller: undefined, refusal: withoutPolicy }
    }
    const caller = identity === undefined ? undefined : this.#callerAt(now, identity, policy)
    const refusal = check(caller, placement, now, occasion, policy, missing)
    if (caller === undefined || !isRequirement(placement)) return { caller, refusal }
    const isOpen = refusal !== undefined && isIndeterminate(refusal) && placement.contexts.length > 0
    // Most requests are decided by now.
    if (!isOpen && deciders.length === 0) return { caller, refusal }
    const informed = isOpen ? this.#withContext(refusal, caller, placement, occasion) : refusal
    return whenKnown(informed, (known) =>
      whenKnown(known ?? askDeciders(deciders, caller, occasion, clock), (last): Verdict => ({
        caller,
        refusal: last,
      })),
    )
  }

  /** The same once more with what context providers say, where nothing else has decided. */
  #withContext(
    refusal: Refusal,
    caller: Caller,
    placement: Requirement,
    { request, route, registered, params }: Occasion,
  ): Refusal | Promise<Refusal | undefined> {
    const { clock, contexts } = this.#options
    if (contexts === undefined) return refusal
    const { policy } = this
    const asked = { request, route, registered, params }
    return contexts
      .collect(placement.contexts, caller, asked)
      .then((context) => check(caller, placement, clock.now(), { ...asked, context }, policy))
  }

  /** The caller that a policy makes of an identity. Found once, and again when policy was replaced or a grant has ended. */
  callerOf(identity: VerifiedIdentity, policy: PolicyInForce | undefined): Caller {
    return this.#callerAt(this.#options.clock.now(), identity, policy)
  }

  #callerAt(nowMs: number, identity: VerifiedIdentity, policy: PolicyInForce | undefined): Caller {
    const { role } = this.#options
    const known = identity[role]
    const isCurrent = known !== undefined && known.policy === policy
    if (isCurrent && (known.until === undefined || nowMs < known.until)) return known.caller
    const made = makeCaller(identity, policy, nowMs)
    identity[role] = made
    return made.caller
  }
}

/** The caller that an identity is under a policy. */
export function makeCaller(
  identity: VerifiedIdentity,
  policy: PolicyInForce | undefined,
  nowMs: number,
): KnownCaller {
  const presented = presentedBy(identity)
  const { scopes, until } = effectiveScopes(presented, policy, nowMs)
  const zones = presented.service === undefined ? undefined : policy?.zonesOf(presented.service)
  return { caller: createCaller(identity, scopes, zones), policy, until }
}

/** What code and document ask on a route, and whether zones let the caller reach this service at all. */
export function check(
  caller: Caller | undefined,
  placement: Placement,
  nowMs: number,
  occasion: Occasion,
  policy: PolicyInForce | undefined,
  missing?: Refusal,
): Refusal | undefined {
  const refusal = decide(caller, placement, nowMs, occasion, missing)
  // Who may call without any credential may call with one, too.
  if (refusal !== undefined || caller === undefined || !isRequirement(placement)) return refusal
  return policy?.reach?.check(caller, nowMs, occasion)
}

/** Why nobody can be judged. */
export const withoutPolicy: Refusal = new Refusal('policy_unavailable', {
  expected: 'a policy that can be read',
  actual: 'none, or one that is too old to serve',
  advice: 'see `policy` in guard.ready(): it says what is wrong with the document',
})
