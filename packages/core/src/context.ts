import type { Decision } from './decision/decision.ts'
import { anonymous, type Authentication } from './identity/authentication.ts'
import type { ResourceMetadata } from './enforcement/resource-metadata.ts'
import type { Occasion } from './policy/occasion.ts'
import { Unprotected, isRequirement, withFloor, type Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import { Refusal } from './refusal.ts'
import { noFields, type HeaderField } from './request/identity-headers.ts'
import { isPreflight, type InboundRequest } from './request/inbound-request.ts'

/** A guard, as its contexts see it. */
export interface Decider {
  readonly undeclared: Requirement | undefined
  readonly passesPreflights: boolean
  /** `fields`: the headers that claimed an identity when the request came. */
  authenticate(
    request: InboundRequest,
    fields: readonly HeaderField[],
  ): Authentication | Refusal | Promise<Authentication | Refusal>
  conclude(authentication: Authentication | Refusal, placement: Placement, occasion: Occasion): Decision
  record(decision: Decision, facts: Facts): void
  /** What the service says of itself by RFC 9728; undefined where it was not told who it is. */
  readonly resourceMetadata: ResourceMetadata | undefined
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
export class RequestContext implements Occasion {
  readonly request: InboundRequest
  /** What was asked for last: a route, or a router on the way to it. */
  route = ''
  registered = ''
  params: Readonly<Record<string, unknown>> = nothing
  readonly context: Readonly<Record<string, unknown>> = nothing
  /** The answer for whatever is running now; undefined as long as nothing was decided for it. */
  decision: Decision | undefined
  readonly #decider: Decider
  readonly #fields: readonly HeaderField[]
  readonly #startedAt = performance.now()
  #authentication: Authentication | Refusal | Promise<Authentication | Refusal> | undefined
  #floor: Requirement | undefined
  /** What a declaration that asks nothing says, and of which handlers beside it. */
  #beside: { readonly placement: Placement; readonly handlers: ReadonlySet<object> } | undefined
  /** The same while such a handler runs: it holds for undeclared routes in it, too. */
  #cover: Placement | undefined
  /** An allow that is recorded only if an answer rests on it. */
  #held: { readonly decision: Decision; readonly facts: Facts } | undefined
  /** What had been allowed when something failed: error handlers may answer for it. */
  #failed: Decision | undefined

  constructor(decider: Decider, request: InboundRequest, fields: readonly HeaderField[] = noFields) {
    this.#decider = decider
    this.#fields = fields
    this.request = request
  }

  /**
   * Decides for what is mounted behind a declaration outside any route. A requirement is a floor for what follows in the
   * same router. Anything else speaks for the `handlers` beside it alone, and counts while they run. A denial is
   * recorded; an allow only when an answer starts with nothing more decided.
   */
  enter(
    placement: Placement,
    route: string,
    handlers: ReadonlySet<object> = noHandlers,
  ): Decision | Promise<Decision> {
    // What a router asked before is not undone by a later router that asks nothing.
    if (isRequirement(placement)) this.#floor = withFloor(this.#floor, placement)
    else this.#beside = { placement, handlers }
    this.registered = ''
    return this.#settle(this.#floor ?? placement, route, false)
  }

  /**
   * The same for a requirement that was met somewhere on the way, where nobody knows for what it speaks: it is asked of all that
   * follows, and allows none of it.
   */
  enterStray(requirement: Requirement, route: string): Decision | Promise<Decision> {
    const before = this.decision
    const restore = (decision: Decision): Decision => {
      if (decision.outcome === 'allow') this.decision = before
      return decision
    }
    const decision = this.enter(requirement, route)
    return decision instanceof Promise ? decision.then(restore) : restore(decision)
  }

  /**
   * A router, a route, or the handler beside a declaration is about to run. The result ends what was allowed or asked in
   * it, and is called when it passes the request on or fails: what comes next speaks for itself.
   */
  begin(handler: object): (hasFailed: boolean) => void {
    const { decision } = this
    const floor = this.#floor
    const cover = this.#cover
    if (this.#beside?.handlers.has(handler) === true) {
      this.#cover = this.#beside.placement
      this.decision = this.#held?.decision ?? decision
    }
    this.#beside = undefined
    return (hasFailed) => {
      if (hasFailed) this.#failed = this.decision
      this.decision = decision
      this.#floor = floor
      this.#cover = cover
    }
  }

  /** An error handler is about to run: it may answer for what was allowed when it failed. The result ends that. */
  beginError(): () => void {
    const { decision } = this
    this.decision = this.#failed ?? decision
    return () => {
      this.decision = decision
    }
  }

  /**
   * Decides for the resolved route: what it declares and every floor before it. `isBelowFloor` says that a router which
   * the route stands in asks something; a route that declares nothing otherwise gets what undeclared routes get.
   * `params`: what the path has in place of the names in it. `registered`: the route as a policy document spells it.
   */
  decide(
    own: Placement | undefined,
    route: string,
    isBelowFloor = false,
    params: Readonly<Record<string, unknown>> = nothing,
    registered = route,
  ): Decision | Promise<Decision> {
    this.params = params
    this.registered = registered
    const effective = this.#effective(own ?? (isBelowFloor ? this.#floor : undefined) ?? this.#cover)
    return effective === undefined
      ? this.refuse(routeUndeclared, route)
      : this.#settle(effective, route, true)
  }

  // A floor is added to whatever was declared. It is no declaration by itself: it may be a neighbour's.
  #effective(declared: Placement | undefined): Placement | undefined {
    const asked = declared ?? this.#decider.undeclared
    if (asked === undefined) return undefined
    return isRequirement(asked) ? withFloor(this.#floor, asked) : (this.#floor ?? asked)
  }

  /** Denies for a reason that is the route's own, not the caller's. */
  refuse(refusal: Refusal, route: string): Decision {
    return this.#finish(refusal, undefined, route, true)
  }

  /**
   * For adapters: true for a CORS preflight that the guard passes on. Nothing is decided for it, and it has no caller: whatever is
   * answered may say no more than which requests are allowed.
   */
  get isPreflight(): boolean {
    return this.#decider.passesPreflights && isPreflight(this.request)
  }

  /** For adapters: records that a preflight is answered. */
  answerPreflight(route: string): Decision {
    return this.#finish(anonymous, preflightAnswer, route, true)
  }

  /** For adapters: the RFC 9728 document of the service; undefined where the guard has no `resource`. */
  get resourceMetadata(): ResourceMetadata | undefined {
    return this.#decider.resourceMetadata
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
    this.route = route
    try {
      // A route that needs no caller reads no credential.
      const authentication =
        placement instanceof Unprotected
          ? anonymous
          : (this.#authentication ??= this.#decider.authenticate(this.request, this.#fields))
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
      return this.#decider.conclude(authentication, asked, this)
    } catch {
      return this.#decider.conclude(internalError, asked, this)
    }
  }
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})
const noHandlers: ReadonlySet<object> = new Set()
const preflightAnswer = new Unprotected('CORS preflight')
const nothingAsked = new Unprotected('the route itself is refused')
const internalError = new Refusal('internal_error')
const routeUndeclared = new Refusal('route_undeclared', {
  expected: 'a declaration of who may call this route',
  actual: 'none',
  advice: "put requireScopes('…') first on the route, or unprotected('why') if everybody may call it",
})
