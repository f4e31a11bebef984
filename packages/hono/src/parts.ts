import {
  type Guard,
  type Placement,
  Requirement,
  declaredAtOf,
  joinPlacements,
  placementOf,
} from '@countersign/core/adapter'
import type { RouterRoute } from 'hono/types'
import { findTargetHandler } from 'hono/utils/handler'
import { endsInWildcard, everyMethod } from './framework.ts'
import { guardWithin } from './guarded-handler.ts'
import { guardBehind } from './guard-middlewares.ts'

/**
 * What was registered in a row for one method and path. Hono keeps no trace of what came in one call: `app.get(path, a, b)` makes two
 * entries, and so do `app.get(path, a)` and `app.get(path, b)` behind one another.
 */
export interface Part {
  readonly method: string
  readonly path: string
  /** Where it begins in the list. */
  readonly from: number
  readonly hasHandler: boolean
  /** True for what answers: a method of its own, or a handler that cannot pass requests on. Else it stands on the way to others. */
  readonly isRoute: boolean
  /** True if a handler stands before a declaration, and would run before it. */
  readonly isMisplaced: boolean
  /** What it declares; undefined where it declares nothing. */
  readonly placement: Placement | undefined
  readonly declarations: ReadonlySet<object>
  readonly declaredAt: string | null
  /** True if something before it in the list asks something of all that follows. */
  readonly isBelowFloor: boolean
  /** The guard that it puts before what follows. */
  readonly guard: Guard | undefined
  /** The guard that its handler asks itself. */
  readonly ownGuard: Guard | undefined
}

/** The parts of a list: of what was matched for a request, or of all that an application has. */
export function partsOf(routes: readonly RouterRoute[]): readonly Part[] {
  const parts: Part[] = []
  let from = 0
  let isBelowFloor = false
  while (from < routes.length) {
    let to = from + 1
    while (isOnePart(routes[to - 1], routes[to])) to += 1
    const part = readPart(routes.slice(from, to), from, isBelowFloor)
    parts.push(part)
    isBelowFloor ||= asksOfAllBehind(part)
    from = to
  }
  return parts
}

/** True for a requirement that holds for all that follows: whatever it stands beside is on the way there. */
export const asksOfAllBehind = ({ placement, isRoute }: Part): boolean => isRequirement(placement) && !isRoute

/** True for what asks something of its caller. */
export const isRequirement = (placement: Placement | undefined): placement is Requirement =>
  placement instanceof Requirement

/** What people call it, whoever asks: `GET /orders/:id`, `* /graphql`, `use /admin/*`. */
export const spellingOf = ({ method, path, isRoute }: Part): string =>
  `${method !== everyMethod ? method : isRoute ? '*' : 'use'} ${path}`

/** True if an entry belongs to the part that the one before it is in. */
function isOnePart(before: RouterRoute | undefined, next: RouterRoute | undefined): boolean {
  if (before === undefined || next?.method !== before.method || next.path !== before.path) return false
  if (isGuard(before) || isGuarded(before) || isGuarded(next)) return false
  // Whatever is in one `use` may be in several: what is said of one handler there is not said of the next.
  return before.method !== everyMethod || isDeclaration(before)
}

function readPart(routes: readonly RouterRoute[], from: number, isBelowFloor: boolean): Part {
  const { method = '', path = '' } = routes[0] ?? {}
  const targets = routes.map(({ handler }) => findTargetHandler(handler))
  const placements = targets.map(placementOf)
  const firstHandler = placements.indexOf(undefined)
  const guard = targets.map(guardBehind).find((each) => each !== undefined)
  const ownGuard = targets.map(guardWithin).find((each) => each !== undefined)
  const hasHandler = ownGuard !== undefined || (firstHandler !== -1 && guard === undefined)
  const declarations = targets.filter(
    (target) => placementOf(target) !== undefined && guardWithin(target) === undefined,
  )
  return {
    method,
    path,
    from,
    hasHandler,
    isRoute: hasHandler && (method !== everyMethod || targets.some((target) => isFinal(target, path))),
    isMisplaced:
      firstHandler !== -1 && hasHandler && placements.slice(firstHandler).some((each) => each !== undefined),
    placement: joinPlacements(placements.filter((each) => each !== undefined)),
    declarations: new Set(declarations),
    declaredAt: targets.map(declaredAtOf).find((place) => place !== null) ?? null,
    isBelowFloor,
    guard,
    ownGuard,
  }
}

// What does not take `next` cannot pass a request on. A function with no parameters may take it all the same (`...args`), and then
// stands in a `use`, where wildcards are.
const isFinal = ({ length }: { readonly length: number }, path: string): boolean =>
  length === 1 || (length === 0 && !endsInWildcard(path))

const isDeclaration = ({ handler }: RouterRoute): boolean =>
  placementOf(findTargetHandler(handler)) !== undefined
const isGuarded = ({ handler }: RouterRoute): boolean => guardWithin(findTargetHandler(handler)) !== undefined
const isGuard = ({ handler }: RouterRoute): boolean => guardBehind(findTargetHandler(handler)) !== undefined
