import { Requirement, joinPlacements, placementInCode, type Placement } from '@countersign/core/adapter'
import type { FastifyInstance } from 'fastify'
import { aroundOf } from './contexts.ts'

/** What is asked on a route, by itself and by the contexts around it. */
export interface Asked {
  readonly own: Placement | undefined
  readonly floor: Requirement | undefined
  /** What is said around it for routes that say nothing themselves. */
  readonly cover: Placement | undefined
  /** All of it together; undefined where nobody says anything. */
  readonly placement: Placement | undefined
  readonly declaredAt: string | null
}

/** Puts together what a route says and what is said around it. Routes only add to a floor, and what asks nothing undoes none. */
export function askedIn(
  context: FastifyInstance,
  declared: readonly Placement[],
  declaredAt: string | null,
): Asked {
  const own = joinPlacements(declared)
  const around = aroundOf(context)
  const cover = around.placement
  const floor = cover instanceof Requirement ? cover : undefined
  const placement = placementInCode(own ?? cover, floor, undefined, undefined)
  return {
    own,
    floor,
    cover,
    placement,
    declaredAt: own === undefined ? (around.declaredAt ?? null) : declaredAt,
  }
}
