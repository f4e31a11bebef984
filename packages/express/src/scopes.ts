import { type RequestContext, contextOf } from '@countersign/core/adapter'
import type { NextFunction, Request, Response } from 'express'
import { layersOf, routerBehind, routerOf, type RouterLayer } from './framework.ts'
import { handlerOf, isReplaced, replaceHandler } from './layer-handlers.ts'
import { MountPoint } from './mount-point.ts'
import { mountPointOf, rememberMountPoint } from './request-context.ts'

type Handler = (request: Request, response: Response, next: NextFunction) => unknown
type ErrorHandler = (error: unknown, request: Request, response: Response, next: NextFunction) => unknown

/**
 * Bounds every router, route and error handler that can be found, so that nothing allowed in one holds behind it. True if some of
 * them were mounted since this was done last.
 */
export function boundRouters(router: object | undefined): boolean {
  let hasFound = false
  for (const layer of layersOf(router)) {
    const handler = handlerOf(layer)
    const inner = routerBehind(handler)
    const isErrorHandler = typeof handler === 'function' && handler.length > 3
    const isBounded = layer.route !== undefined || inner !== undefined || isErrorHandler
    if (isBounded && router !== undefined && boundLayer(layer, router)) hasFound = true
    if (boundRouters(inner)) hasFound = true
  }
  return hasFound
}

/**
 * Bounds what is allowed and asked in a router, a route, or the handler beside a declaration, to just that: it ends
 * where the request is passed on, in whichever way. Else `use(unprotected('assets'), express.static('public'))` would
 * open every undeclared handler behind it. An error handler may answer for what was allowed when it failed. True if this had not been
 * done before.
 */
export function boundLayer(layer: RouterLayer, owner: object): boolean {
  const original = layer.handle
  if (isReplaced(layer) || typeof original !== 'function') return false
  const bounded =
    original.length > 3
      ? boundErrorHandler(original as ErrorHandler) // told apart as Express does
      : routerBehind(original) !== undefined
        ? boundRouter(original as Handler, layer, owner)
        : boundHandler(original as Handler)
  replaceHandler(layer, bounded)
  return true
}

/** A router is bounded alike, and while a request is in it, the request knows by which way it came there. */
function boundRouter(original: Handler, layer: RouterLayer, owner: object): Handler {
  const bounded = boundHandler(original)
  return function boundedRouter(this: unknown, request, response, next) {
    const outside = mountPointOf(request)
    rememberMountPoint(request, pointIn(owner, outside, request).intoKnown(layer))
    return bounded.call(this, request, response, (error?: unknown) => {
      rememberMountPoint(request, outside)
      next(error)
    })
  }
}

function pointIn(router: object, outside: MountPoint | undefined, { app }: Request): MountPoint {
  if (outside?.router === router) return outside
  // Nobody has followed the request yet: it has just come to the application.
  const isEntry = outside === undefined && routerOf(app) === router
  if (isEntry) return MountPoint.rootOf(router)
  // Called by a function, unless it is one that was mounted only now.
  return outside !== undefined && (outside.isAmbiguous || boundRouters(outside.root))
    ? MountPoint.anyOf(router, outside.root)
    : MountPoint.strayOf(router)
}

/** The same for one call of a handler that no layer could be found for. */
export function boundHandler(original: Handler): Handler {
  return function bounded(this: unknown, request, response, next) {
    const context = contextOf(request)
    if (context === undefined) return original.call(this, request, response, next)
    return runBounded(context, original, (leave) =>
      original.call(this, request, response, (error?: unknown) => {
        leave(error)
        next(error)
      }),
    )
  }
}

function runBounded(
  context: RequestContext,
  handler: object,
  run: (leave: (error: unknown) => void) => unknown,
): unknown {
  const end = context.begin(handler)
  let hasEnded = false
  const leave = (error: unknown): void => {
    if (!hasEnded) end(isError(error))
    hasEnded = true
  }
  try {
    const result = run(leave)
    return result instanceof Promise
      ? result.catch((error: unknown) => {
          leave(error)
          throw error
        })
      : result
  } catch (error) {
    leave(error)
    throw error
  }
}

function boundErrorHandler(original: ErrorHandler): ErrorHandler {
  return function bounded(this: unknown, error, request, response, next) {
    const end = contextOf(request)?.beginError()
    return original.call(this, error, request, response, (another?: unknown) => {
      end?.()
      next(another)
    })
  }
}

// As Express takes it: anything false goes on, and two words skip what is left here.
const isError = (error: unknown): boolean => Boolean(error) && error !== 'route' && error !== 'router'
