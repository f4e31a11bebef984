import type { NextFunction, Request, Response } from 'express'
import type { RouterLayer } from './framework.ts'
import { contextOf } from './request-context.ts'

type Handler = (request: Request, response: Response, next: NextFunction) => unknown

const originals = new WeakMap<object, object>()

/** The handler of a layer as the application gave it. */
export const handlerOf = (layer: RouterLayer): object => originals.get(layer.handle) ?? layer.handle

/**
 * Ends what a declaration without a requirement allows where the handler beside it passes the request on. Else
 * `use(unprotected('assets'), express.static('public'))` would open every undeclared handler behind it.
 */
export function cover(layer: RouterLayer): void {
  const original = layer.handle
  if (originals.has(original) || !isHandler(original)) return
  const covered: Handler = function covered(request, response, next) {
    return original(request, response, (error?: unknown) => {
      contextOf(request)?.leave()
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
