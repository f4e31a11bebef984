import type { Decision } from './decision/decision.ts'
import type { ResourceMetadata } from './enforcement/resource-metadata.ts'
import type { Authentication } from './identity/authentication.ts'
import type { Occasion } from './policy/occasion.ts'
import type { Placement } from './policy/placement.ts'
import type { Requirement } from './policy/requirement.ts'
import type { Refusal } from './refusal.ts'
import type { HeaderField } from './request/identity-headers.ts'
import type { InboundRequest } from './request/inbound-request.ts'

/** A guard, as its contexts see it. */
export interface ContextGuard {
  readonly undeclared: Requirement | undefined
  readonly passesPreflights: boolean
  /** True while the whole service only records what it would refuse. */
  readonly observes: boolean
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** `fields`: the headers that claimed an identity when the request came. */
  authenticate(
    request: InboundRequest,
    fields: readonly HeaderField[],
    nowMs: number,
  ): Authentication | Refusal | Promise<Authentication | Refusal>
  /** What the policy document asks on a route, beside what code asks there; a refusal where nobody can tell. */
  policyOf(occasion: Occasion): Placement | Refusal | undefined
  conclude(authentication: Authentication, facts: Facts, nowMs: number): Decision | Promise<Decision>
  deny(refusal: Refusal, facts: Facts): Decision
  record(decision: Decision, facts: Facts): void
  /** What the service says of itself by RFC 9728; undefined where it was not told who it is. */
  readonly resourceMetadata: ResourceMetadata | undefined
}

/** What a decision is made of. */
export class Facts {
  readonly guard: ContextGuard
  readonly occasion: Occasion
  /** All that is asked; undefined where the route itself is refused. */
  readonly placement: Placement | undefined
  /** What code asks of it, beside the policy document; undefined where it says nothing. */
  readonly code: Placement | undefined
  readonly authentication: Authentication | Refusal
  /** As in the occasion, which goes on to the next. */
  readonly route: string
  readonly registered: string
  /** By `performance.now()`; undefined where nobody listened then. */
  readonly startedAt: number | undefined

  constructor(
    guard: ContextGuard,
    occasion: Occasion,
    placement: Placement | undefined,
    code: Placement | undefined,
    authentication: Authentication | Refusal,
    startedAt: number | undefined,
  ) {
    this.guard = guard
    this.occasion = occasion
    this.placement = placement
    this.code = code
    this.authentication = authentication
    this.route = occasion.route
    this.registered = occasion.registered
    this.startedAt = startedAt
  }
}
