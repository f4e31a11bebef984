import type { RequestContext } from '@countersign/core/adapter'
import type { NextFunction, Request, Response } from 'express'
import { contextOf } from './request-context.ts'

type Handler = (request: Request, response: Response, next: NextFunction) => unknown
type ErrorHandler = (error: unknown, request: Request, response: Response, next: NextFunction) => unknown

/** What holds a handler: a layer of a router. */
interface Holder {
  handle: object
}

const originals = new WeakMap<object, object>()

/** The handler of a layer as the application gave it. */
export const handlerOf = (layer: Holder): object => originals.get(layer.handle) ?? layer.handle

/**
 * Bounds what is allowed and asked in a router, a route, or the handler beside a declaration, to just that: it ends
 * where the request is passed on, in whichever way. Else `use(unprotected('assets'), express.static('public'))` would
 * open every undeclared handler behind it. An error handler may answer for what was allowed when it failed.
 */
export function boundLayer(layer: Holder): void {
  const original = layer.handle
  if (originals.has(original) || typeof original !== 'function') return
  const bounded =
    original.length > 3 ? boundErrorHandler(original as ErrorHandler) : boundHandler(original as Handler) // told apart as Express does
  // A router is a function with members: it stays one to whoever looks at the layer.
  Object.setPrototypeOf(bounded, original)
  originals.set(bounded, original)
  layer.handle = bounded
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
