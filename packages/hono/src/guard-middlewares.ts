import type { Guard } from '@countersign/core/adapter'

const guards = new WeakMap<object, Guard>()

/** Makes a middleware known as the one that puts a guard before an application. */
export function markGuard(middleware: object, guard: Guard): void {
  guards.set(middleware, guard)
}

/** The guard that a middleware puts before an application; undefined for any other handler. */
export const guardBehind = (handler: object): Guard | undefined => guards.get(handler)
