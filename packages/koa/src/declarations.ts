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
  contextOf,
  declaredAt,
  markDeclaration,
  requirePlacement,
} from '@countersign/core/adapter'
import type { DefaultContext, DefaultState, Middleware } from 'koa'
import { answer, runBounded } from './answering.ts'
import type { Application, Handler } from './framework.ts'

const handlersBeside = new WeakMap<object, readonly Handler[]>()

/** The handlers that a declaration has taken and speaks for. */
export const besideOf = (declaration: object): readonly Handler[] => handlersBeside.get(declaration) ?? []

/**
 * Says who may call what follows: first on a route, or in a `use` (a floor: what is behind it only adds to it). With handlers, it
 * speaks for these alone. Throws a ConfigurationError for anything that is not a requirement.
 */
export function requires<ContextT = DefaultContext>(
  placement: Placement,
  ...handlers: Middleware<DefaultState, ContextT>[]
): Middleware<DefaultState, ContextT> {
  return declaring(placement, declaredAt(requires), handlers)
}

/** The caller must have all of these scopes. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): Middleware =>
  declaring(scopes(...names), declaredAt(requireScopes))

/**
 * Everybody may call: no credential is read and there is no caller. The reason is kept in the census. Outside a route it takes the
 * handlers that it speaks for: `app.use(unprotected('public assets', serve('public')))`.
 */
export function unprotected<ContextT = DefaultContext>(
  reason: string,
  ...handlers: Middleware<DefaultState, ContextT>[]
): Middleware<DefaultState, ContextT> {
  return declaring(open(reason), declaredAt(unprotected), handlers)
}

/**
 * Who presents nothing may call too (`callerOf(ctx)` is then undefined); who presents something is verified. Outside a route it takes
 * the handlers that it speaks for.
 */
export function callerOptional<ContextT = DefaultContext>(
  reason: string,
  ...handlers: Middleware<DefaultState, ContextT>[]
): Middleware<DefaultState, ContextT> {
  return declaring(optional(reason), declaredAt(callerOptional), handlers)
}

/** Makes a declaration of who may call, and says where it stands. On a route, its gate has decided and it is not run. */
export function declaring<ContextT = DefaultContext>(
  placement: Placement,
  place: string | null,
  handlers: readonly Middleware<DefaultState, ContextT>[] = [],
): Middleware<DefaultState, ContextT> {
  const valid = requirePlacement(placement, 'requires(…)')
  const beside = handlers as unknown as readonly Handler[] // what their contexts have beyond Koa's is between them and their router
  const declaration: Handler = function countersignRequires(context, next) {
    const access = contextOf(context.req)
    if (access === undefined) throw noGuard(valid.text)
    const { middleware }: Application = context.app
    const name = middleware.includes(declaration) ? 'use /' : 'use /…'
    if (beside.length === 0) {
      const isFloor = valid instanceof Requirement
      return answer(isFloor ? access.enter(valid, name) : access.refuse(nothingBeside, name), context, next)
    }
    const leave = access.begin(declaration)
    return answer(access.enter(valid, name, new Set([declaration])), context, () => {
      // From here on, what asks nothing holds.
      access.begin(declaration)
      return runBounded(context, access, leave, beside, next)
    })
  }
  markDeclaration(declaration, { placement: valid, declaredAt: place })
  handlersBeside.set(declaration, beside)
  return declaration as unknown as Middleware<DefaultState, ContextT> // it needs no more than any context has
}

/** Lets nobody past who did not come through a guard. It declares nothing. */
export const requireGuard: Handler = function countersignRequireGuard(context, next) {
  if (contextOf(context.req) === undefined) throw noGuard('mount(router, …)')
  return next()
}

// Never `next()`: what asks for a caller must not run unguarded because a line was forgotten.
const noGuard = (what: string): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    `no guard saw this request: put app.use(countersign({ … })) before ${what}`,
  )

const nothingBeside = new Refusal('declaration_misplaced', {
  expected: 'the handlers that it speaks for',
  actual: 'a declaration alone',
  advice:
    "write app.use(unprotected('why', handler)); a route says it itself: router.get(path, unprotected('why'), handler)",
})
