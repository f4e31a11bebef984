import type { CensusEntry } from '../census.ts'
import type { Guard } from '../guard.ts'
import { placementInCode, withDocument } from '../policy/joined-placements.ts'
import type { Placement } from '../policy/placement.ts'
import { Requirement } from '../policy/requirement.ts'

/** What an adapter knows of a route before any request. */
export interface KnownRoute {
  /** Upper-case, or `*`. */
  readonly method: string
  /** As the framework registered it, prefixes included. */
  readonly path: string
  /** What the route itself declares. */
  readonly own: Placement | undefined
  /** All that is asked on the way to it. */
  readonly floor?: Requirement | undefined
  /** What is said on the way for routes that say nothing themselves: the floor, or a placement that asks nothing. */
  readonly cover?: Placement | undefined
  /** True if a handler stands before the declaration, and would run before it. */
  readonly isMisplaced?: boolean
  /** Where `own` was declared, or else what speaks for it. */
  readonly declaredAt: string | null
}

/** A route as the census shows it, with what the policy document says of it; `guard`: the one that stands before it, if any. */
export function censusEntry(route: KnownRoute, guard: Guard | undefined): CensusEntry {
  const { method, path, own, floor, cover } = route
  const document = guard?.documentOf(`${method} ${path}`)
  const inCode = own ?? cover
  const code = placementInCode(inCode, floor, document?.placement, guard?.undeclared)
  const effective = withDocument(code, document?.placement)
  const isDeclared = inCode !== undefined || document !== undefined
  return Object.freeze({
    method,
    path,
    requirement: effective?.text ?? null,
    scopes: effective instanceof Requirement ? effective.scopes : [],
    status:
      guard === undefined
        ? 'unguarded'
        : route.isMisplaced === true
          ? 'misplaced'
          : isDeclared
            ? 'declared'
            : 'undeclared',
    declaredAt: inCode === undefined ? (route.declaredAt ?? document?.at ?? null) : route.declaredAt,
  })
}
