import { type Guard, Requirement, placementOf } from '@countersign/core/adapter'
import {
  isMountedAlike,
  layersOf,
  mountText,
  routerBehind,
  type Route,
  type RouterLayer,
} from './framework.ts'
import { guardBehind } from './guard-middlewares.ts'
import { handlerOf } from './layer-handlers.ts'
import { MountPoint } from './mount-point.ts'
import { unknownPath, type Way } from './way.ts'

/** What a walk through an application's routers meets. */
export interface Visitor {
  /** A route, and the way to it. */
  route?(route: Route, way: Way): void
  /** A middleware that puts a guard before what follows, and where it stands. */
  guard?(guard: Guard, way: Way, middleware: object, point: MountPoint): void
  /** A declaration in a `use`, the path that it is mounted at, and the handler in the same `use`, if there is one. */
  declaration?(declaration: object, path: string, beside: Beside | undefined): void
}

/** A handler in the same `use` as a declaration, and the router that it stands in. */
interface Beside {
  readonly layer: RouterLayer
  readonly owner: object
}

/** Walks a router, and what is mounted in it, in the order in which Express asks them. */
export function walk(router: object | undefined, visitor: Visitor): void {
  if (router !== undefined) walkFrom(MountPoint.rootOf(router), visitor)
}

function walkFrom(point: MountPoint, visitor: Visitor): void {
  const all = layersOf(point.router)
  let i = 0
  for (const [layer, way] of point.layers()) {
    i += 1
    const handler = handlerOf(layer)
    if (layer.route !== undefined) visitor.route?.(layer.route, way)
    else if (placementOf(handler) !== undefined) {
      const path = `${way.path}${mountText(layer) ?? unknownPath}`
      const beside = handlerBeside(layer, all.slice(i))
      visitor.declaration?.(
        handler,
        path,
        beside === undefined ? undefined : { layer: beside, owner: point.router },
      )
    } else {
      const guard = guardBehind(handler)
      if (guard !== undefined) visitor.guard?.(guard, way, handler, point)
      const inner = point.into(layer, way)
      if (inner !== undefined) walkFrom(inner, visitor)
    }
  }
}

function handlerBeside(declaration: RouterLayer, behind: readonly RouterLayer[]): RouterLayer | undefined {
  const next = behind.find((layer) => placementOf(handlerOf(layer)) === undefined)
  return next !== undefined && next.route === undefined && isMountedAlike(declaration, next)
    ? next
    : undefined
}

/** Where a middleware that puts a guard before what follows stands; any of its places if there are several, undefined if none. */
export function standingPlaceOf(middleware: object, router: object | undefined): MountPoint | undefined {
  const points: MountPoint[] = []
  walk(router, { guard: (_guard, _way, found, point) => void (found === middleware && points.push(point)) })
  const [first] = points
  if (first === undefined || points.length === 1) return first
  return MountPoint.anyOf(first.router, first.root)
}

/** How many layers and handlers there are: as long as that stays, an application has gained nothing. */
export function sizeOf(router: object | undefined): number {
  let size = 0
  for (const layer of layersOf(router)) {
    size += 1 + (layer.route?.stack.length ?? sizeOf(routerBehind(handlerOf(layer))))
  }
  return size
}

/** True for what asks something of its caller. */
export const asks = (declaration: object): boolean => placementOf(declaration) instanceof Requirement
