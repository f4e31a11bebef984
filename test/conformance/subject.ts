// What the suite asks of an adapter: to serve a small service in its framework, and to say what the framework has not.
import type { RequestListener } from 'node:http'
import type { Readable } from 'node:stream'
import type { Caller, Clock, Guard, Placement, Requirement } from '@countersign/core'
import type { Served, Transport } from './served.ts'

/** A service, without a framework. */
export interface Service {
  readonly routes: readonly ServiceRoute[]
  /** Routes below this prefix stand in a router of their own, which asks this. */
  readonly floor?: { readonly prefix: string; readonly requirement: Requirement }
  /** A handler that is mounted beside all routes, without a declaration, at this path. */
  readonly stray?: { readonly path: string; readonly handle: Handle }
}

export interface ServiceRoute {
  readonly method: Method
  /** Plain text, or with `:name` segments. */
  readonly path: string
  /** What is many messages where a framework tells one from many. Default: one is sent, and one comes back. */
  readonly streams?: Streams
  /** Undefined: it says nothing. */
  readonly placement?: Placement
  /** Default: answers with its own spelling. */
  readonly handle?: Handle
  /** In place of `handle`, where both sides go on talking. Only where a framework has open streams. */
  readonly converse?: (conversation: Conversation) => void
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
export type Streams = 'in' | 'out' | 'both'
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

/** An open stream as its handler sees it. */
export interface Conversation {
  /** By `callerOf`, now. */
  caller(): Caller | undefined
  send(text: string): void
  onMessage(heard: (text: string) => void): void
  /** However it ends. */
  onEnd(ended: () => void): void
}

/** What a framework may lack. */
export type Feature =
  | 'HTTP/2'
  | 'client certificates'
  | 'routers with a floor'
  | 'undeclared routes are refused before their handler'
  | 'undeclared routes are named at once'
  | 'answers outside routes are replaced'
  | 'declarations behind a handler are refused'
  | 'synchronous on a hit'
  | 'HEAD and OPTIONS'
  | 'methods of HTTP'
  | 'paths with parameters'
  | 'a field twice'
  | 'answers with a status and fields'
  | 'many requests on one connection'
  | 'pipelining'
  | 'open streams'

export type Lacking = Partial<Readonly<Record<Feature, string>>>

/** An adapter on one release of its framework, as the suite calls it. */
export interface Subject {
  /** Such as `Express 5`. */
  readonly name: string
  /** Such as `@countersign/express`. */
  readonly adapter: string
  /** How its callers reach it: what a request is, and what an answer. */
  readonly wire: 'HTTP' | 'upgrade' | 'gRPC'
  /** Why it cannot have what others have. */
  readonly lacks?: Lacking
  /** What the census, events and policy documents call a route. */
  spell(method: Method, path: string): RouteName
  /** What it is on the wire, where that is something else. */
  target?(method: Method, path: string): RouteName
  /** Has a sealed service listen on a loopback port. */
  start(guard: Guard, service: Service, setting?: Setting): Promise<Served>
  /** A service whose one route has a handler before its declaration. */
  misplaced?(guard: Guard, path: string, placement: Placement): Promise<Misplaced>
}

export interface RouteName {
  readonly method: string
  readonly path: string
}

export interface Setting {
  readonly transport?: Transport
  /** For what an adapter does in time. */
  readonly clock?: Clock
}

export interface Misplaced {
  seal(): Promise<void>
  serve(): Promise<Served>
}

/** An adapter of a framework of HTTP. */
export interface HttpSubject extends Pick<Subject, 'name' | 'adapter' | 'lacks'> {
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
