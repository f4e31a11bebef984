import { ConfigurationError, type GuardOptions } from '@countersign/core'
import {
  Refusal,
  contextOf,
  declaredAtOf,
  markDeclaration,
  placementOf,
  registerMounter,
  requireGuard,
  type Guard,
} from '@countersign/core/adapter'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { matchedList, paramsOf, type Application } from './framework.ts'
import { nameOf } from './gate.ts'
import { markGuarded } from './guarded-handler.ts'
import { admit } from './inbound.ts'
import { twoGuards } from './mistakes.ts'
import { honoMounter } from './mount.ts'
import { partsOf, spellingOf, type Part } from './parts.ts'
import { proceed } from './proceed.ts'
import { besideGuarded } from './seal.ts'

/** Makes a handler that asks its guard itself: `guarded(requireScopes('orders:read'), (c) => …)`. Its type stays what it was. */
export type GuardedHandlers = <Answers extends (c: never, next: Next) => unknown>(
  declaration: MiddlewareHandler,
  handler: Answers,
) => Answers

/**
 * For an application of nothing but handlers, which Hono calls without a detour as long as no middleware stands there:
 * `const guarded = guardHandlers(app, guard)`, in the place of `app.use(countersign(guard))`. Each handler decides when it is called, before
 * the one that it was made of. Whatever else were registered would be open, so that then every one of them is refused
 * (`declaration_misplaced`), and `sealRoutes(app)` rejects. Takes the application that is served, and the guard's options, or a guard that
 * is shared. Throws a ConfigurationError that names a wrong option, and for anything in place of a declaration that is none.
 */
export function guardHandlers(app: Application, optionsOrGuard: GuardOptions | Guard): GuardedHandlers {
  const guard = requireGuard(optionsOrGuard)
  registerMounter(honoMounter)
  const isAlone = aloneIn(app)
  return (declaration, handler) => {
    const placement = placementOf(declaration)
    if (placement === undefined || typeof handler !== 'function' || placementOf(handler) !== undefined) {
      throw new ConfigurationError('guardHandlers', "write guarded(requireScopes('…'), handler)")
    }
    // It names one parameter, as what answers does.
    const guarded = (c: Context, ...[next]: readonly Next[]): ReturnType<typeof proceed> => {
      const context = contextOf(c) ?? admit(c, guard)
      if (!guard.hasOpened(context)) throw twoGuards()
      const part = partOf(c)
      const name = nameOf(part, c)
      const decision = isAlone()
        ? context.decide(placement, name, false, paramsOf(c), spellingOf(part))
        : context.refuse(misplaced, name)
      return proceed(c, decision, () => handler(c as never, next as Next)) // Hono calls it with what it takes
    }
    markDeclaration(guarded, { placement, declaredAt: declaredAtOf(declaration) })
    markGuarded(guarded, guard)
    return guarded as unknown as typeof handler // it is called by Hono, and answers as the handler does
  }
}

/** Whether all that an application has was made here; looked at again only where something was added. */
function aloneIn(app: Application): () => boolean {
  let size = -1
  let isAlone = false
  return () => {
    const { routes } = app
    if (routes.length !== size) isAlone = besideGuarded(partsOf(routes)) === undefined
    size = routes.length
    return isAlone
  }
}

/** How the handler that runs now was registered. */
function partOf(c: Context): Part {
  const entry = matchedList(c)[c.req.routeIndex]
  const route = entry?.[0][1]
  let part = route && parts.get(route)
  if (route !== undefined && part === undefined) {
    ;[part] = partsOf([route])
    if (part !== undefined) parts.set(route, part)
  }
  if (part === undefined) throw new Error('this release of Hono keeps what it has matched in another way')
  return part
}

const parts = new WeakMap<object, Part>()

const misplaced = new Refusal('declaration_misplaced', {
  expected: 'an application with nothing but handlers that ask the guard themselves',
  actual: 'something beside them, which is open',
  advice:
    "make every handler with guardHandlers(app, guard), or put app.use(countersign(guard)) first and requireScopes('…') on each route; await sealRoutes(app) says what is open",
})
