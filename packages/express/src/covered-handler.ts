import type { RequestContext } from '@countersign/core/adapter'
import type { NextFunction, Request, Response } from 'express'
import type { RouterLayer } from './framework.ts'
import { contextOf } from './request-context.ts'

type Handler = (request: Request, response: Response, next: NextFunction) => unknown

const originals = new WeakMap<object, object>()

/** The handler of a layer as the application gave it. */
export const handlerOf = (layer: RouterLayer): object => originals.get(layer.handle) ?? layer.handle

/**
 * Bounds what a declaration allowed for the handler beside it to that handler: it ends where the request is passed on.
 * Else `use(unprotected('assets'), express.static('public'))` would open every undeclared handler behind it.
 */
export const coverHandler = (layer: RouterLayer): void => wrap(layer, (context) => context.arrive())

/** Bounds what a route was allowed to that route. */
export const coverRoute = (layer: RouterLayer): void => wrap(layer, (context) => () => context.leaveRoute())

function wrap(layer: RouterLayer, begin: (context: RequestContext) => () => void): void {
  const original = layer.handle
  if (originals.has(original) || !isHandler(original)) return
  const covered: Handler = function covered(request, response, next) {
    const context = contextOf(request)
    if (context === undefined) return original(request, response, next)
    const end = begin(context)
    return original(request, response, (error?: unknown) => {
      // An error goes to the application's error handlers, which answer for what failed: that was allowed.
      if (!isError(error)) end()
      next(error)
    })
  }
  // A router is a function with members: it stays one to whoever looks at the layer.
  Object.setPrototypeOf(covered, original)
  originals.set(covered, original)
  layer.handle = covered
}

// Handlers of errors take four arguments, and do not answer for a `use`.
const isHandler = (handle: object): handle is Handler => typeof handle === 'function' && handle.length < 4

// Express takes these two words for "skip what is left here", and nothing for "go on".
const isError = (error: unknown): boolean =>
  error !== undefined && error !== null && error !== 'route' && error !== 'router'
