// From what a class declares to its routes.
import { ConfigurationError } from '@countersign/core'
import type { MountableRoute } from '@countersign/core/adapter'
import { classNameOf } from './class-name.ts'
import { wholeClass, type Key } from './declarations.ts'
import { forwardingRejections, type Handler } from './handler.ts'
import { levelsOf, methodsOf, ofKind, saidOf, type Level } from './hierarchy.ts'
import { joinPaths } from './path.ts'
import { placementIn } from './placement.ts'

interface Mounted {
  readonly instance: object
  readonly levels: readonly Level[]
  /** Of the class, for messages. */
  readonly name: string
  readonly path: string
}

/** The routes of a controller. Throws a ConfigurationError for one that would not be what it looks like. */
export function routesOf(instance: object): readonly MountableRoute[] {
  const levels = levelsOf(Reflect.getPrototypeOf(instance))
  const name = classNameOf(instance)
  const controller = ofKind(saidOf(levels, wholeClass), 'controller').at(-1)
  if (controller === undefined) {
    throw new ConfigurationError(name, `not a controller: write @Controller('/path') above class ${name}`)
  }
  const mounted = { instance, levels, name, path: controller.path }
  const routes = [...methodsOf(levels)].flatMap((key) => routesOfMethod(mounted, key))
  if (routes.length > 0) return headBeforeGet(routes)
  throw new ConfigurationError(name, "no method is a route: write a verb above one, such as @Get('/')")
}

function routesOfMethod(mounted: Mounted, key: Key): readonly MountableRoute[] {
  const name = `${mounted.name}.${String(key)}`
  const verbs = ofKind(saidOf(mounted.levels, key), 'route')
  if (verbs.length === 0) {
    throw new ConfigurationError(name, "no route, so this protects nothing: add a verb, such as @Get('/')")
  }
  const placement = placementIn(mounted.levels, key, name)
  const handler = handlerOf(mounted.instance, key, name)
  // A subclass that repeats a verb of its base class means the same route.
  const routes = new Map(
    verbs.map(({ method, path: below }) => {
      const path = joinPaths(mounted.path, below)
      return [`${method} ${path}`, { method, path, placement, handler }]
    }),
  )
  return [...routes.values()]
}

function handlerOf(instance: object, key: Key, name: string): Handler {
  const method: unknown = Reflect.get(instance, key)
  if (typeof method !== 'function') {
    throw new ConfigurationError(name, `expected a method, got a ${typeof method}`)
  }
  return forwardingRejections((...args) => Reflect.apply(method, instance, args))
}

// A route for GET answers HEAD as well, and the first that answers is taken: so one of HEAD's own goes before it.
function headBeforeGet(routes: readonly MountableRoute[]): readonly MountableRoute[] {
  const heads = routes.filter(({ method }) => method === 'head')
  const inOrder = routes.flatMap((route) =>
    route.method === 'get' ? [...heads.filter(({ path }) => path === route.path), route] : [route],
  )
  return [...new Set(inOrder)]
}
