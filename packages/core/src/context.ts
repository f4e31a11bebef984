import type { Decision } from './decision/decision.ts'
import { hasDecisionListeners } from './events/channels.ts'
import { Facts, type ContextGuard } from './facts.ts'
import { anonymous, type Authentication } from './identity/authentication.ts'
import type { ResourceMetadata } from './enforcement/resource-metadata.ts'
import { placementInCode, withDocument, withFloor } from './policy/joined-placements.ts'
import type { Occasion } from './policy/occasion.ts'
import { Unprotected, isRequirement, type Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import { Refusal } from './refusal.ts'
import { noFields, type HeaderField } from './request/identity-headers.ts'
import { isPreflight, type InboundRequest } from './request/inbound-request.ts'

/**
 * One request on its way through routers to its route. Requirements only add up: what a router asks holds for each
 * of its routes. Credentials are verified once, however often something is asked of them.
 */
export class RequestContext implements Occasion {
  readonly request: InboundRequest
  /** What was asked for last: a route, or a router on the way to it. */
  route = ''
  registered = ''
  readonly context: Readonly<Record<string, unknown>> = nothing
  /** The answer for whatever is running now; undefined as long as nothing was decided for it. */
  decision: Decision | undefined
  readonly #guard: ContextGuard
  readonly #fields: readonly HeaderField[]
  /** Undefined where nobody listened then. */
  readonly #startedAt = hasDecisionListeners() ? performance.now() : undefined
  #params: Params | (() => Params) = nothing
  #authentication: Authentication | Refusal | Promise<Authentication | Refusal> | undefined
  #floor: Requirement | undefined
  /** What a declaration that asks nothing says, and of which handlers beside it. */
  #beside: { readonly placement: Placement; readonly handlers: ReadonlySet<object> } | undefined
  /** The same while such a handler runs: it holds for undeclared routes in it, too. */
  #cover: Placement | undefined
  /** An allow that is recorded only if an answer rests on it. */
  #held: { readonly decision: Decision; readonly facts: Facts } | undefined
  /** What code says of the route that was decided for last. */
  #declared: Placement | undefined
  /** What had been allowed when something failed: error handlers may answer for it. */
  #failed: Decision | undefined
  /** Of a message, the context of the connection that it came by: that presented the credentials. */
  #connection: RequestContext | undefined

  constructor(guard: ContextGuard, request: InboundRequest, fields: readonly HeaderField[] = noFields) {
    this.#guard = guard
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
    const code = this.#floor ?? placement
    this.#arrive(route, '')
    return this.#settle(code, code, false)
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
   * Decides for the resolved route: what it declares and every floor before it, and what the policy document says of it.
   * `isBelowFloor` says that a router which the route stands in asks something; a route that declares nothing otherwise gets
   * what undeclared routes get. `params`: what the path has in place of the names in it, or what finds that out once it is asked for.
   * `registered`: see `Occasion`.
   */
  decide(
    own: Placement | undefined,
    route: string,
    isBelowFloor = false,
    params: Params | (() => Params) = nothing,
    registered: string = route,
  ): Decision | Promise<Decision> {
    this.#arrive(route, registered)
    this.#params = params
    this.#declared = own ?? (isBelowFloor ? this.#floor : undefined) ?? this.#cover
    return this.#ask(true)
  }

  /**
   * For adapters that keep a connection or a stream open: decides for its route again, as of now, with the credentials that were
   * presented when it was opened. Only a denial is recorded. A proof of possession counts as long as what it proved does.
   */
  recheck(): Decision | Promise<Decision> {
    this.#forgetWhatIsOver()
    return this.#ask(false)
  }

  /**
   * For adapters of messages: the undecided context of one message on an open connection, for which this was opened. The credentials
   * are those that were presented with the connection, as of now: a proof of possession counts as long as what it proved does.
   */
  forMessage(): RequestContext {
    this.#forgetWhatIsOver()
    const message = new RequestContext(this.#guard, this.request, this.#fields)
    message.#connection = this.#connection ?? this
    return message
  }

  #forgetWhatIsOver(): void {
    const presented = this.#connection ?? this
    const known = presented.#authentication
    const isOver =
      known instanceof Refusal ||
      (!(known instanceof Promise) && known?.identity?.isAlive(this.#guard.now()) === false)
    if (isOver) presented.#authentication = undefined
  }

  #ask(isFinal: boolean): Decision | Promise<Decision> {
    const declared = this.#declared
    const said = this.#guard.policyOf(this)
    if (said instanceof Refusal && declared === undefined) return this.#refuse(said)
    const document = said instanceof Refusal ? undefined : said
    const code = placementInCode(declared, this.#floor, document, this.#guard.undeclared)
    const asked = withDocument(code, document)
    // Refused whoever asks. Who does is found out only where that is recorded.
    if (asked === undefined && !this.#guard.observes) return this.#refuse(routeUndeclared)
    return this.#settle(asked, code, isFinal)
  }

  /**
   * For adapters: the same request once more, undecided, where an application has handed it on to another one. What was presented counts
   * as read: a proof that was used would be refused.
   */
  again(): RequestContext {
    const again = new RequestContext(this.#guard, this.request, this.#fields)
    again.#authentication = this.#authentication
    return again
  }

  /** Denies for a reason that is the route's own, not the caller's. */
  refuse(refusal: Refusal, route: string): Decision {
    this.#arrive(route, route)
    return this.#refuse(refusal)
  }

  #refuse(refusal: Refusal): Decision {
    const facts = this.#factsOf(refusal, undefined, undefined)
    return this.#keep(this.#guard.deny(refusal, facts), facts, true)
  }

  get params(): Params {
    if (typeof this.#params === 'function') this.#params = this.#params()
    return this.#params
  }

  #arrive(route: string, registered: string): void {
    this.route = route
    this.registered = registered
  }

  /**
   * For adapters: true for a CORS preflight that the guard passes on. Nothing is decided for it, and it has no caller: whatever is
   * answered may say no more than which requests are allowed.
   */
  get isPreflight(): boolean {
    return this.#guard.passesPreflights && isPreflight(this.request)
  }

  /**
   * For adapters: the same on its way to a route of which no code says who may call it. Where the policy document says it, a preflight is
   * a call like any other. `registered`: see `Occasion`.
   */
  isPreflightFor(registered: string): boolean {
    if (!this.isPreflight || this.decision !== undefined) return false
    this.#arrive(registered, registered)
    return this.#guard.policyOf(this) === undefined
  }

  /** For adapters: records that a preflight is answered. */
  answerPreflight(route: string): void {
    this.#arrive(route, route)
    void this.#finish(anonymous, preflightAnswer, preflightAnswer, true)
  }

  /** For adapters: the RFC 9728 document of the service; undefined where the guard has no `resource`. */
  get resourceMetadata(): ResourceMetadata | undefined {
    return this.#guard.resourceMetadata
  }

  /** True if this context was opened by the guard behind this. */
  isOf(guard: ContextGuard): boolean {
    return this.#guard === guard
  }

  /** Records an allow that was held back in case more was to be decided. Called when an answer starts. */
  recordHeld(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && held.decision === this.decision) this.#guard.record(held.decision, held.facts)
  }

  #settle(
    placement: Placement | undefined,
    code: Placement | undefined,
    isFinal: boolean,
  ): Decision | Promise<Decision> {
    const presented = this.#connection ?? this
    try {
      const now = this.#guard.now()
      // A route that needs no caller reads no credential.
      const authentication =
        placement instanceof Unprotected
          ? anonymous
          : (presented.#authentication ??= this.#guard.authenticate(this.request, this.#fields, now))
      if (!(authentication instanceof Promise)) {
        return this.#finish(authentication, placement, code, isFinal, now)
      }
      return authentication.then(
        (settled) => {
          presented.#authentication = settled
          return this.#finish(settled, placement, code, isFinal)
        },
        () => this.#finish(internalError, placement, code, isFinal),
      )
    } catch {
      return this.#finish(internalError, placement, code, isFinal)
    }
  }

  #finish(
    authentication: Authentication | Refusal,
    placement: Placement | undefined,
    code: Placement | undefined,
    isFinal: boolean,
    nowMs?: number,
  ): Decision | Promise<Decision> {
    const facts = this.#factsOf(authentication, placement, code)
    const decision = this.#conclude(authentication, facts, nowMs)
    return decision instanceof Promise
      ? decision.then((known) => this.#keep(known, facts, isFinal))
      : this.#keep(decision, facts, isFinal)
  }

  #factsOf(
    authentication: Authentication | Refusal,
    placement: Placement | undefined,
    code: Placement | undefined,
  ): Facts {
    return new Facts(this.#guard, this, placement, code, authentication, this.#startedAt)
  }

  #keep(decision: Decision, facts: Facts, isFinal: boolean): Decision {
    const isRecorded = isFinal || decision.outcome === 'deny'
    this.#held = isRecorded ? undefined : { decision, facts }
    if (isRecorded) this.#guard.record(decision, facts)
    // Beside a declaration that asks nothing, only its own handler is allowed, and that has not been reached yet.
    if (isRecorded || this.#floor !== undefined) this.decision = decision
    return decision
  }

  // An error of our own, or of a requirement, denies. `nowMs`: the time, where nothing was waited for since it was read.
  #conclude(
    authentication: Authentication | Refusal,
    facts: Facts,
    nowMs?: number,
  ): Decision | Promise<Decision> {
    if (facts.placement === undefined) return this.#guard.deny(routeUndeclared, facts)
    if (authentication instanceof Refusal) return this.#guard.deny(authentication, facts)
    try {
      const decision = this.#guard.conclude(authentication, facts, nowMs ?? this.#guard.now())
      return decision instanceof Promise
        ? decision.catch(() => this.#guard.deny(internalError, facts))
        : decision
    } catch {
      return this.#guard.deny(internalError, facts)
    }
  }
}

type Params = Readonly<Record<string, unknown>>

const nothing: Params = Object.freeze({})
const noHandlers: ReadonlySet<object> = new Set()
const preflightAnswer = new Unprotected('CORS preflight')
const internalError = new Refusal('internal_error')
const routeUndeclared = new Refusal('route_undeclared', {
  expected: 'a declaration of who may call this route',
  actual: 'none',
  advice: "put requireScopes('…') first on the route, or unprotected('why') if everybody may call it",
})
