import type { ContextGuard, Facts } from './facts.ts'
import { allow, deny, type Decision } from './decision/decision.ts'
import { Judge, withoutPolicy, type Verdict } from './decision/judge.ts'
import { Observations, observedParties } from './decision/observations.ts'
import { isObserved, letsPass, observes, type Circumstances } from './decision/observe-mode.ts'
import { recordDecision } from './decision/record-decision.ts'
import { Shadow } from './decision/shadow.ts'
import { RefusalResponses } from './enforcement/refusal-response.ts'
import type { ResourceMetadata } from './enforcement/resource-metadata.ts'
import { hasDecisionListeners, publishDecision } from './events/channels.ts'
import type { RefusalLog } from './events/refusal-log.ts'
import { presentedScheme, readAuthorization } from './evidence/authorization.ts'
import { anonymous, type Authentication } from './identity/authentication.ts'
import { Authenticator } from './identity/authenticator.ts'
import type { Caller } from './identity/caller.ts'
import { KnownHeaders } from './identity/jws/known-headers.ts'
import { verifyToken } from './identity/token/verify-token.ts'
import type { Environment, ParsedOptions } from './options/parse-options.ts'
import type { Occasion } from './policy/occasion.ts'
import { Unprotected, isRequirement, type Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import { Refusal } from './refusal.ts'
import type { HeaderField } from './request/identity-headers.ts'
import { isHttp2, type InboundRequest } from './request/inbound-request.ts'

interface Surroundings {
  readonly environment: Environment
  readonly log: RefusalLog | undefined
  readonly resourceMetadata: ResourceMetadata | undefined
  /** Told of headers that claim an identity and that nobody whose word counts has sent. */
  readonly onStrayHeaders: (fields: readonly HeaderField[]) => void
}

/** The main path as named steps: request → evidence → verified identity → caller → decision → what is told of it. */
export class MainPath implements ContextGuard {
  readonly undeclared: Requirement | undefined
  readonly passesPreflights: boolean
  readonly resourceMetadata: ResourceMetadata | undefined
  readonly judge: Judge
  readonly shadow: Shadow
  readonly observations: Observations = new Observations()
  readonly #options: ParsedOptions
  readonly #environment: Environment
  readonly #log: RefusalLog | undefined
  readonly #authenticator: Authenticator
  readonly #responses: RefusalResponses
  #isClosed = false

  constructor(options: ParsedOptions, { environment, log, resourceMetadata, onStrayHeaders }: Surroundings) {
    const { clock } = environment
    this.undeclared = options.undeclared
    this.passesPreflights = options.passesPreflights
    this.resourceMetadata = resourceMetadata
    this.#options = options
    this.#responses = new RefusalResponses(options.challenge)
    this.#environment = environment
    this.#log = log
    this.judge = new Judge({ ...options, policy: options.policy.policy, clock, role: 'inForce' })
    this.shadow = new Shadow({ ...options, policy: options.policy.policy, clock })
    const context = { issuers: options.issuers, checks: options.checks, headers: new KnownHeaders(), clock }
    this.#authenticator = new Authenticator({
      ...options,
      clock,
      onStrayHeaders,
      verifyToken: (token, connection) => verifyToken(token, connection, context),
      sameWorkload: (one, other) => {
        const { policy } = this.judge
        return policy?.isSameWorkload(one, other) === true ? () => this.judge.policy === policy : undefined
      },
    })
  }

  /** Whatever needs a caller is refused from here on. */
  close(): void {
    this.#isClosed = true
    this.#authenticator.close()
  }

  now(): number {
    return this.#environment.clock.now()
  }

  get observes(): boolean {
    return observes(this.#options.mode, this.#environment.clock.now())
  }

  /** Request → evidence → verified identity. */
  authenticate(
    request: InboundRequest,
    fields: readonly HeaderField[],
    nowMs: number,
  ): Authentication | Refusal | Promise<Authentication | Refusal> {
    if (this.#isClosed) return closed
    const authorization = readAuthorization(request)
    if (authorization instanceof Refusal) return authorization
    const answer = this.#authenticator.authenticate(authorization, request, nowMs, fields)
    // Closed meanwhile, its keys are gone: that is not what was wrong with the credential.
    return answer instanceof Promise ? answer.then((known) => (this.#isClosed ? closed : known)) : answer
  }

  /** What the policy document asks on a route. */
  policyOf(occasion: Occasion): Placement | Refusal | undefined {
    if (this.#options.policy.policy === undefined) return undefined
    const { policy } = this.judge
    return policy === undefined ? withoutPolicy : policy.routeOf(occasion).placement
  }

  /** Verified identity → caller → decision. */
  conclude(authentication: Authentication, facts: Facts, nowMs: number): Decision | Promise<Decision> {
    if (this.#isOver(authentication)) return this.deny(closed, facts)
    const verdict = this.judge.judge(authentication, facts.placement ?? nothingAsked, facts.occasion, nowMs)
    return verdict instanceof Promise
      ? verdict.then((known) => this.#settle(known, authentication, facts))
      : this.#settle(verdict, authentication, facts)
  }

  #settle({ caller, refusal }: Verdict, authentication: Authentication, facts: Facts): Decision {
    if (this.#isOver(authentication)) return this.deny(closed, facts)
    this.shadow.compare(refusal, authentication, facts)
    return refusal === undefined
      ? this.#allow(authentication, caller, facts)
      : this.deny(refusal, facts, authentication, caller)
  }

  // Closed while somebody was asked about the caller: what rests on a caller is not answered any more.
  #isOver({ identity }: Authentication): boolean {
    return this.#isClosed && identity !== undefined
  }

  #allow(
    { nextNonce }: Authentication,
    caller: Caller | undefined,
    facts: Facts,
    observed?: Refusal,
  ): Decision {
    // RFC 9449 §8.2: out of a cache, the nonce would be an old one.
    const headers =
      nextNonce === undefined ? undefined : { 'dpop-nonce': nextNonce, 'cache-control': 'no-store' }
    return allow(caller, this.#environment.newId, facts, headers, observed)
  }

  /** Denies, or lets pass and remembers why it would have been denied. */
  deny(
    refusal: Refusal,
    facts: Facts,
    authentication: Authentication = anonymous,
    caller?: Caller,
  ): Decision {
    if (this.#letsPass(facts)) {
      return this.#allow(authentication, caller, facts, refusal)
    }
    const { placement, occasion } = facts
    const id = this.#environment.newId()
    const { proofs } = this.#options
    const scheme = presentedScheme(occasion.request)
    const nonce = scheme === 'dpop' ? proofs?.freshNonce(this.#environment.clock.now()) : undefined
    const context = { id, placement, scheme, nonce, isHttp2: isHttp2(occasion.request) }
    return deny(id, refusal, this.#responses.of(refusal, context), facts)
  }

  // What fails here refuses.
  #letsPass(facts: Facts): boolean {
    try {
      return this.#isEverObserved && letsPass(this.#options.mode, this.#circumstancesOf(facts))
    } catch {
      return false
    }
  }

  /** Most guards observe nothing, and have nothing to find out for it. */
  get #isEverObserved(): boolean {
    return typeof this.#options.mode === 'object' || this.judge.policy?.hasModes === true
  }

  #circumstancesOf({ authentication, code, occasion }: Facts): Circumstances {
    const identity = authentication instanceof Refusal ? undefined : authentication.identity
    return { identity, code, occasion, policy: this.judge.policy, now: this.#environment.clock.now() }
  }

  /** Decision → event, and a line for the operator where it denies. Made only where somebody listens. */
  record(decision: Decision, facts: Facts): void {
    const refusal = decision.outcome === 'deny' ? decision.refusal : decision.observed
    this.#observe(refusal, facts)
    const isHeard = hasDecisionListeners()
    const isTold = refusal !== undefined && this.#log !== undefined
    if (!isHeard && !isTold) return
    const { authentication, placement, occasion, route, startedAt } = facts
    const event = recordDecision(decision, this.#callerIn(facts), this.#environment.clock.now(), {
      method: occasion.request.method ?? '',
      route,
      requirement: placement?.text ?? 'undeclared',
      verification: authentication instanceof Refusal ? 'none' : authentication.source,
      durationMs: startedAt === undefined ? 0 : performance.now() - startedAt,
    })
    if (isHeard) publishDecision(event)
    if (isTold) this.#log?.tell(event)
  }

  #callerIn({ authentication }: Facts): Caller | undefined {
    if (authentication instanceof Refusal || authentication.identity === undefined) return undefined
    return this.judge.callerOf(authentication.identity, this.judge.policy)
  }

  #observe(refusal: Refusal | undefined, facts: Facts): void {
    if (!this.#isEverObserved || !isObserved(this.#options.mode, this.#circumstancesOf(facts))) return
    const { placement, route, registered, authentication } = facts
    const caller = this.#callerIn(facts)
    this.observations.record({
      route: registered === '' ? route : registered,
      caller: caller?.id ?? null,
      requirement: placement?.text ?? null,
      scopes: isRequirement(placement) ? placement.scopes : [],
      parties: observedParties(authentication instanceof Refusal ? undefined : authentication.identity),
      has: (scope) => caller?.scopes.has(scope) === true,
      code: refusal?.code,
      at: this.#environment.clock.now(),
    })
  }
}

const closed = new Refusal('guard_closed')
const nothingAsked = new Unprotected('the route itself is refused')
