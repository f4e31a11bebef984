import { randomUUID } from 'node:crypto'
import { watchAccess } from './adapters/watch-access.ts'
import { Census, listed, spelled, type CensusEntry, type ListRoutes } from './census.ts'
import { systemClock } from './clock/clock.ts'
import { RequestContext } from './context.ts'
import { Facts } from './facts.ts'
import { markCopy, rejectForeignCopy } from './copy.ts'
import { basisOf, type Decision, type Deny } from './decision/decision.ts'
import { explain, type Explanation } from './decision/explain.ts'
import type { Observation } from './decision/observations.ts'
import type { CandidateDifference } from './decision/shadow.ts'
import { resourceMetadata, type ResourceMetadata } from './enforcement/resource-metadata.ts'
import { publishHeaders } from './events/channels.ts'
import { RefusalLog } from './events/refusal-log.ts'
import { fetchDocument } from './identity/trust/fetch-document.ts'
import type { TrustSourceState } from './identity/peer/trust-sources.ts'
import type { KeySourceState } from './identity/trust/key-source.ts'
import { MainPath } from './main-path.ts'
import type { GuardOptions } from './options/guard-options.ts'
import { parseOptions, type Environment, type ParsedOptions } from './options/parse-options.ts'
import { placeOf } from './policy/missing-scope.ts'
import { requirePlacement, type Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import {
  IdentityHeaders,
  noFields,
  type HeaderField,
  type StrippableRequest,
} from './request/identity-headers.ts'
import type { InboundRequest } from './request/inbound-request.ts'

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

/** What applications and adapters hold of the main path. One guard may serve several adapters and servers. */
export class Guard {
  readonly #options: ParsedOptions
  readonly #environment: Environment
  readonly #path: MainPath
  readonly #log: RefusalLog | undefined
  readonly #census = new Census()
  readonly #identityHeaders: IdentityHeaders
  #requestsWithStrays = 0
  #isClosed = false

  /** Use `createGuard`. */
  constructor(options: GuardOptions, environment: Environment) {
    markCopy(this)
    this.#environment = environment
    this.#options = parseOptions(options, environment)
    this.#identityHeaders = new IdentityHeaders(this.#options.forwarded?.headers)
    const { logger, policy } = this.#options
    this.#log = logger === undefined ? undefined : new RefusalLog(logger, environment.clock)
    this.#path = new MainPath(this.#options, {
      environment,
      log: this.#log,
      resourceMetadata: this.#describeResource(),
      onStrayHeaders: (fields) => this.#tellStrays(fields),
    })
    policy.sources.onAttempt(({ problem }) => problem !== undefined && this.#log?.tellPolicy(problem))
    policy.sources.onReplaced(() => this.#tellModes())
    this.#tellModes()
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
    return new RequestContext(this.#path, request, fields)
  }

  /**
   * For adapters, when a request arrives: takes away every header that could pass for an identity, so that no handler reads one,
   * and opens the context, which keeps them in case a trusted proxy has sent them.
   */
  admit(request: InboundRequest & StrippableRequest): RequestContext {
    const fields = this.#identityHeaders.take(request)
    if (this.#options.forwarded === undefined && fields.length > 0) this.#tellStrays(fields)
    return new RequestContext(this.#path, request, fields)
  }

  /**
   * For adapters that keep a connection or a stream open: asks again every few seconds, and when its credentials end, whether its
   * caller may still do what was allowed, and calls `end` with the first refusal, once. The result stops asking.
   */
  watch(context: RequestContext, end: (refused: Deny) => void): () => void {
    return watchAccess(context, this.#environment.clock, end)
  }

  /** For adapters: true if this guard opened the context. */
  hasOpened(context: RequestContext): boolean {
    return context.isOf(this.#path)
  }

  /**
   * What was seen while refusals were only recorded: counters for each route and caller. `policyFromObservations` of
   * `@countersign/policy` makes a policy document of it.
   */
  observations(): readonly Observation[] {
    return this.#path.observations.entries()
  }

  /**
   * Why a decision of this guard came out as it did: which rules spoke, where the caller's scopes come from, and for a refusal the
   * smallest change that would have allowed it. For the operator: it is never sent. Undefined for a decision of another guard.
   */
  explain(decision: Decision): Explanation | undefined {
    const basis = basisOf(decision)
    if (!(basis instanceof Facts) || basis.guard !== this.#path) return undefined
    return explain(decision, basis, this.#path.judge, this.#environment.clock.now())
  }

  /** Where the policy's `candidate` decides otherwise than the policy, by route and caller. */
  candidateDifferences(): readonly CandidateDifference[] {
    return this.#path.shadow.differences()
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
      this.#path.judge.policy?.routeOf({ route: spelling, registered: spelling }) ?? {}
    const [first] = entries ?? []
    return first === undefined || placement === undefined
      ? undefined
      : { placement, at: `policy ${placeOf(first.at)}` }
  }

  /** For adapters: another object whenever the policy document was replaced. */
  get policyInForce(): object | undefined {
    return this.#path.judge.policy
  }

  /** For adapters: the routes that the policy document speaks of and that are none of these. They protect nothing. */
  unknownRoutes(routes: readonly CensusEntry[]): readonly string[] {
    return this.#path.judge.policy?.unknownRoutes(routes) ?? []
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

  /** For adapters: what the service says of itself (RFC 9728), and where; undefined where the guard has no `resource`. */
  get resourceMetadata(): ResourceMetadata | undefined {
    return this.#path.resourceMetadata
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
    this.#path.close()
    this.#options.issuers.close()
    this.#options.certificates?.sources.close()
    this.#options.policy.sources.close()
  }

  #tellModes(): void {
    const { mode } = this.#options
    if (typeof mode === 'object') this.#log?.tellObserving('this service', mode.observe.until)
    for (const [what, until] of this.#path.judge.policy?.observed ?? []) this.#log?.tellObserving(what, until)
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
}

/** Checks that a value is a guard, or makes one of options. Two copies of the library never share one. */
export function requireGuard(optionsOrGuard: GuardOptions | Guard): Guard {
  rejectForeignCopy(optionsOrGuard, 'guard')
  return optionsOrGuard instanceof Guard ? optionsOrGuard : createGuard(optionsOrGuard)
}
