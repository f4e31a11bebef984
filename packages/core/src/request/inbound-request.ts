import type { IncomingHttpHeaders } from 'node:http'

/**
 * What an adapter hands in. Node's own `IncomingMessage` is one as it stands, so that nothing is allocated per
 * request; an adapter whose framework has no `IncomingMessage` builds an object of this shape.
 */
export interface InboundRequest {
  readonly method?: string | undefined
  /** The request target as received, or what a router left of it. Never matched against any route. */
  readonly url?: string | undefined
  /** The request target as received, where a framework cuts `url` down on its way. DPoP proofs are held against it. */
  readonly originalUrl?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Name, value, name, value as on the wire: only here is a repeated singleton field still visible. */
  readonly rawHeaders: readonly string[]
  /** The connection. Its identity keys what is remembered between two requests on it. */
  readonly socket: object
}
