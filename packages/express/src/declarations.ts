import {
  ConfigurationError,
  callerOptional as optional,
  scopes,
  unprotected as open,
  type Decision,
  type Placement,
  type ScopeName,
} from '@countersign/core'
import {
  Refusal,
  type RequestContext,
  Requirement,
  answer,
  contextOf,
  declaredAt,
  markDeclaration,
  requirePlacement,
} from '@countersign/core/adapter'
import type { Request, RequestHandler } from 'express'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { routerOf } from './framework.ts'
import { declarationPath } from './paths.ts'
import { isDecidedByRoute } from './protected-route.ts'
import { mountPointOf } from './request-context.ts'
import { handlerOf } from './layer-handlers.ts'
import { walk } from './router-tree.ts'
import { boundLayer, boundRouters } from './scopes.ts'

/** A handler of Express that says nothing of parameters, so that those beside it have what the path says: `req.params.id`. */
export type Declaration = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Says who may call what follows: first on a route, in a router's `use` (its floor: routes only add to it), or in the
 * same `use` as a handler. Throws a ConfigurationError for anything that is not a requirement.
 */
export function requires(placement: Placement): Declaration {
  return declaring(placement, declaredAt(requires))
}

/** Makes a declaration of who may call, and says where it stands. */
export function declaring(placement: Placement, place: string | null): Declaration {
  const valid = requirePlacement(placement, 'requires(…)')
  const declaration: RequestHandler = function countersignRequires(request, response, next) {
    const context = contextOf(request)
    if (context === undefined) next(noGuard(valid.text))
    else if (isDecidedByRoute(request, declaration)) next()
    else answer(enter(context, request, declaration, valid), response, next)
  }
  markDeclaration(declaration, { placement: valid, declaredAt: place })
  return declaration as Declaration // it is called by Express, with a request of Express
}

/** Lets nobody past who did not come through a guard. It declares nothing. */
export const requireGuard: RequestHandler = function countersignRequireGuard(request, _response, next) {
  if (contextOf(request) === undefined) next(noGuard('mount(app, …)'))
  else next()
}

// Never `next()`: what asks for a caller must not run unguarded because a line was forgotten.
const noGuard = (what: string): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    `no guard saw this request: put app.use(countersign({ … })) before ${what}`,
  )

/** The caller must have all of these scopes. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): Declaration =>
  declaring(scopes(...names), declaredAt(requireScopes))

/** Everybody may call: no credential is read and there is no caller. The reason is kept in the census. */
export const unprotected = (reason: string): Declaration => declaring(open(reason), declaredAt(unprotected))

/** Who presents nothing may call too (`callerOf(req)` is then undefined); who presents something is verified. */
export const callerOptional = (reason: string): Declaration =>
  declaring(optional(reason), declaredAt(callerOptional))

// In a `use`, or wherever a function has called it.
function enter(
  context: RequestContext,
  request: Request,
  declaration: object,
  placement: Placement,
): Decision | Promise<Decision> {
  const path = `use ${declarationPath(declaration)}`
  if (!(placement instanceof Requirement)) {
    const beside = handlersBeside(declaration, routerOf(request.app))
    return beside.size === 0 ? context.refuse(nothingBeside, path) : context.enter(placement, path, beside)
  }
  const point = mountPointOf(request)
  if (point?.holds(declaration) === true) return context.enter(placement, path)
  // Nobody will see the request leave. Should that be a router that was mounted only now, the next one is followed there.
  boundRouters(point?.root)
  return context.enterStray(placement, path)
}

// Looked for each time: routes and handlers may be added while the service runs.
function handlersBeside(declaration: object, router: object | undefined): ReadonlySet<object> {
  const handlers = new Set<object>()
  walk(router, {
    declaration(found, _path, beside) {
      if (found !== declaration || beside === undefined) return
      boundLayer(beside.layer, beside.owner)
      handlers.add(handlerOf(beside.layer))
    },
  })
  return handlers
}

const nothingBeside = new Refusal('declaration_misplaced', {
  expected: 'a handler in the same `use`',
  actual: 'a declaration alone',
  advice:
    "write app.use(path, unprotected('why'), handler); a route says it itself: app.get(path, unprotected('why'), handler)",
})
