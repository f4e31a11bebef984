import type { CallerPattern } from './caller-pattern.ts'
import type { Placement } from './placement.ts'

/** What a policy document says, checked as a whole: who callers are, what each may use, and what routes ask. */
export interface Policy {
  /** The caller name of the service that this is the policy of; undefined where it does not say. */
  readonly service: string | undefined
  readonly callers: readonly PolicyCaller[]
  /** Zone → the names of the callers in it. */
  readonly zones: ReadonlyMap<string, ReadonlySet<string>>
  /** Zone → the zones that it may call. Undefined where zones limit nobody. */
  readonly calls: ReadonlyMap<string, ReadonlySet<string>> | undefined
  /** By the route's spelling, such as `GET /orders/:id`, or `* /orders/:id` for every method. */
  readonly routes: ReadonlyMap<string, PolicyRoute>
  /** What shall take its place one day: decided beside it, and only told. */
  readonly candidate: Policy | undefined
}

/** Where a policy comes from, and how it is read. Made by `policyDocument` of `@countersign/policy`. */
export interface PolicySource {
  /** A `DocumentSource`: whoever reads it checks that. */
  readonly source: unknown
  /** Throws an Error whose message is for the operator. `name` is what that message calls the document. */
  readonly parse: (document: Uint8Array, name: string) => Policy
}

/** A workload or user, by all the names that its credentials give it. */
export interface PolicyCaller {
  readonly name: string
  /** At least one. Names without a wildcard are the same workload: a token and a certificate may each have one of them. */
  readonly is: readonly CallerPattern[]
  readonly grants: readonly PolicyGrant[]
  readonly mode: Mode | undefined
  readonly at: Place
}

/** A scope that a caller may use. */
export interface PolicyGrant {
  /** Exact, or `resource:*`. */
  readonly scope: string
  /** Milliseconds since the epoch from which it no longer counts; undefined for no end. */
  readonly until: number | undefined
  /** The credentials that have to be presented for it to count; undefined for any. */
  readonly via: 'token' | 'certificate' | 'both' | undefined
  /** Why it was given, for people. */
  readonly reason: string | undefined
  readonly at: Place
}

export interface PolicyRoute {
  readonly route: string
  /** What the document asks on it, beside what code asks. */
  readonly placement: Placement
  readonly mode: Mode | undefined
  readonly at: Place
}

/** `enforce`: refused, whatever else says observe. `observe`: recorded and let pass until then, in milliseconds since the epoch. */
export type Mode = 'enforce' | { readonly observe: { readonly until: number } }

/** Where in a document something stands, for explanations. */
export interface Place {
  /** Such as `callers.checkout.grants[0]`. */
  readonly path: string
  /** From 1 on; 0 for what stands in code. */
  readonly line: number
  readonly column: number
}
