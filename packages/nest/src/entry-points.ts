// By what a Nest application can be called: the routes and message patterns of its controllers, and its gateways.
import type { Placement } from '@countersign/core'
import { eventKind, metadata, metadataOf, type Class, type Handler } from './framework.ts'
import { placeOfGateway, spelledPlace } from './gateway-places.ts'
import type { Holder } from './holders.ts'
import { methodsOf } from './methods.ts'
import { placementFor, placementForConnections } from './placements.ts'

/** One name by which something can be called, as the census and policy documents have it. */
export interface Spelling {
  /** That of HTTP, or `*`; `GRPC`, `MESSAGE` and `EVENT` for patterns, `WS` for gateways. */
  readonly method: string
  /** `/orders/:id`; `/Orders/Find`; a pattern; `/chat` for those who connect, `/chat#post` for a message. */
  readonly path: string
}

/** Something that Nest calls for whoever comes from outside. */
export interface EntryPoint {
  readonly kind: 'http' | 'rpc' | 'ws'
  readonly controller: Class
  /** Undefined for those who connect to a gateway. */
  readonly handler: Handler | undefined
  readonly placement: Placement | undefined
  /** Known when the application is complete: a prefix may be set until then. */
  readonly spellings: () => readonly Spelling[]
}

/** Those of a controller. Throws a ConfigurationError where it contradicts itself. */
export function ofController(
  { metatype: controller }: Holder,
  pathsOf: (handler: Handler) => readonly Spelling[],
): readonly EntryPoint[] {
  const entryPoints: EntryPoint[] = []
  for (const handler of handlersOf(controller)) {
    const isRoute = metadataOf(metadata.path, handler) !== undefined
    const patterns = patternsOf(handler)
    if (!isRoute && patterns.length === 0) continue
    const common = { controller, handler, placement: placementFor(controller, handler) }
    if (isRoute) entryPoints.push({ ...common, kind: 'http', spellings: () => pathsOf(handler) })
    if (patterns.length > 0) entryPoints.push({ ...common, kind: 'rpc', spellings: () => patterns })
  }
  return entryPoints
}

/** Those of a gateway: its connections, and each message. Throws likewise. */
export function ofGateway({ metatype: controller }: Holder): readonly EntryPoint[] {
  const place = spelledPlace(placeOfGateway(controller))
  const connections: EntryPoint = {
    kind: 'ws',
    controller,
    handler: undefined,
    placement: placementForConnections(controller),
    spellings: () => [{ method: 'WS', path: place }],
  }
  const messages = handlersOf(controller)
    .filter((handler) => metadataOf(metadata.isSubscription, handler) !== undefined)
    .map((handler): EntryPoint => {
      const message = textOf(metadataOf(metadata.subscription, handler))
      return {
        kind: 'ws',
        controller,
        handler,
        placement: placementFor(controller, handler),
        spellings: () => [{ method: 'WS', path: `${place}#${message}` }],
      }
    })
  return [connections, ...messages]
}

const handlersOf = (controller: Class): readonly Handler[] => [...new Set(methodsOf(controller).values())]

/** True for a class that answers patterns, which Nest asks no global guard about in a hybrid application. */
export const hasPatterns = ({ metatype }: Holder): boolean =>
  handlersOf(metatype).some((handler) => patternsOf(handler).length > 0)

function patternsOf(handler: Handler): readonly Spelling[] {
  const patterns = metadataOf(metadata.pattern, handler)
  if (patterns === undefined) return []
  const method = metadataOf(metadata.patternKind, handler) === eventKind ? 'EVENT' : 'MESSAGE'
  return [patterns]
    .flat()
    .map((pattern: unknown) =>
      isGrpc(pattern)
        ? { method: 'GRPC', path: `/${pattern.service}/${pattern.rpc}` }
        : { method, path: textOf(pattern) },
    )
}

const isGrpc = (pattern: unknown): pattern is { readonly service: string; readonly rpc: string } =>
  typeof pattern === 'object' && pattern !== null && 'service' in pattern && 'rpc' in pattern

const textOf = (pattern: unknown): string =>
  typeof pattern === 'string' ? pattern : (JSON.stringify(pattern) ?? String(pattern))
