import type { Caller } from '../identity/caller.ts'
import { ScopeList } from '../identity/token/scope-claims.ts'
import type { Proof } from '../identity/verified-identity.ts'
import { effectiveScopes } from '../policy/effective-scopes.ts'
import { withDocument } from '../policy/joined-placements.ts'
import type { Placement } from '../policy/placement.ts'
import { PolicyInForce } from '../policy/policy-in-force.ts'
import type { Policy } from '../policy/policy.ts'
import { Refusal } from '../refusal.ts'
import { check } from './judge.ts'

/** A request as somebody imagines it, to try a policy out: nothing of it was verified. */
export interface Rehearsal {
  /** Canonical id; undefined with `user` for a request without a credential. */
  readonly service: string | undefined
  readonly user: string | undefined
  /** Of the token; undefined for a credential that carries none. */
  readonly scopes: readonly string[] | undefined
  readonly hasToken: boolean
  readonly hasCertificate: boolean
  readonly claims: Readonly<Record<string, unknown>>
  /** As the policy document spells it. */
  readonly route: string
  /** What code says on it; undefined where it says nothing. */
  readonly code: Placement | undefined
  readonly params: Readonly<Record<string, unknown>>
  readonly context: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** Decides an imagined request as a guard would decide a real one. Undefined where it would be allowed. */
export function rehearse(policy: Policy, rehearsal: Rehearsal): Refusal | undefined {
  const inForce = new PolicyInForce(policy)
  const { route, params, context, atMs } = rehearsal
  const placement = withDocument(rehearsal.code, inForce.routeOf({ route, registered: route }).placement)
  if (placement === undefined) return new Refusal('route_undeclared')
  const method = route.slice(0, route.indexOf(' '))
  const request = { method, url: '/', headers: {}, rawHeaders: [], socket: {} }
  const occasion = { request, route, registered: route, params, context }
  return check(callerOf(rehearsal, inForce), placement, atMs, occasion, inForce)
}

// Seen by requirements of the policy alone, and by nothing that acts on it.
function callerOf(rehearsal: Rehearsal, policy: PolicyInForce): Caller | undefined {
  const { service, user, hasToken, hasCertificate, claims, atMs } = rehearsal
  const id = service ?? user
  if (id === undefined) return undefined
  const carried = rehearsal.scopes === undefined ? undefined : new ScopeList(rehearsal.scopes)
  const { scopes } = effectiveScopes({ ...rehearsal, scopes: carried, mayGrant: undefined }, policy, atMs)
  const provenBy: readonly Proof[] = [
    ...(hasToken ? (['token'] as const) : []),
    ...(hasCertificate ? (['certificate'] as const) : []),
  ]
  return {
    id,
    service: service === undefined ? undefined : workloadOf(service),
    user: user === undefined ? undefined : userOf(user),
    actors: [],
    scopes,
    zones: service === undefined ? [] : policy.zonesOf(service),
    claims,
    provenBy,
    expiresAt: Infinity,
  } as unknown as Caller // imagined: it never leaves this file
}

function workloadOf(id: string): Caller['service'] {
  const [issuer, clientId] = id.split('#client=')
  return clientId === undefined
    ? { id, spiffeId: id.startsWith('spiffe://') ? id : undefined, issuer: undefined, clientId: undefined }
    : { id, spiffeId: undefined, issuer, clientId }
}

function userOf(id: string): Caller['user'] {
  const [issuer = '', subject = ''] = id.split('#sub=')
  return { id, issuer, subject }
}
