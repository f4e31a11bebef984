import type { Decision } from './decision/decision.ts'
import type { Authentication } from './identity/authenticator.ts'
import { CallerOptional, Unprotected, type Placement } from './policy/placement.ts'
import { allOf, type Requirement } from './policy/requirement.ts'
import { Refusal } from './refusal.ts'
import type { InboundRequest } from './request/inbound-request.ts'

/** A guard, as its contexts see it. */
export interface Decider {
  readonly undeclared: Requirement | undefined
  authenticate(request: InboundRequest): Authentication | Refusal | Promise<Authentication | Refusal>
  conclude(authentication: Authentication | Refusal, placement: Placement): Decision
  record(decision: Decision, facts: Facts): void
}

/** What is known of a decision when it is recorded. */
export interface Facts {
  readonly request: InboundRequest
  readonly placement: Placement | undefined
  readonly authentication: Authentication | Refusal
  readonly route: string
  readonly startedAt: number
}

/**
 * One request on its way through routers to its route. Requirements only add up: what a router asks holds for each
 * of its routes. Credentials are verified once, however often something is asked of them.
 */
export class RequestContext {
  readonly request: InboundRequest
  /** The answer for whatever is running now; undefined as long as nothing was decided for it. */
  decision: Decision | undefined
  readonly #decider: Decider
  readonly #startedAt = performance.now()
  #authentication: Authentication | Refusal | Promise<Authentication | Refusal> | undefined
  #floor: Requirement | undefined
  /** What a declaration that asks nothing says of the handler beside it. */
  #beside: Placement | undefined
  /** The same while that handler runs: it holds for undeclared routes in it, too. */
  #cover: { readonly placement: Placement; readonly decision: Decision } | undefined
  #held: { readonly decision: Decision; readonly facts: Facts } | undefined

  constructor(decider: Decider, request: InboundRequest) {
    this.#decider = decider
    this.request = request
  }

  /**
   * Decides for what is mounted behind a declaration outside any route. A requirement is a floor for all that follows.
   * Anything else speaks for the handler beside it alone, and counts while that one runs. A denial is recorded; an
   * allow only when an answer starts with nothing more decided.
   */
  enter(placement: Placement, route: string): Decision | Promise<Decision> {
    // What a router asked before is not undone by a later router that asks nothing.
    if (isRequirement(placement)) this.#floor = both(this.#floor, placement)
    else this.#beside = placement
    return this.#settle(this.#floor ?? placement, route, false)
  }

  /**
   * The handler beside a declaration that asks nothing is about to run, and is allowed what the declaration says. The
   * result takes that back: to be called when the handler passes the request on, since what comes next speaks for itself.
   */
  arrive(): () => void {
    const outer = this.#cover
    if (this.#beside !== undefined && this.#held !== undefined) {
      this.#cover = { placement: this.#beside, decision: this.#held.decision }
      this.decision = this.#held.decision
    }
    this.#beside = undefined
    return () => {
      this.#cover = outer
      this.leaveRoute()
    }
  }

  /** A route has passed the request on: what it was allowed ends with it. */
  leaveRoute(): void {
    // What a floor allowed stays allowed: the floor is met, and holds for whatever follows.
    if (this.#floor === undefined) this.decision = this.#cover?.decision
  }

  /** Decides for the resolved route: its own declaration and every floor before it, or what undeclared routes get. */
  decide(own: Placement | undefined, route: string): Decision | Promise<Decision> {
    const effective =
      own !== undefined && isRequirement(own)
        ? both(this.#floor, own)
        : (this.#floor ?? own ?? this.#cover?.placement ?? this.#decider.undeclared)
    return effective === undefined
      ? this.refuse(routeUndeclared, route)
      : this.#settle(effective, route, true)
  }

  /** Denies for a reason that is the route's own, not the caller's. */
  refuse(refusal: Refusal, route: string): Decision {
    return this.#finish(refusal, undefined, route, true)
  }

  /** True if this context was opened by the guard behind this decider. */
  isOf(decider: Decider): boolean {
    return this.#decider === decider
  }

  /** Records an allow that was held back in case more was to be decided. Called when an answer starts. */
  recordHeld(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && held.decision === this.decision) this.#decider.record(held.decision, held.facts)
  }

  #settle(placement: Placement, route: string, isFinal: boolean): Decision | Promise<Decision> {
    try {
      // A route that needs no caller reads no credential.
      const authentication =
        placement instanceof Unprotected
          ? nobody
          : (this.#authentication ??= this.#decider.authenticate(this.request))
      if (!(authentication instanceof Promise)) return this.#finish(authentication, placement, route, isFinal)
      return authentication.then(
        (settled) => {
          this.#authentication = settled
          return this.#finish(settled, placement, route, isFinal)
        },
        () => this.#finish(internalError, placement, route, isFinal),
      )
    } catch {
      return this.#finish(internalError, placement, route, isFinal)
    }
  }

  #finish(
    authentication: Authentication | Refusal,
    placement: Placement | undefined,
    route: string,
    isFinal: boolean,
  ): Decision {
    const decision = this.#conclude(authentication, placement)
    const facts: Facts = {
      request: this.request,
      placement,
      authentication,
      route,
      startedAt: this.#startedAt,
    }
    const isRecorded = isFinal || decision.outcome === 'deny'
    this.#held = isRecorded ? undefined : { decision, facts }
    if (isRecorded) this.#decider.record(decision, facts)
    // Beside a declaration that asks nothing, only its own handler is allowed, and that has not been reached yet.
    if (isRecorded || this.#floor !== undefined) this.decision = decision
    return decision
  }

  // An error of our own, or of a requirement, denies.
  #conclude(authentication: Authentication | Refusal, placement: Placement | undefined): Decision {
    const asked = placement ?? nothingAsked
    try {
      return this.#decider.conclude(authentication, asked)
    } catch {
      return this.#decider.conclude(internalError, asked)
    }
  }
}

const isRequirement = (placement: Placement): placement is Requirement =>
  !(placement instanceof Unprotected) && !(placement instanceof CallerOptional)

// Each pair of floor and route is joined once and kept, so that a request allocates nothing for it.
function both(floor: Requirement | undefined, own: Requirement): Requirement {
  if (floor === undefined || floor === own) return own
  let joined = pairs.get(floor)
  if (joined === undefined) pairs.set(floor, (joined = new WeakMap()))
  let pair = joined.get(own)
  if (pair === undefined) joined.set(own, (pair = allOf(floor, own)))
  return pair
}

const pairs = new WeakMap<Requirement, WeakMap<Requirement, Requirement>>()
const nobody: Authentication = Object.freeze({ identity: undefined, source: 'none' })
const nothingAsked = new Unprotected('the route itself is refused')
const internalError = new Refusal('internal_error')
const routeUndeclared = new Refusal('route_undeclared', {
  expected: 'a declaration of who may call this route',
  actual: 'none',
  advice: "put requireScopes('…') first on the route, or unprotected('why') if everybody may call it",
})
