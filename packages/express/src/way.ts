import type { Placement } from '@countersign/core'
import type { Guard, Requirement } from '@countersign/core/adapter'

/** What a request has come by when it gets somewhere. */
export interface Way {
  /** The path, as it was written, up to there. */
  readonly path: string
  /** All that is asked on the way. */
  readonly floor: Requirement | undefined
  /** True if some of that speaks for what is behind it and says nothing itself. */
  readonly isBelowFloor: boolean
  /** What a declaration that asks nothing says of the router or handler beside it. */
  readonly cover: Placement | undefined
  readonly guard: Guard | undefined
  /** Where the last of what was asked or covered was declared. */
  readonly declaredAt: string | null
}

/** Stands for a path that is not known as it was written; what came in its place is a caller's text and is not shown. */
export const unknownPath = '/…'

/** From a router to itself. */
export const directWay: Way = {
  path: '',
  floor: undefined,
  isBelowFloor: false,
  cover: undefined,
  guard: undefined,
  declaredAt: null,
}

/** By which a request came of which nobody knows it. */
export const strayWay: Way = { ...directWay, path: unknownPath }
