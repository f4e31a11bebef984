import type { Guard } from '@countersign/core/adapter'

const guards = new WeakMap<object, Guard>()

/** Makes a handler known as one that asks a guard itself. */
export function markGuarded(handler: object, guard: Guard): void {
  guards.set(handler, guard)
}

/** The guard that a handler asks itself; undefined for any other handler. */
export const guardWithin = (handler: object): Guard | undefined => guards.get(handler)
