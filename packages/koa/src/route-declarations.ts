import type { Placement } from '@countersign/core'
import { declaredAtOf, joinPlacements, placementOf } from '@countersign/core/adapter'
import { besideOf } from './declarations.ts'
import type { Handler } from './framework.ts'

/** What a route declares. */
export interface Declared {
  /** Undefined where nothing was declared. */
  readonly placement: Placement | undefined
  /** True if a handler stands before a declaration, and would run before it. */
  readonly isMisplaced: boolean
  readonly declaredAt: string | null
  /** What runs when the route is allowed. */
  readonly handlers: readonly Handler[]
}

export function readDeclared(handlers: readonly Handler[]): Declared {
  // The router itself puts what loads a parameter before all else; it runs behind the gate.
  const placements = handlers.filter(({ param }) => param === undefined).map(placementOf)
  const firstHandler = placements.indexOf(undefined)
  return {
    placement: joinPlacements(placements.filter((placement) => placement !== undefined)),
    isMisplaced:
      firstHandler !== -1 && placements.slice(firstHandler).some((placement) => placement !== undefined),
    declaredAt: handlers.map(declaredAtOf).find((place) => place !== null) ?? null,
    handlers: handlers.flatMap((handler) =>
      placementOf(handler) === undefined ? handler : besideOf(handler),
    ),
  }
}
