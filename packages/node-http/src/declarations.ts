import {
  ConfigurationError,
  callerOptional as optional,
  scopes,
  unprotected as open,
  type Placement,
  type ScopeName,
} from '@countersign/core'
import {
  Refusal,
  Requirement,
  answer,
  contextOf,
  declaredAt,
  markDeclaration,
  requirePlacement,
} from '@countersign/core/adapter'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { runBounded } from './bounded.ts'
import { asServerResponse, type Middleware, type NodeRequest, type NodeResponse } from './messages.ts'

/** What can be said with a handler that it is said for, or alone. */
interface Declaring<Said> {
  (said: Said): Middleware
  <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
    said: Said,
    handler: Middleware<Request, Response>,
  ): Middleware<Request, Response>
}

/**
 * Says who may call. As second argument of `route(…)`: that route. As a middleware of connect: all that the request goes on to, or
 * where a `handler` is given, that handler alone. Throws a ConfigurationError for anything that is not a requirement.
 */
export const requires: Declaring<Placement> = (placement: Placement, handler?: Middleware) =>
  declaring(placement, declaredAt(requires), handler)

/** The caller must have all of these scopes. With a handler: `requires(scopes(…), handler)`. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): Middleware =>
  declaring(scopes(...names), declaredAt(requireScopes))

/**
 * Everybody may call: no credential is read and there is no caller. The reason is kept in the census. As a middleware of connect, it
 * takes the handler that it speaks for: `app.use('/static', unprotected('public assets', serveStatic))`.
 */
export const unprotected: Declaring<string> = (reason: string, handler?: Middleware) =>
  declaring(open(reason), declaredAt(unprotected), handler)

/** Who presents nothing may call too (`callerOf(request)` is then undefined); who presents something is verified. `handler`: as above. */
export const callerOptional: Declaring<string> = (reason: string, handler?: Middleware) =>
  declaring(optional(reason), declaredAt(callerOptional), handler)

function declaring(placement: Placement, place: string | null, handler?: Middleware): Middleware {
  const valid = requirePlacement(placement, 'requires(…)')
  // Where connect has mounted it, only the caller's own text would tell.
  const name = `use (${place ?? valid.text})`
  if (handler !== undefined) return before(handler, valid, name)
  const declaration: Middleware = function countersignRequires(request, response, next) {
    const context = contextOf(request)
    if (context === undefined) next(noGuard(valid.text))
    else {
      const decision =
        valid instanceof Requirement ? context.enter(valid, name) : context.refuse(nothingBeside, name)
      answer(decision, asServerResponse(response), next)
    }
  }
  markDeclaration(declaration, { placement: valid, declaredAt: place })
  return declaration
}

/** What is asked and allowed for a handler ends where it passes the request on. */
function before(handler: Middleware, placement: Placement, name: string): Middleware {
  const handlers = new Set([handler])
  return function countersignRequires(request, response, next) {
    const context = contextOf(request)
    if (context === undefined) {
      next(noGuard(placement.text))
      return
    }
    const end = context.begin(handlers)
    answer(context.enter(placement, name, handlers), asServerResponse(response), (error) => {
      if (error !== undefined) next(error)
      else {
        context.begin(handler)
        runBounded(end, next, (passOn) => handler(request, response, passOn))
      }
    })
  }
}

// Never `next()`: what asks for a caller must not run unguarded because a line was forgotten.
const noGuard = (what: string): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    `no guard saw this request: put app.use(countersign({ … })) before ${what}`,
  )

const nothingBeside = new Refusal('declaration_misplaced', {
  expected: 'the handler that it speaks for',
  actual: 'a declaration alone',
  advice: "write app.use(path, unprotected('why', handler))",
})
