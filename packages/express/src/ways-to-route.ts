import type { Route } from './framework.ts'
import type { MountPoint } from './mount-point.ts'
import { walk } from './router-tree.ts'
import { strayWay, type Way } from './way.ts'

/**
 * The way by which a request came to a route. Where it could not be followed, all the ways that there are: it may be the first one
 * that comes through a router which was mounted only now, or through a guard in a router. And one that nobody knows, since a function
 * may have called the router.
 */
export function waysBy(point: MountPoint | undefined, route: Route): readonly Way[] {
  const way = point?.wayTo((layer) => layer.route === route)
  if (way !== undefined && point?.isAmbiguous === false) return [way]
  return [way ?? strayWay, ...waysTo(route, point?.root)]
}

/** All the ways from a router to a route. */
export function waysTo(route: Route, router: object | undefined): readonly Way[] {
  const ways: Way[] = []
  walk(router, { route: (found, way) => void (found === route && ways.push(way)) })
  return ways
}
