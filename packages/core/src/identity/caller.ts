import type { Actor } from './token/actor-chain.ts'
import type { Proof, User, VerifiedIdentity } from './verified-identity.ts'
import type { Workload } from './workload.ts'

/** What a caller may do, after policy. */
export interface ScopeSet extends Iterable<string> {
  /** True if the scope, or a policy grant that covers it, is in the set. */
  has(scope: string): boolean
}

/** The verified party behind a request. Only a guard makes one; an object literal does not compile. */
export interface Caller {
  /** Canonical and qualified by issuer: the service's id, or the user's where no service is known. */
  readonly id: string
  /** The service that calls, undefined where only a user is known. */
  readonly service: Workload | undefined
  /** The user on whose behalf it calls, undefined for a service's own calls. */
  readonly user: User | undefined
  /**
   * Who acts for the token's subject (RFC 8693 `act`), the one who acts now first; empty where nobody does. Only the first
   * can be the `service`; those after it are for the record.
   */
  readonly actors: readonly Actor[]
  /** What the caller may do: what its credentials carry, cut down to what policy grants. */
  readonly scopes: ScopeSet
  /** The zones that policy puts the service in; empty where it is in none. */
  readonly zones: readonly string[]
  /** The token's claims, frozen; empty where there is no token. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly provenBy: readonly Proof[]
  /** Milliseconds since the epoch at which the first credential behind this ends. */
  readonly expiresAt: number
  /** Only a guard makes one. */
  readonly [verified]: true
}

declare const verified: unique symbol

/** Joins a verified identity with what policy says of it. */
export function createCaller(
  identity: VerifiedIdentity,
  scopes: ScopeSet,
  zones: readonly string[] = noZones,
): Caller {
  const { service, user, token, provenBy, expiresAt } = identity
  const id = service?.id ?? user?.id ?? ''
  const claims = token?.claims.all ?? noClaims
  const actors = token?.claims.actors ?? noActors
  return Object.freeze({ id, service, user, actors, scopes, zones, claims, provenBy, expiresAt }) as Caller // from a verified identity
}

const noZones: readonly string[] = Object.freeze([])
const noActors: readonly Actor[] = Object.freeze([])
const noClaims: Readonly<Record<string, unknown>> = Object.freeze({})
