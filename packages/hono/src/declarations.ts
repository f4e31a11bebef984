import {
  callerOptional as optional,
  scopes,
  unprotected as open,
  type Caller,
  type Placement,
  type ScopeName,
} from '@countersign/core'
import {
  Requirement,
  contextOf,
  declaredAt,
  markDeclaration,
  requirePlacement,
} from '@countersign/core/adapter'
import type { MiddlewareHandler } from 'hono'
import { isDecidedByGate, nothingBeside } from './gate.ts'
import { noGuard } from './mistakes.ts'
import { proceed } from './proceed.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /**
     * Who calls, verified. Not there where the route has no caller: `callerOf(c)` says so in its type, and `requireCaller(c)` throws
     * `caller_unavailable`.
     */
    caller: Caller
  }
}

/**
 * Says who may call what follows: first on a route, in a `use` (a floor: what follows only adds to it), or in the
 * same `use` as a handler. Throws a ConfigurationError for anything that is not a requirement.
 */
export function requires(placement: Placement): MiddlewareHandler {
  return declaring(placement, declaredAt(requires))
}

/** Makes a declaration of who may call, and says where it stands. */
export function declaring(placement: Placement, place: string | null): MiddlewareHandler {
  const valid = requirePlacement(placement, 'requires(…)')
  const declaration: MiddlewareHandler = async function countersignRequires(c, next) {
    const context = contextOf(c)
    if (context === undefined) throw noGuard(valid.text)
    if (isDecidedByGate(c, declaration)) return next()
    // A function has called it, such as `every` or `some`: nobody knows for what it speaks.
    const decision =
      valid instanceof Requirement
        ? context.enterStray(valid, 'use /…')
        : context.refuse(nothingBeside, 'use /…')
    return proceed(c, decision, next)
  }
  markDeclaration(declaration, { placement: valid, declaredAt: place })
  return declaration
}

/** The caller must have all of these scopes. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): MiddlewareHandler =>
  declaring(scopes(...names), declaredAt(requireScopes))

/** Everybody may call: no credential is read and there is no caller. The reason is kept in the census. */
export const unprotected = (reason: string): MiddlewareHandler =>
  declaring(open(reason), declaredAt(unprotected))

/** Who presents nothing may call too (`callerOf(c)` is then undefined); who presents something is verified. */
export const callerOptional = (reason: string): MiddlewareHandler =>
  declaring(optional(reason), declaredAt(callerOptional))
