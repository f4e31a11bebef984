import { Requirement } from '@countersign/core/adapter'
import type { Placement } from '@countersign/core'
import {
  isMountedAlike,
  isMountedAtRoot,
  layersOf,
  pathText,
  type Route,
  type RouterLayer,
} from './framework.ts'
import { boundLayer, handlerOf } from './scopes.ts'
import { placementOf } from './placements.ts'

/** What a walk through an application's routers meets. */
export interface Visitor {
  /** A route, the path before its own, what routers ask of it. */
  route?(route: Route, prefix: string, floors: readonly Placement[]): void
  /** Any other handler in a `use`. */
  handler?(handler: object): void
  /** A declaration in a `use`, the path that it is mounted at, and the handler in the same `use`, if there is one. */
  declaration?(declaration: object, path: string, beside: RouterLayer | undefined): void
}

interface Floor {
  readonly layer: RouterLayer
  readonly placement: Placement
}

/** Bounds every router, route and error handler that can be found, so that nothing allowed in one holds behind it. */
export function boundRouters(router: object | undefined): void {
  for (const layer of layersOf(router)) {
    const handler = handlerOf(layer)
    const isErrorHandler = typeof handler === 'function' && handler.length > 3
    if (layer.route !== undefined || layersOf(handler).length > 0 || isErrorHandler) boundLayer(layer)
    if (layer.route === undefined) boundRouters(handler)
  }
}

/** Walks a router, and those mounted in it, in the order in which Express asks them. */
export function walk(
  router: object | undefined,
  visitor: Visitor,
  prefix = '',
  inherited: readonly Placement[] = [],
): void {
  const floors: Floor[] = []
  const layers = layersOf(router)
  for (const [i, layer] of layers.entries()) {
    const holding = floors.filter(
      (floor) => isMountedAtRoot(floor.layer) || isMountedAlike(floor.layer, layer),
    )
    const asked = [...inherited, ...holding.map(({ placement }) => placement)]
    const handler = handlerOf(layer)
    const placement = placementOf(handler)
    if (layer.route !== undefined) visitor.route?.(layer.route, prefix, asked)
    else if (placement === undefined) {
      visitor.handler?.(handler)
      walk(handler, visitor, prefix + mountPath(layer), asked)
    } else {
      visitor.declaration?.(handler, prefix + mountPath(layer), handlerBeside(layer, layers.slice(i + 1)))
      // What asks nothing of its caller covers the handler beside it, and is no floor for routes.
      if (placement instanceof Requirement) floors.push({ layer, placement })
    }
  }
}

// Express keeps no trace of what came in one `use`, but it comes in a row and at one path.
function handlerBeside(declaration: RouterLayer, behind: readonly RouterLayer[]): RouterLayer | undefined {
  const next = behind.find(
    (layer) => layer.route !== undefined || placementOf(handlerOf(layer)) === undefined,
  )
  return next !== undefined && next.route === undefined && isMountedAlike(declaration, next)
    ? next
    : undefined
}

// Releases that do not keep the path of a mounted router leave its place open.
const mountPath = (layer: RouterLayer): string =>
  isMountedAtRoot(layer) ? '' : layer.rawPath === undefined ? unknownPath : pathText(layer.rawPath)

/** Stands for a path that is not known as it was written; what came in its place is a caller's text and is not shown. */
export const unknownPath = '/…'
