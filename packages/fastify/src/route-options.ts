import {
  declaredAt,
  declaredAtOf,
  isPlacement,
  placementOf,
  requirePlacement,
  type Placement,
} from '@countersign/core/adapter'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** What the options of a route declare, each once. Throws a ConfigurationError, which names the route, for anything that is no requirement. */
export function declarationsIn(options: RouteOptions, route: string): readonly Placement[] {
  const requires = options.config?.requires
  const configured = requires === undefined ? [] : [requirePlacement(requires, `config.requires of ${route}`)]
  return [...new Set([...configured, ...hooksIn(options).flatMap((hook) => placementOf(hook) ?? [])])]
}

/** True if they declare anything. Other libraries may have a `requires` of their own, which is nothing to us. */
export const isDeclaredIn = (options: RouteOptions): boolean =>
  isPlacement(options.config?.requires) || hooksIn(options).some(declares)

/** Where they were made a declaration; null where that is not known. */
export const declaredAtIn = (options: RouteOptions): string | null =>
  hooksIn(options)
    .map(declaredAtOf)
    .find((place) => place !== null) ?? null

/** Where the application registers the route that is being registered now, if its `config` was written by hand, which says nothing of it. */
export function registeredAt(context: FastifyInstance, options: RouteOptions): string | null {
  if (options.config?.requires === undefined || hooksIn(options).some(declares)) return null
  const verbs = ['route', 'all', ...[options.method].flat().map((method) => method.toLowerCase())]
  const places = verbs.map((verb) => {
    const registers: unknown = Reflect.get(context, verb)
    return typeof registers === 'function' ? declaredAt(registers as (...args: never[]) => unknown) : null // of Fastify's own
  })
  return places.find((place) => place !== null) ?? null
}

const declares = (hook: object): boolean => placementOf(hook) !== undefined

const hooksIn = ({ onRequest = [] }: RouteOptions): readonly object[] => [onRequest].flat()
