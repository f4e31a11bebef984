import type { ScopeSet } from '../identity/caller.ts'
import type { ScopeList } from '../identity/token/scope-claims.ts'
import type { VerifiedIdentity } from '../identity/verified-identity.ts'
import type { PolicyGrant } from './policy.ts'
import type { PolicyInForce } from './policy-in-force.ts'
import { ScopesInBits } from './scope-bits.ts'
import { covers } from './scope.ts'

/** What somebody presents, as far as it decides what may be used. */
export interface Presented {
  /** Canonical id of the service that calls: its own, or that of the client a user's token was issued to. */
  readonly service: string | undefined
  readonly user: string | undefined
  /** Of the token; undefined where there is none, or one of a kind that carries no scopes. */
  readonly scopes: ScopeList | undefined
  /** What the token's issuer may give; undefined for anything. */
  readonly mayGrant: readonly string[] | undefined
  readonly hasToken: boolean
  readonly hasCertificate: boolean
}

/** What a caller may use, and until when that stays the same. */
export interface EffectiveScopes {
  readonly scopes: ScopeSet
  /** Milliseconds since the epoch at which the first grant ends that counts now; undefined for none. */
  readonly until: number | undefined
}

/**
 * token ∩ what its issuer may give ∩ policy(service) ∩ policy(user), over the parties present. Only ever an intersection:
 * what two credentials allow is never added up, and a token never has more than it says.
 */
export function effectiveScopes(
  presented: Presented,
  policy: PolicyInForce | undefined,
  nowMs: number,
): EffectiveScopes {
  const { scopes: fromToken, mayGrant } = presented
  // Without a policy, what most tokens say is all that counts.
  if (policy === undefined && fromToken !== undefined && mayGrant === undefined) {
    return { scopes: (fromToken.asSet ??= new Scopes(fromToken.names, [])), until: undefined }
  }
  const granted =
    policy === undefined ? [] : partiesOf(presented).map((id) => grantsOf(id, presented, policy, nowMs))
  const ends = granted.flat().flatMap(({ until }) => (until === undefined ? [] : [until]))
  const until = ends.length === 0 ? undefined : Math.min(...ends)
  const byPolicy = granted.map((grants) => grants.map(({ scope }) => scope))
  const limits = mayGrant === undefined ? byPolicy : [...byPolicy, mayGrant]
  const isWithin = (scope: string): boolean =>
    limits.every((limit) => limit.some((grant) => covers(grant, scope)))
  if (fromToken !== undefined) {
    return { scopes: new Scopes(fromToken.names.filter(isWithin), []), until }
  }
  // Credentials that only say who calls have what policy grants to every party. What an issuer may give is no grant.
  const common = policy === undefined ? [] : limits.flat().filter(isWithin)
  return {
    scopes: new Scopes(
      [...new Set(common)],
      common.filter((grant) => grant.endsWith(':*')),
    ),
    until,
  }
}

/** What of an identity decides. */
export function presentedBy({ service, user, token, certificate }: VerifiedIdentity): Presented {
  const { clientId, scopes } = token?.claims ?? {}
  // A user's token without a certificate still comes from a service: the client that it was issued to. Else a service
  // could get rid of its own limits by leaving its certificate out.
  const client = clientId === undefined ? undefined : `${token?.issuer.issuer}#client=${clientId}`
  return {
    service: service?.id ?? client,
    user: user?.id,
    scopes,
    mayGrant: token?.issuer.mayGrant,
    hasToken: token !== undefined,
    hasCertificate: certificate !== undefined,
  }
}

/** Whose grants decide. */
export const partiesOf = ({ service, user }: Presented): readonly string[] =>
  [service, user].filter((id) => id !== undefined)

/** The grants of one party that count now, with these credentials. */
function grantsOf(
  id: string,
  presented: Presented,
  policy: PolicyInForce,
  nowMs: number,
): readonly PolicyGrant[] {
  return policy
    .callersOf(id)
    .flatMap(({ grants }) => grants)
    .filter((grant) => counts(grant, presented, nowMs))
}

/** Whether a grant counts now, with these credentials. */
export const counts = (grant: PolicyGrant, presented: Presented, nowMs: number): boolean =>
  isUsable(grant, presented) && isInTime(grant, nowMs)

/** Whether a grant has not ended. */
export const isInTime = ({ until }: PolicyGrant, nowMs: number): boolean =>
  until === undefined || nowMs < until

/** Whether a grant counts with these credentials. */
export function isUsable({ via }: PolicyGrant, { hasToken, hasCertificate }: Presented): boolean {
  if (via === undefined) return true
  const needsToken = via !== 'certificate'
  const needsCertificate = via !== 'token'
  return (!needsToken || hasToken) && (!needsCertificate || hasCertificate)
}

class Scopes extends ScopesInBits {
  /** Each once. */
  readonly #exact: readonly string[]
  #set: ReadonlySet<string> | undefined
  /** Of policy alone: what looks like a wildcard in a token is a scope of that very name. */
  readonly #wildcards: readonly string[]

  constructor(exact: readonly string[], wildcards: readonly string[]) {
    super()
    this.#exact = exact
    this.#wildcards = wildcards
    Object.freeze(this)
  }

  has(scope: string): boolean {
    return this.#names(scope) || this.#wildcards.some((grant) => covers(grant, scope))
  }

  // A few are looked through faster than a set is made of them; and each name is asked about once, mostly.
  #names(scope: string): boolean {
    if (this.#exact.length <= few) return this.#exact.includes(scope)
    this.#set ??= new Set(this.#exact)
    return this.#set.has(scope)
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#exact[Symbol.iterator]()
  }

  toJSON(): readonly string[] {
    return [...this.#exact]
  }
}

const few = 32
