import { metadata, metadataOf, withSlash, type Class } from './framework.ts'

/** Where clients connect to a gateway. Several gateways may share one. */
export interface GatewayPlace {
  /** 0 for the port of the application. */
  readonly port: number
  readonly path: string
  /** Of socket.io. */
  readonly namespace: string
}

/** What Nest is told of a gateway, by its decorator, and tells an adapter. */
export interface GatewayOptions {
  readonly path?: unknown
  readonly namespace?: unknown
}

export function placeOfGateway(gateway: Class): GatewayPlace {
  const port = metadataOf(metadata.gatewayPort, gateway)
  const options = metadataOf(metadata.gatewayOptions, gateway)
  return gatewayPlace(typeof port === 'number' ? port : 0, options ?? {})
}

export const gatewayPlace = (port: number, { path, namespace }: GatewayOptions): GatewayPlace => ({
  port,
  path: withSlash(path),
  namespace: namespace instanceof RegExp ? String(namespace) : withSlash(namespace),
})

export const isSamePlace = (one: GatewayPlace, other: GatewayPlace): boolean =>
  one.port === other.port && one.path === other.path && one.namespace === other.namespace

/** Such as `/chat`, or `:8081/chat` on a port of its own. */
export const spelledPlace = ({ port, path, namespace }: GatewayPlace): string =>
  `${port === 0 ? '' : `:${port}`}${`${path}${namespace}` || '/'}`
