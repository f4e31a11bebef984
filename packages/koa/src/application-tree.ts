import type { Placement } from '@countersign/core'
import { type Guard, Requirement, declaredAtOf, placementOf, withFloor } from '@countersign/core/adapter'
import { besideOf } from './declarations.ts'
import { type Application, pathText, type Handler, type Layer, type Router } from './framework.ts'
import { handlersOf } from './protected-route.ts'

/** What a request has come by when it gets somewhere. */
export interface Way {
  /** All that is asked on the way. */
  readonly floor: Requirement | undefined
  /** What a declaration that asks nothing says of the router that it has taken. */
  readonly cover: Placement | undefined
  readonly guard: Guard | undefined
  /** Where the last of what was asked or covered was declared. */
  readonly declaredAt: string | null
}

/** What a walk through an application meets. */
export interface Visitor {
  router?(router: Router): void
  route?(layer: Layer, way: Way): void
  guard?(guard: Guard, way: Way): void
  /** A declaration that asks nothing and has taken no handlers. */
  alone?(): void
}

const guards = new WeakMap<object, Guard>()

/** Makes a middleware known as the one that puts a guard before what follows. */
export function markGuard(middleware: object, guard: Guard): void {
  guards.set(middleware, guard)
}

export const middlewareOf = ({ middleware }: Application): readonly Handler[] =>
  middleware as readonly Handler[] // Koa takes nothing but functions

/** The guard that stands in an application: it covers every route, also those of routers before it. */
export const guardOfAll = (app: Application): Guard | undefined =>
  middlewareOf(app)
    .map((handler) => guards.get(handler))
    .find((guard) => guard !== undefined)

/** Walks the middlewares of an application, and the routers among them, in the order in which Koa asks them. */
export function walk(app: Application, visitor: Visitor): void {
  const guard = guardOfAll(app)
  walkHandlers(middlewareOf(app), { floor: undefined, cover: undefined, guard, declaredAt: null }, visitor)
}

function walkHandlers(handlers: readonly Handler[], way: Way, visitor: Visitor): void {
  let here = way
  for (const handler of handlers) {
    if (handler.router !== undefined) {
      visitor.router?.(handler.router)
      walkRouter(handler.router, here, visitor)
    } else here = pass(handler, here, visitor)
  }
}

/** Walks a router that a request comes to by some way. */
export function walkRouter({ stack }: Router, way: Way, visitor: Visitor): void {
  for (const layer of stack) {
    if (layer.methods.length === 0) {
      for (const handler of handlersOf(layer)) pass(handler, way, visitor)
      continue
    }
    const here = layersAround(stack, layer)
      .flatMap(handlersOf)
      .reduce((before, handler) => pass(handler, before), way)
    visitor.route?.(layer, here)
  }
}

/** The way behind a handler. */
function pass(handler: Handler, way: Way, visitor: Visitor = {}): Way {
  const guard = guards.get(handler)
  if (guard !== undefined) {
    visitor.guard?.(guard, way)
    return { ...way, guard: way.guard ?? guard }
  }
  const placement = placementOf(handler)
  if (placement === undefined) return way
  const beside = besideOf(handler)
  const declaredAt = declaredAtOf(handler)
  const inner: Way =
    placement instanceof Requirement
      ? { ...way, floor: withFloor(way.floor, placement), declaredAt }
      : { ...way, cover: placement, declaredAt }
  if (beside.length > 0) walkHandlers(beside, inner, visitor)
  else if (placement instanceof Requirement) return inner
  else visitor.alone?.()
  return way
}

/**
 * What a router asks of a route by its `use`, where it would pass by itself: one that is exclusive runs none of that, and @koa/router 15
 * reads the prefix of a `use` in the case that it was written in, but that of a route in any.
 */
export function floorsPassedBy(
  { stack, exclusive }: Router,
  layer: Layer,
  matched: readonly Layer[],
): readonly Requirement[] {
  const isFor = (each: Layer): boolean => each.methods.length === 0 && matched.includes(each)
  const known = layersAround(stack, layer)
  if (known.length === 0 && exclusive !== true) return none
  const passedBy =
    exclusive === true
      ? [...new Set([...known, ...matched.slice(0, matched.indexOf(layer)).filter(isFor)])]
      : known.filter((each) => !matched.includes(each))
  return passedBy
    .flatMap(handlersOf)
    .filter((handler) => besideOf(handler).length === 0)
    .map(placementOf)
    .filter((placement) => placement instanceof Requirement)
}

const none: readonly Requirement[] = []

/** The layers of a `use` that come before a route of their router, and are for its path as it was registered. */
function layersAround(stack: readonly Layer[], layer: Layer): readonly Layer[] {
  const { path } = layer
  const known = around.get(layer)
  if (known?.size === stack.length && known.path === path) return known.layers
  const sample = samplePath(layer)
  const layers = stack
    .slice(0, stack.indexOf(layer))
    .filter((each) => each.methods.length === 0 && each.match(sample))
  around.set(layer, { size: stack.length, path, layers })
  return layers
}

/** A layer stands in one router, to which layers are only added, and which may get a prefix. */
const around = new WeakMap<
  Layer,
  { readonly size: number; readonly path: Layer['path']; readonly layers: readonly Layer[] }
>()

// Whether a middleware of a router comes before a route is told by its path; which parts of that are names is told by their spelling.
const samplePath = (layer: Layer): string =>
  pathText(layer)
    .replaceAll(/[{}]/g, '')
    .replaceAll(/[:*]\w+(?:\([^)]*\))?[?*+]?|\(\.\*\)/g, '~')
