import type { Placement } from '@countersign/core'

const placements = new WeakMap<object, Placement>()

/** Makes a middleware known as a declaration. */
export function markDeclaration(handler: object, placement: Placement): void {
  placements.set(handler, placement)
}

/** What a middleware declares; undefined where it is none of ours. */
export const placementOf = (handler: object): Placement | undefined => placements.get(handler)
