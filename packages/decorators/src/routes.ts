// From what a class declares to its routes: the rules.
import { ConfigurationError } from '@countersign/core'
import { joinPlacements, type MountableRoute } from '@countersign/core/adapter'
import { classNameOf } from './class-name.ts'
import { declarationsFor, wholeClass, type Declaration, type Key } from './declarations.ts'
import { forwardingRejections, type Handler } from './handler.ts'
import { joinPaths } from './path.ts'

/** What holds for each route of a controller. */
interface Floor {
  readonly instance: object
  /** Of the class, for messages. */
  readonly name: string
  readonly path: string
  readonly requirements: readonly Said<'requirement'>[]
}

type Said<Kind extends Declaration['says']> = Extract<Declaration, { says: Kind }>

/** The routes of a controller. Throws a ConfigurationError for one that would not be what it looks like. */
export function routesOf(instance: object): readonly MountableRoute[] {
  const declared = declarationsFor(instance)
  const ofClass = [...(declared.get(wholeClass) ?? [])]
  const name = classNameOf(instance)
  const controller = ofClass.findLast((each) => each.says === 'controller')
  if (controller === undefined) {
    throw new ConfigurationError(name, `not a controller: write @Controller('/path') above class ${name}`)
  }
  const requirements = ofClass.filter((each) => each.says === 'requirement')
  const floor = { instance, name, path: controller.path, requirements }
  const routes = [...declared].flatMap(([key, own]) =>
    key === wholeClass ? [] : routesOfMethod(floor, key, [...own]),
  )
  if (routes.length > 0) return headBeforeGet(routes)
  throw new ConfigurationError(name, "no method is a route: write a verb above one, such as @Get('/')")
}

function routesOfMethod(floor: Floor, key: Key, own: readonly Declaration[]): readonly MountableRoute[] {
  const name = `${floor.name}.${String(key)}`
  const verbs = own.filter((each) => each.says === 'route')
  if (verbs.length === 0) {
    throw new ConfigurationError(name, "no route, so this protects nothing: add a verb, such as @Get('/')")
  }
  requireExemptionAlone(floor, name, own)
  const requirements = own.filter((each) => each.says === 'requirement' || each.says === 'exemption')
  const placement = joinPlacements([...floor.requirements, ...requirements].map((each) => each.placement))
  const handler = handlerOf(floor.instance, key, name)
  // A subclass that repeats a verb of its base class means the same route.
  const routes = new Map(
    verbs.map(({ method, path: below }) => {
      const path = joinPaths(floor.path, below)
      return [`${method} ${path}`, { method, path, placement, handler }]
    }),
  )
  return [...routes.values()]
}

/** "Everybody may call" and "the caller must" cannot both be true, and neither may quietly win. */
function requireExemptionAlone(floor: Floor, name: string, own: readonly Declaration[]): void {
  const [exemption, another] = own.filter((each) => each.says === 'exemption')
  if (exemption === undefined) return
  if (floor.requirements.length > 0) {
    throw new ConfigurationError(
      name,
      `a class that requires ${textOf(floor.requirements)} cannot have an unprotected method: move it to a controller of its own`,
    )
  }
  const conflict = another ?? own.find((each) => each.says === 'requirement')
  if (conflict === undefined) return
  throw new ConfigurationError(name, `says both ${textOf([exemption, conflict])}: leave one of them`)
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

const textOf = (declarations: readonly Said<'requirement' | 'exemption'>[]): string =>
  declarations.map(({ placement }) => placement.text).join(' and ')
