import type { Caller } from '@countersign/core'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** A request as `node:http`, `node:https` or the compatibility API of `node:http2` hands it out. */
export type NodeRequest = IncomingMessage | Http2ServerRequest
export type NodeResponse = ServerResponse | Http2ServerResponse

/** How connect, and what is built like it, passes a request on. */
export type Next = (error?: unknown) => void

/** `(request, response, next)`: what connect and polka `use`. */
export type Middleware<Request = NodeRequest, Response = NodeResponse> = (
  request: Request,
  response: Response,
  next: Next,
) => unknown

/** A request in the handler of a route. `caller`: who calls, verified; it throws `caller_unavailable` where the route has no caller. */
export type RequestWithCaller<Request extends NodeRequest = IncomingMessage> = Request & {
  readonly caller: Caller
}

/** The compatibility API of HTTP/2 has all that is used of a response, under the same names. */
export const asServerResponse = (response: NodeResponse): ServerResponse => response as ServerResponse // as said above
