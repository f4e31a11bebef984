import { randomUUID } from 'node:crypto'
import { Census, listed, spelled, type CensusEntry, type ListRoutes } from './census.ts'
import { systemClock } from './clock/clock.ts'
import { Facts, RequestContext, type ContextGuard } from './context.ts'
import { markCopy, rejectForeignCopy } from './copy.ts'
import { allow, basisOf, deny, type Decision } from './decision/decision.ts'
import { explain, type Explanation } from './decision/explain.ts'
import { Judge, withoutPolicy } from './decision/judge.ts'
import { Observations, type Observation } from './decision/observations.ts'
import { Shadow, type CandidateDifference } from './decision/shadow.ts'
import { isObserved, letsPass, type Circumstances } from './decision/observe-mode.ts'
import { recordDecision } from './decision/record-decision.ts'
import { refusalResponse } from './enforcement/refusal-response.ts'
import { resourceMetadata, type ResourceMetadata } from './enforcement/resource-metadata.ts'
import { hasDecisionListeners, publishDecision, publishHeaders } from './events/channels.ts'
import { RefusalLog } from './events/refusal-log.ts'
import { presentedScheme, readAuthorization } from './evidence/authorization.ts'
import { anonymous, type Authentication } from './identity/authentication.ts'
import { Authenticator } from './identity/authenticator.ts'
import type { Caller } from './identity/caller.ts'
import { fetchDocument } from './identity/trust/fetch-document.ts'
import type { TrustSourceState } from './identity/peer/trust-sources.ts'
import type { KeySourceState } from './identity/trust/key-source.ts'
import { verifyToken } from './identity/token/verify-token.ts'
import { whenKnown } from './identity/when-known.ts'
import type { GuardOptions } from './options/guard-options.ts'
import { parseOptions, type Environment, type ParsedOptions } from './options/parse-options.ts'
import { placeOf } from './policy/missing-scope.ts'
import type { Occasion } from './policy/occasion.ts'
import { Unprotected, isRequirement, requirePlacement, type Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import { Refusal } from './refusal.ts'
import {
  IdentityHeaders,
  noFields,
  type HeaderField,
  type StrippableRequest,
} from './request/identity-headers.ts'
import { isHttp2, type InboundRequest } from './request/inbound-request.ts'

/** Whether a guard can decide, and what each of its sources says of itself. */
export interface Readiness {
  /** False while a source of keys, roots or lists has never been had or is too old to serve, or the guard is closed. */
  readonly ready: boolean
  readonly issuers: readonly KeySourceState[]
  /** The roots of client certificates, and the lists of what is revoked, that come from elsewhere. */
  readonly certificates: readonly TrustSourceState[]
  /** The policy document, where it is followed. */
  readonly policy: readonly TrustSourceState[]
}

/** Makes a guard. Throws a ConfigurationError that names the option at fault and says what to write. */
export function createGuard(options: GuardOptions, environment: Partial<Environment> = {}): Guard {
  return new Guard(options, { clock: systemClock, fetch: fetchDocument, newId: randomUUID, ...environment })
}

/** The configured main path. One guard may serve several adapters and servers. */
export class Guard {
  readonly #options: ParsedOptions
  readonly #environment: Environment
  readonly #authenticator: Authenticator
  readonly #log: RefusalLog | undefined
  readonly #census = new Census()
  readonly #judge: Judge
  readonly #observations = new Observations()
  readonly #shadow: Shadow
  readonly #inside: ContextGuard
  readonly #identityHeaders: IdentityHeaders
  #requestsWithStrays = 0
  #isClosed = false

  /** Use `createGuard`. */
  constructor(options: GuardOptions, environment: Environment) {
    markCopy(this)
    this.#environment = environment
    this.#options = parseOptions(options, environment)
    const { clock } = environment
    const { issuers, forwarded } = this.#options
    this.#identityHeaders = new IdentityHeaders(forwarded?.headers)
    this.#judge = new Judge({ ...this.#options, policy: this.#options.policy.policy, clock })
    this.#authenticator = new Authenticator({
      ...this.#options,
      clock,
      sameWorkload: (one, other) => {
        const { policy } = this.#judge
        return policy?.isSameWorkload(one, other) === true ? () => this.#judge.policy === policy : undefined
      },
      onStrayHeaders: (fields) => this.#tellStrays(fields),
      verifyToken: (token) => verifyToken(token, issuers, clock),
    })
    this.#log =
      this.#options.logger === undefined ? undefined : new RefusalLog(this.#options.logger, environment.clock)
    const { sources } = this.#options.policy
    sources.onAttempt(({ problem }) => problem !== undefined && this.#log?.tellPolicy(problem))
    sources.onReplaced(() => this.#tellModes())
    this.#tellModes()
    this.#shadow = new Shadow({ ...this.#options, policy: this.#options.policy.policy, clock })
    this.#inside = {
      undeclared: this.#options.undeclared,
      passesPreflights: this.#options.passesPreflights,
      authenticate: (request, fields) => this.#authenticate(request, fields),
      policyOf: (occasion) => this.#policyOf(occasion),
      conclude: (authentication, facts) => this.#conclude(authentication, facts),
      deny: (refusal, facts) => this.#refuse(refusal, facts),
      record: (decision, facts) => this.#record(decision, facts),
      resourceMetadata: this.#describeResource(),
    }
  }

  /**
   * Whether a request may go on. Answers at once where the credential was verified before, else by a promise that
   * never rejects. `route` is the route as the framework registered it, for events and logs.
   */
  decide(request: InboundRequest, placement: Placement, route = 'a request'): Decision | Promise<Decision> {
    return this.open(request).decide(requirePlacement(placement, 'requirement'), route)
  }

  /** For adapters: the undecided context of one request, in which the requirements of routers and routes add up. */
  open(request: InboundRequest): RequestContext {
    const fields =
      this.#options.forwarded === undefined ? noFields : this.#identityHeaders.find(request.rawHeaders)
    return new RequestContext(this.#inside, request, fields)
  }

  /**
   * For adapters, when a request arrives: takes away every header that could pass for an identity, so that no handler reads one,
   * and opens the context, which keeps them in case a trusted proxy has sent them.
   */
  admit(request: InboundRequest & StrippableRequest): RequestContext {
    const fields = this.#identityHeaders.take(request)
    if (this.#options.forwarded === undefined && fields.length > 0) this.#tellStrays(fields)
    return new RequestContext(this.#inside, request, fields)
  }

  /** For adapters: true if this guard opened the context. */
  hasOpened(context: RequestContext): boolean {
    return context.isOf(this.#inside)
  }

  /**
   * What was seen while refusals were only recorded: counters for each route and caller. `policyFromObservations` of
   * `@countersign/policy` makes a policy document of it.
   */
  observations(): readonly Observation[] {
    return this.#observations.entries()
  }

  /**
   * Why a decision of this guard came out as it did: which rules spoke, where the caller's scopes come from, and for a refusal the
   * smallest change that would have allowed it. For the operator: it is never sent. Undefined for a decision of another guard.
   */
  explain(decision: Decision): Explanation | undefined {
    const basis = basisOf(decision)
    if (!(basis instanceof Facts) || basis.guard !== this.#inside) return undefined
    return explain(decision, basis, this.#judge, this.#environment.clock.now())
  }

  /** Where the policy's `candidate` decides otherwise than the policy, by route and caller. */
  candidateDifferences(): readonly CandidateDifference[] {
    return this.#shadow.differences()
  }

  /**
   * The routes of the applications behind this guard as they are now, and what each asks of its caller. An application is known once
   * it was sealed, or has had a request.
   */
  census(): readonly CensusEntry[] {
    return this.#census.entries()
  }

  /** For adapters: makes the routes of an application known to the census, which asks for them whenever it is taken. */
  register(list: ListRoutes): void {
    this.#census.add(list)
  }

  /** For adapters: what the policy document says of a route, by its spelling; undefined where it says nothing. */
  documentOf(spelling: string): { readonly placement: Placement; readonly at: string } | undefined {
    const { entries, placement } =
      this.#judge.policy?.routeOf({ route: spelling, registered: spelling }) ?? {}
    const [first] = entries ?? []
    return first === undefined || placement === undefined
      ? undefined
      : { placement, at: `policy ${placeOf(first.at)}` }
  }

  /** For adapters: another object whenever the policy document was replaced. */
  get policyInForce(): object | undefined {
    return this.#judge.policy
  }

  /** For adapters: the routes that the policy document speaks of and that are none of these. They protect nothing. */
  unknownRoutes(routes: readonly CensusEntry[]): readonly string[] {
    return this.#judge.policy?.unknownRoutes(routes) ?? []
  }

  /** For adapters: tells the operator which routes say nothing and are refused. */
  reportUndeclared(routes: readonly CensusEntry[]): void {
    if (routes.length === 0 || this.#options.undeclared !== undefined) return
    this.#log?.tellUndeclared(listed(routes.map(spelled)))
  }

  /** For adapters: what routes that say nothing are held to; undefined where they are refused. */
  get undeclared(): Requirement | undefined {
    return this.#options.undeclared
  }

  /** For adapters: true if such routes stop the start. */
  get failsStart(): boolean {
    return this.#options.failsStart
  }

  /** PEM of all roots whose client certificates are accepted now, for the `ca` of a TLS server; empty where none are. */
  get clientAuthorities(): readonly string[] {
    return this.#options.certificates?.pem ?? []
  }

  /** For servers: whether the certificate of a connection can name a caller, also while no root is known yet. */
  get acceptsCertificates(): boolean {
    return this.#options.certificates !== undefined
  }

  /** For servers: has the listener called whenever `clientAuthorities` has changed. The result takes it back. */
  onTrustChange(listener: () => void): () => void {
    return this.#options.certificates?.sources.onReplaced(listener) ?? (() => undefined)
  }

  /** For servers: tells the operator, where `log` says, what is wrong with what they serve with. */
  reportServing(message: string): void {
    this.#log?.tellServing(message)
  }

  /** Resolves when every source of trust has been tried once, and says in what state each is. Never rejects. */
  async ready(): Promise<Readiness> {
    const { issuers: trusted, certificates: trust, policy: rules } = this.#options
    await Promise.all([trusted.prepared(), trust?.sources.prepared(), rules.sources.prepared()])
    const issuers = trusted.keySources().map(({ state }) => state)
    const certificates = trust?.sources.states ?? []
    const policy = rules.sources.states
    const required = [...issuers, ...policy, ...certificates.filter(({ isRequired }) => isRequired)]
    const serve = required.every(({ status }) => status === 'fresh' || status === 'stale')
    return Object.freeze({ ready: serve && !this.#isClosed, issuers, certificates, policy })
  }

  /** Ends what is under way and forgets what was verified. Whatever needs a caller is refused from here on. */
  close(): void {
    this.#isClosed = true
    this.#authenticator.close()
    this.#options.issuers.close()
    this.#options.certificates?.sources.close()
    this.#options.policy.sources.close()
  }

  /** Request → evidence → verified identity. */
  #authenticate(
    request: InboundRequest,
    fields: readonly HeaderField[],
  ): Authentication | Refusal | Promise<Authentication | Refusal> {
    if (this.#isClosed) return closed
    const authorization = readAuthorization(request)
    if (authorization instanceof Refusal) return authorization
    return this.#authenticator.authenticate(authorization, request, fields)
  }

  #policyOf(occasion: Occasion): Placement | Refusal | undefined {
    if (this.#options.policy.policy === undefined) return undefined
    const { policy } = this.#judge
    return policy === undefined ? withoutPolicy : policy.routeOf(occasion).placement
  }

  /** Verified identity → caller → decision. */
  #conclude(authentication: Authentication, facts: Facts): Decision | Promise<Decision> {
    const { placement = nothingAsked, occasion } = facts
    // Closed while somebody was asked about the caller: what rests on a caller is not answered any more.
    const isOver = (): boolean => this.#isClosed && authentication.identity !== undefined
    if (isOver()) return this.#refuse(closed, facts)
    return whenKnown(this.#judge.judge(authentication, placement, occasion), ({ caller, refusal }) => {
      if (isOver()) return this.#refuse(closed, facts)
      this.#shadow.compare(refusal, authentication, facts)
      return refusal === undefined
        ? this.#allow(authentication, caller, facts)
        : this.#refuse(refusal, facts, authentication, caller)
    })
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
  #refuse(
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
    const { proofs, challenge } = this.#options
    const scheme = presentedScheme(occasion.request)
    const nonce = scheme === 'dpop' ? proofs?.freshNonce(this.#environment.clock.now()) : undefined
    const context = { id, placement, scheme, nonce, isHttp2: isHttp2(occasion.request) }
    return deny(id, refusal, refusalResponse(refusal, context, challenge), facts)
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
    return typeof this.#options.mode === 'object' || this.#judge.policy?.hasModes === true
  }

  #circumstancesOf({ authentication, code, occasion }: Facts): Circumstances {
    const identity = authentication instanceof Refusal ? undefined : authentication.identity
    return { identity, code, occasion, policy: this.#judge.policy, now: this.#environment.clock.now() }
  }

  #tellModes(): void {
    const { mode } = this.#options
    if (typeof mode === 'object') this.#log?.tellObserving('this service', mode.observe.until)
    for (const [what, until] of this.#judge.policy?.observed ?? []) this.#log?.tellObserving(what, until)
  }

  #tellStrays(fields: readonly HeaderField[]): void {
    this.#requestsWithStrays += 1
    const names = [...new Set(fields.map(([name]) => name))].slice(0, 20)
    publishHeaders({ names, requests: this.#requestsWithStrays })
    this.#log?.tellDeleted(names)
  }

  #describeResource(): ResourceMetadata | undefined {
    const { resource, issuers, challenge, certificates, forwarded } = this.#options
    if (resource === undefined) return undefined
    const census = this.#census
    return resourceMetadata(resource, {
      authorizationServers: [...issuers]
        .filter(({ profile }) => profile.carriesScopes)
        .map(({ issuer }) => issuer),
      // Routes register for as long as they like, long after the guard is made.
      get scopes() {
        return census.scopes()
      },
      proofAlgorithms: challenge.proofAlgorithms,
      requiresProof: challenge.requiresProof,
      seesCertificates: certificates !== undefined || forwarded !== undefined,
    })
  }

  /** Decision → event, and a line for the operator where it denies. Made only where somebody listens. */
  #record(decision: Decision, facts: Facts): void {
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
      durationMs: performance.now() - startedAt,
    })
    if (isHeard) publishDecision(event)
    if (isTold) this.#log?.tell(event)
  }

  #callerIn({ authentication }: Facts): Caller | undefined {
    if (authentication instanceof Refusal || authentication.identity === undefined) return undefined
    return this.#judge.callerOf(authentication.identity, this.#judge.policy)
  }

  #observe(refusal: Refusal | undefined, facts: Facts): void {
    if (!this.#isEverObserved || !isObserved(this.#options.mode, this.#circumstancesOf(facts))) return
    const { placement, route, registered } = facts
    this.#observations.record({
      route: registered === '' ? route : registered,
      caller: this.#callerIn(facts)?.id ?? null,
      requirement: placement?.text ?? null,
      scopes: placement !== undefined && isRequirement(placement) ? placement.scopes : [],
      code: refusal?.code,
      at: this.#environment.clock.now(),
    })
  }
}

/** Checks that a value is a guard, or makes one of options. Two copies of the library never share one. */
export function requireGuard(optionsOrGuard: GuardOptions | Guard): Guard {
  rejectForeignCopy(optionsOrGuard, 'guard')
  return optionsOrGuard instanceof Guard ? optionsOrGuard : createGuard(optionsOrGuard)
}

const closed = new Refusal('guard_closed')
const nothingAsked = new Unprotected('the route itself is refused')
