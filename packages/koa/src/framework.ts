import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Next } from 'koa'

/*
 * The parts of @koa/router that this adapter looks at beyond its documented API: the layers of a router, in a layer the stack of its
 * handlers, and that a router which takes a request sets `ctx.matched` and then `ctx.router` before it looks into the stacks. They
 * have been so in every release from 12 to 15; the tests run on both ends.
 */

/** An application of Koa, whatever its state and contexts are made of. */
export interface Application {
  readonly middleware: readonly unknown[]
  /** What the contexts of its requests inherit from. */
  readonly context: object
  callback(): (request: IncomingMessage, response: ServerResponse) => unknown
}

/** What Koa runs, as far as this adapter is concerned. */
export interface Handler {
  (context: Context, next: Next): unknown
  /** What `router.routes()` makes leads to its router. */
  readonly router?: Router
  /** What `router.param()` puts before the handlers of a route has the name of its parameter. */
  readonly param?: unknown
}

export interface Router {
  readonly stack: readonly Layer[]
  /** Of all layers that match, only one runs, without what came before it in `router.use()`. */
  readonly exclusive?: boolean
}

/** A route; without methods, what came in `router.use()`. */
export interface Layer {
  readonly path: string | RegExp
  /** Upper-case. A route for GET has HEAD as well. */
  readonly methods: readonly string[]
  stack: readonly Handler[]
  match(path: string): boolean
}

/** What a router tells of a request in its context. */
export interface RoutedContext extends Context {
  /** The layers whose path matches, of all routers that the request came to. */
  readonly matched?: readonly Layer[]
  readonly params?: Readonly<Record<string, unknown>>
}

/** Runs handlers one inside the other, as koa-compose does. What the first of them returns or throws is for whoever has called this. */
export function runInOrder(handlers: readonly Handler[], context: Context, next: Next): unknown {
  let reached = -1
  const runFrom = (i: number): unknown => {
    if (i <= reached) throw new Error('next() called multiple times')
    reached = i
    const handler = handlers[i]
    return handler === undefined ? next() : handler(context, async () => runFrom(i + 1))
  }
  return runFrom(0)
}

/** A path as it was registered, for events, the census and messages. */
export const pathText = ({ path }: Layer): string => (path instanceof RegExp ? path.source : path)

/** Each method that a route was registered for; `*` for every method that there is. */
export function registeredMethods({ methods }: Layer): readonly string[] {
  const known = registered.get(methods)
  if (known?.count === methods.length) return known.names
  const names =
    methods.length >= METHODS.length && METHODS.every((method) => methods.includes(method))
      ? ['*']
      : [...new Set(methods)].filter((method) => method !== 'HEAD' || !methods.includes('GET'))
  registered.set(methods, { count: methods.length, names })
  return names
}

/** Methods are only ever added to a layer. */
const registered = new WeakMap<
  readonly string[],
  { readonly count: number; readonly names: readonly string[] }
>()

/** As which of them a request is handled. */
export function registeredAs(layer: Layer, method: string): string {
  const [first, ...others] = registeredMethods(layer)
  if (first === '*' || (first !== undefined && others.length === 0)) return first
  return method === 'HEAD' && layer.methods.includes('GET') ? 'GET' : method
}

/** For events: a middleware may have put a caller's text in place of the method. */
export const printableMethod = (method: string): string => (METHODS.includes(method) ? method : '*')

// An import of `node:http` by name reads all its names, and so loads Node's fetch and WebSocket client.
const { METHODS } = process.getBuiltinModule('node:http')
