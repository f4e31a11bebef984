// What the suite asks of an adapter: to build a small service in its framework, and to say what the framework has not.
import type { RequestListener } from 'node:http'
import type { Readable } from 'node:stream'
import type { Caller, Guard, Placement, Requirement } from '@countersign/core'

/** A service, without a framework. */
export interface Service {
  readonly routes: readonly ServiceRoute[]
  /** Routes below this prefix stand in a router of their own, which asks this. */
  readonly floor?: { readonly prefix: string; readonly requirement: Requirement }
  /** A handler that is mounted beside all routes, without a declaration, at this path. */
  readonly stray?: { readonly path: string; readonly handle: Handle }
}

export interface ServiceRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  /** Plain text, or with `:name` segments. */
  readonly path: string
  /** Undefined: it says nothing. */
  readonly placement?: Placement
  /** Default: answers with its own spelling. */
  readonly handle?: Handle
}

export type Handle = (call: HandlerCall) => Reply | Promise<Reply>

/** A call as a handler sees it. */
export interface HandlerCall {
  /** By `callerOf`. */
  readonly caller: Caller | undefined
  /** By the framework's own place for it; throws where the route has none. */
  requireCaller(): Caller
  readonly params: Readonly<Record<string, unknown>>
  /** Every header that the handler can see, lower-case; of the raw ones, too. */
  readonly headerNames: readonly string[]
  readonly body: AsyncIterable<Uint8Array>
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Readable
}

/** What a framework may lack. */
export type Feature =
  | 'HTTP/2'
  | 'client certificates'
  | 'routers with a floor'
  | 'undeclared routes are refused before their handler'
  | 'answers outside routes are replaced'
  | 'declarations behind a handler are refused'
  | 'synchronous on a hit'

/** An adapter on one release of its framework. */
export interface Subject {
  /** Such as `Express 5`. */
  readonly name: string
  /** Such as `@countersign/express`. */
  readonly adapter: string
  /** Why it cannot have what others have. */
  readonly lacks?: Partial<Readonly<Record<Feature, string>>>
  build(guard: Guard, service: Service): Promise<Built>
  /** A service whose one route has a handler before its declaration. Rejects, if that stops the start. */
  buildMisplaced?(guard: Guard, path: string, placement: Placement): Promise<Built>
}

/** A service in its framework, ready to be served by whatever server. */
export interface Built {
  readonly listener: RequestListener
  /** As `sealRoutes`. */
  seal(): Promise<void>
  close?(): Promise<void>
}
