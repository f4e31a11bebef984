import type { Type } from '@nestjs/common'
import { Reflector } from '@nestjs/core'

/*
 * The parts of Nest that this package looks at beyond its documented API: the metadata that its decorators leave, and how it makes
 * paths of them. What belongs to optional packages is spelled here, since they may be absent. The tests run on the lowest and on the
 * highest release.
 */
export { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js'

export const metadata = {
  path: 'path',
  requestMethod: 'method',
  version: '__version__',
  modulePath: '__module_path__',
  guards: '__guards__',
  pattern: 'microservices:pattern',
  patternKind: 'microservices:handler_type',
  isGateway: 'websockets:is_gateway',
  gatewayOptions: 'websockets:gateway_options',
  gatewayPort: 'port',
  isSubscription: 'websockets:message_mapping',
  subscription: 'message',
} as const

/** What `@EventPattern` leaves as its kind, in contrast to a message that is answered. */
export const eventKind = 2

/** A class that Nest makes instances of. */
export type Class = Type<unknown>

/** A method of such a class, as Nest holds it. */
export type Handler = (...args: readonly unknown[]) => unknown

const reflector = new Reflector()

/** What a decorator has left at a class or a method; undefined where none has. */
export function metadataOf(key: string, target: Class | Handler): unknown {
  return reflector.get<unknown>(key, target)
}

/** A path as Nest puts one behind another: begun with a slash, and nothing where there is none. */
export const withSlash = (path: unknown): string => {
  if (typeof path !== 'string' || path === '') return ''
  return path.startsWith('/') || path.startsWith('{/') ? path : `/${path}`
}
