import type { Guard } from '@countersign/core/adapter'
import { isMountedAtRoot, layersOf } from './framework.ts'
import { handlerOf } from './layer-handlers.ts'

const guards = new WeakMap<object, Guard>()

/** Makes a middleware known as the one that puts a guard before an application. */
export function markGuard(middleware: object, guard: Guard): void {
  guards.set(middleware, guard)
}

/** The guard that a middleware puts before an application; undefined for any other handler. */
export const guardBehind = (handler: object): Guard | undefined => guards.get(handler)

/** The guard that stands at the root of a router: it covers every route, also those that were registered before it. */
export function guardOfAll(router: object | undefined): Guard | undefined {
  const layer = layersOf(router).find((each) => isMountedAtRoot(each) && guards.has(handlerOf(each)))
  return layer === undefined ? undefined : guards.get(handlerOf(layer))
}
