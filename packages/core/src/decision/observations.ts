import type { VerifiedIdentity } from '../identity/verified-identity.ts'
import { presentedBy } from '../policy/effective-scopes.ts'
import type { RefusalCode } from '../refusal.ts'

/** What was seen of one caller with the same credentials on one route while refusals were only recorded. */
export interface Observation extends ObservedParties {
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  /** `caller.id`; null for requests that no valid credential came with. */
  readonly caller: string | null
  /** What is asked there, in one line; null where nothing was declared. */
  readonly requirement: string | null
  /** The scopes that are named in it. */
  readonly scopes: readonly string[]
  /** Those of them that the caller had when a request was allowed. */
  readonly used: readonly string[]
  /** How many requests would have been allowed. */
  readonly allowed: number
  /** How many would have been refused, by code. */
  readonly refused: Readonly<Partial<Record<RefusalCode, number>>>
  /** Milliseconds since the epoch. */
  readonly firstAt: number
  readonly lastAt: number
}

/** Whose grants decide, and by which credentials. */
export interface ObservedParties {
  /**
   * Of the service that calls: its id, and beside it that of its certificate where it is another. For a user's token without a
   * certificate the client that it was issued to. Empty where neither is known.
   */
  readonly names: readonly string[]
  /** `<issuer>#sub=*` where it was on behalf of a user; null for a service's own calls. Users are not told apart. */
  readonly users: string | null
  /** Null where no valid credential came. */
  readonly via: 'token' | 'certificate' | 'both' | null
}

/** What is told of one request. */
export type Observed = Pick<Observation, 'route' | 'caller' | 'requirement' | 'scopes'> & {
  readonly parties: ObservedParties
  /** Whether the caller has a scope. */
  readonly has: (scope: string) => boolean
  /** Why it would have been refused; undefined where it would not. */
  readonly code: RefusalCode | undefined
  readonly at: number
}

interface Counted extends Omit<Observation, 'refused' | 'used'> {
  readonly used: Set<string>
  allowed: number
  lastAt: number
  readonly refused: Map<RefusalCode, number>
}

/** The record of an observe mode: counters for each route and caller. Bounded: callers and routes that come when it is full are left out. */
export class Observations {
  readonly #counted = new Map<string, Counted>()

  record({ route, caller, requirement, scopes, parties, has, code, at }: Observed): void {
    const { names, users, via } = parties
    const key = JSON.stringify([route, caller, names, users, via])
    let counted = this.#counted.get(key)
    if (counted === undefined) {
      if (this.#counted.size >= maxEntries) return
      counted = {
        route,
        caller,
        requirement,
        scopes,
        names,
        users,
        via,
        used: new Set(),
        allowed: 0,
        refused: new Map(),
        firstAt: at,
        lastAt: at,
      }
      this.#counted.set(key, counted)
    }
    counted.lastAt = at
    if (code === undefined) {
      counted.allowed += 1
      for (const scope of scopes) if (has(scope)) counted.used.add(scope)
    } else counted.refused.set(code, (counted.refused.get(code) ?? 0) + 1)
  }

  entries(): readonly Observation[] {
    return [...this.#counted.values()].map((counted) =>
      Object.freeze({
        ...counted,
        used: Object.freeze([...counted.used]),
        refused: Object.freeze(Object.fromEntries(counted.refused)),
      }),
    )
  }
}

/** The parties to a request. */
export function observedParties(identity: VerifiedIdentity | undefined): ObservedParties {
  if (identity === undefined) return nobody
  const { service, hasToken, hasCertificate } = presentedBy(identity)
  const { user, certificate } = identity
  const own = [service, hasToken && user === undefined ? certificate?.id : undefined]
  return {
    names: [...new Set(own.filter((name) => name !== undefined))],
    users: user === undefined ? null : `${user.issuer}#sub=*`,
    via: hasToken && hasCertificate ? 'both' : hasToken ? 'token' : 'certificate',
  }
}

const nobody: ObservedParties = { names: [], users: null, via: null }
const maxEntries = 10_000
