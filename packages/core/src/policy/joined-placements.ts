import { allOf } from './combinations.ts'
import { CallerOptional, isRequirement, type Placement } from './placement.ts'
import { Requirement } from './requirement.ts'

/**
 * Several declarations of one route as one: every requirement holds, and where there is any, it is not undone by a
 * neighbour that asks nothing. Undefined for none at all.
 */
export function joinPlacements(placements: readonly Placement[]): Placement | undefined {
  const [first, ...others] = placements.filter((placement) => placement instanceof Requirement)
  if (first !== undefined) return others.length === 0 ? first : allOf(first, ...others)
  return placements.find((placement) => placement instanceof CallerOptional) ?? placements[0]
}

/** What a route asks together with what its routers ask. Joined once for each pair and kept: requests allocate nothing. */
export function withFloor(floor: Requirement | undefined, own: Requirement): Requirement {
  if (floor === undefined || floor === own) return own
  let joined = pairs.get(floor)
  if (joined === undefined) pairs.set(floor, (joined = new WeakMap()))
  let pair = joined.get(own)
  if (pair === undefined) joined.set(own, (pair = allOf(floor, own)))
  return pair
}

/**
 * What code says of a route: what was declared, or else what undeclared routes get, and the floor before it. Where the document
 * speaks, it is the declaration. A floor is added to whatever was declared, and is no declaration by itself: it may be a neighbour's.
 */
export function placementInCode(
  declared: Placement | undefined,
  floor: Requirement | undefined,
  document: Placement | undefined,
  undeclared: Requirement | undefined,
): Placement | undefined {
  const asked = declared ?? (document === undefined ? undeclared : floor)
  if (asked === undefined) return undefined
  return isRequirement(asked) ? withFloor(floor, asked) : (floor ?? asked)
}

/** What code says of a route together with what the policy document does: both have to allow, so neither undoes the other. */
export function withDocument(
  code: Placement | undefined,
  document: Placement | undefined,
): Placement | undefined {
  if (!isRequirement(document)) return code ?? document
  return isRequirement(code) ? withFloor(code, document) : document
}

const pairs = new WeakMap<Requirement, WeakMap<Requirement, Requirement>>()
