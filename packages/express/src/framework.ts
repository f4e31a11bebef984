import type { Application, NextFunction, Request, Response } from 'express'
import { applicationBehind } from './mounted-application.ts'

/*
 * The parts of Express that this adapter looks at beyond its documented API: the stack of layers, and in a route the
 * stack of its handlers. They have had this shape in every release of Express 4 and 5; the tests run on both.
 */

/** One entry of a router: a route, a router, or a middleware. */
export interface RouterLayer {
  handle: object
  readonly route?: Route | undefined
  /** Mounted at `/`. In Express 5 on the layer, in Express 4 on its regular expression. */
  readonly slash?: boolean
  readonly regexp?: RegExp & { readonly fast_slash?: boolean }
  /** The path as written. Express 4 and early releases of Express 5 do not keep it. */
  readonly rawPath?: unknown
}

/** A path, and its handlers in order. */
export interface Route {
  readonly path: unknown
  readonly stack: RouteLayer[]
  /** Lower-case method → true; `_all` for every method. */
  readonly methods: Readonly<Record<string, boolean>>
  /** Runs the handlers. Express 5 looks it up at each call; Express 4 has bound it when the route was made. */
  dispatch: (request: Request, response: Response, done: NextFunction) => unknown
}

/** One handler of a route. Without a method it runs for every method. */
export interface RouteLayer {
  readonly handle: object
  method: string | undefined
}

/** The layers of a router; none for a plain handler. */
export function layersOf(router: object | undefined): readonly RouterLayer[] {
  const stack: unknown = router !== undefined && 'stack' in router ? router.stack : undefined
  return Array.isArray(stack) ? stack : []
}

/** The router that a handler hands requests on to: itself, or that of the application that is mounted; undefined for any other. */
export function routerBehind(handler: object): object | undefined {
  if ('stack' in handler) return handler
  const application = applicationBehind(handler)
  return application === undefined ? undefined : routerOf(application)
}

/** The application that another one is mounted in. */
export const parentOf = (app: Application): Application | undefined =>
  (app as { readonly parent?: Application }).parent // untyped, and documented with the `mount` event

/** The router of an application: `_router` in Express 4, where `router` is a getter that throws; `router` in Express 5. */
export function routerOf(app: Application): object | undefined {
  const internals = app as { readonly _router?: object; readonly router?: object } // the names differ by major version
  if (internals._router !== undefined) return internals._router
  try {
    return internals.router
  } catch {
    return undefined
  }
}

/** What the requests and responses of an application inherit from. Express documents both as the place for additions. */
export function prototypesOf(app: Application): { readonly request: object; readonly response: object } {
  return app as unknown as { readonly request: object; readonly response: object } // untyped only for `req.app`
}

export const isMountedAtRoot = ({ slash, regexp }: RouterLayer): boolean =>
  slash === true || regexp?.fast_slash === true

/** True if both were mounted at the same path, as the parts of one `use(path, …)` are; where no path is kept, at the root or not. */
export const isMountedAlike = (one: RouterLayer, other: RouterLayer): boolean =>
  isMountedAtRoot(one) === isMountedAtRoot(other) &&
  pathText(one.rawPath) === pathText(other.rawPath) &&
  one.regexp?.source === other.regexp?.source

/** Where a layer is mounted, as it was written; undefined where Express does not keep that. */
export function mountText(layer: RouterLayer): string | undefined {
  if (isMountedAtRoot(layer)) return ''
  if (layer.rawPath === undefined) return literalOf(layer.regexp)
  const text = pathText(layer.rawPath)
  return text.endsWith('/') ? text.slice(0, -1) : text
}

/** True if whoever comes to `later` has come by `earlier`, for certain: that is mounted at plain text, with which the other's path begins. */
export function isOnTheWay(earlier: RouterLayer, later: RouterLayer): boolean {
  const text = mountText(earlier)
  const path = later.route === undefined ? mountText(later) : later.route.path
  if (text === undefined || !plainPath.test(text) || typeof path !== 'string') return false
  // `|` separates whole paths in Express 4.
  return (path === text || path.startsWith(`${text}/`)) && !path.includes('|')
}

const plainPath = /^(?:\/[\w.~-]+)+$/

// Of a path without parameters, Express 4 makes `^\/admin\/?(?=\/|$)`.
function literalOf(regexp: RegExp | undefined): string | undefined {
  const [, escaped] = /^\^((?:\\\/(?:[\w~-]|\\\.)+)+)\\\/\?\(\?=\\\/\|\$\)$/.exec(regexp?.source ?? '') ?? []
  return escaped?.replaceAll('\\', '')
}

/** A path as it was registered, for events, the census and messages. */
export function pathText(path: unknown): string {
  if (Array.isArray(path)) return path.map(pathText).join(', ')
  return path instanceof RegExp ? path.source : typeof path === 'string' ? path : ''
}
