import { Requirement, declaredAtOf, placementOf, withFloor } from '@countersign/core/adapter'
import {
  isMountedAlike,
  isMountedAtRoot,
  isOnTheWay,
  layersOf,
  mountText,
  routerBehind,
  type RouterLayer,
} from './framework.ts'
import { guardBehind } from './guard-middlewares.ts'
import { handlerOf } from './layer-handlers.ts'
import { directWay, strayWay, unknownPath, type Way } from './way.ts'

/** A router, and one way to it: a router that is mounted twice stands at two points, with floors and a path for each. */
export class MountPoint {
  readonly router: object
  /** The router that the way begins at: an application's. */
  readonly root: object
  readonly way: Way
  /** True if there are several ways by which a request may have come here. */
  readonly isAmbiguous: boolean
  readonly #held = new WeakSet<object>()
  readonly #inner = new WeakMap<RouterLayer, MountPoint>()

  private constructor(router: object, root: object, way: Way, isAmbiguous: boolean) {
    this.router = router
    this.root = root
    this.way = way
    this.isAmbiguous = isAmbiguous
  }

  /** Where the router of an application stands. */
  static rootOf(router: object): MountPoint {
    return known(roots, router, () => new MountPoint(router, router, directWay, false))
  }

  /** Where a router stands that a function calls, so that nobody knows the way to it. */
  static strayOf(router: object): MountPoint {
    return known(strays, router, () => new MountPoint(router, router, strayWay, false))
  }

  /** Where a router stands to which there are several ways from a root, and nobody knows by which one a request came. */
  static anyOf(router: object, root: object): MountPoint {
    return new MountPoint(router, root, strayWay, true)
  }

  /** The layers of the router in the order in which Express asks them, and how a request gets to each. */
  *layers(): Generator<readonly [layer: RouterLayer, way: Way]> {
    const passed: RouterLayer[] = []
    /** Declarations with nothing but declarations behind them. */
    let beside: RouterLayer[] = []
    for (const layer of layersOf(this.router)) {
      yield [layer, this.#wayTo(layer, passed, beside)]
      const isDeclaration = placementOf(handlerOf(layer)) !== undefined
      if (isDeclaration) beside.push(layer)
      else beside = []
      if (isDeclaration || guardBehind(handlerOf(layer)) !== undefined) passed.push(layer)
    }
  }

  /** The way to a layer of the router; undefined where it has none like it. */
  wayTo(isIt: (layer: RouterLayer) => boolean): Way | undefined {
    for (const [layer, way] of this.layers()) if (isIt(layer)) return way
    return undefined
  }

  /** True if a declaration stands in the router itself. */
  holds(declaration: object): boolean {
    if (this.#held.has(declaration)) return true
    const isHeld = layersOf(this.router).some((layer) => handlerOf(layer) === declaration)
    if (isHeld) this.#held.add(declaration)
    return isHeld
  }

  /** Where the router behind a layer stands; undefined where there is none. Layers only ever come behind others, so it is kept. */
  into(layer: RouterLayer, way = this.wayTo((each) => each === layer)): MountPoint | undefined {
    const router = routerBehind(handlerOf(layer))
    if (router === undefined || way === undefined) return undefined
    return known(this.#inner, layer, () => {
      const path = `${this.way.path}${mountText(layer) ?? unknownPath}`
      return new MountPoint(router, this.root, { ...way, path }, this.isAmbiguous)
    })
  }

  /** The same, and cheap where it is known. */
  intoKnown(layer: RouterLayer): MountPoint | undefined {
    return this.#inner.get(layer) ?? this.into(layer)
  }

  #wayTo(layer: RouterLayer, passed: readonly RouterLayer[], beside: readonly RouterLayer[]): Way {
    let { floor, isBelowFloor, cover, guard, declaredAt } = this.way
    for (const earlier of passed) {
      const speaksForIt = isMountedAtRoot(earlier) || isMountedAlike(earlier, layer)
      if (!speaksForIt && !isOnTheWay(earlier, layer)) continue
      const handler = handlerOf(earlier)
      guard ??= guardBehind(handler)
      const placement = placementOf(handler)
      if (!(placement instanceof Requirement)) continue
      floor = withFloor(floor, placement)
      isBelowFloor ||= speaksForIt
      declaredAt = declaredAtOf(handler)
    }
    // What asks nothing of its caller covers the handler beside it, and is no floor for routes.
    const covering = layer.route === undefined ? beside.findLast((each) => covers(each, layer)) : undefined
    if (covering !== undefined) {
      cover = placementOf(handlerOf(covering))
      declaredAt = declaredAtOf(handlerOf(covering))
    }
    return { path: this.way.path, floor, isBelowFloor, cover, guard, declaredAt }
  }
}

// Express keeps no trace of what came in one `use`, but it comes in a row and at one path.
const covers = (declaration: RouterLayer, layer: RouterLayer): boolean =>
  !(placementOf(handlerOf(declaration)) instanceof Requirement) && isMountedAlike(declaration, layer)

const roots = new WeakMap<object, MountPoint>()
const strays = new WeakMap<object, MountPoint>()

function known<Key extends object>(
  points: WeakMap<Key, MountPoint>,
  key: Key,
  make: () => MountPoint,
): MountPoint {
  let point = points.get(key)
  if (point === undefined) points.set(key, (point = make()))
  return point
}
