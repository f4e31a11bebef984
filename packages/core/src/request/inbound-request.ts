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
  /** In HTTP/2, where Node gives each request a `socket` of its own. */
  readonly stream?: { readonly session?: { readonly socket: object } | undefined } | undefined
}

/** A browser's question, before a request, whether it may send it (Fetch, CORS-preflight request). It never carries a credential. */
export const isPreflight = ({ method, headers }: InboundRequest): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined

/** Pseudo-headers are HTTP/2's (RFC 9113 §8.3.1): nobody can send one in HTTP/1. */
export const isHttp2 = ({ headers }: InboundRequest): boolean => headers[':method'] !== undefined

/** The connection that a request came by: one object for all requests that share it. */
export const connectionOf = (request: InboundRequest): object =>
  // In HTTP/1 there is no stream, which is found out faster than a header.
  request.stream !== undefined && isHttp2(request)
    ? (request.stream.session?.socket ?? request.socket)
    : request.socket
