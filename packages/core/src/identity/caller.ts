import type { Proof, User, VerifiedIdentity, Workload } from './verified-identity.ts'

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
  /** What the caller may do: what its credentials carry, cut down to what policy grants. */
  readonly scopes: ScopeSet
  /** The token's claims, frozen; empty where there is no token. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly provenBy: readonly Proof[]
  /** Milliseconds since the epoch at which the first credential behind this ends. */
  readonly expiresAt: number
  /** Only a guard makes one. */
  readonly [verified]: true
}

declare const verified: unique symbol

/** Joins a verified identity with what policy lets it do. */
export function createCaller(identity: VerifiedIdentity, scopes: ScopeSet): Caller {
  const { service, user, token, provenBy, expiresAt } = identity
  const id = service?.id ?? user?.id ?? ''
  const claims = token?.claims.all ?? noClaims
  return Object.freeze({ id, service, user, scopes, claims, provenBy, expiresAt }) as Caller // from a verified identity
}

const noClaims: Readonly<Record<string, unknown>> = Object.freeze({})
