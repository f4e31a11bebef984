import type { GuardOptions } from '@countersign/core'
import {
  type Guard,
  contextOf,
  registerMounter,
  reportUnsealed,
  requireGuard,
} from '@countersign/core/adapter'
import type { MiddlewareHandler } from 'hono'
import { putGates } from './gate.ts'
import { markGuard } from './guard-middlewares.ts'
import { admit } from './inbound.ts'
import { latch } from './latch.ts'
import { twoGuards } from './mistakes.ts'
import { honoMounter } from './mount.ts'
import { isSealed } from './seal.ts'

/**
 * Puts an application behind a guard: `app.use(countersign({ audience, issuers }))`, before its routes. Nothing is
 * decided here; each route is decided when Hono has come to it, before its first handler. Takes the guard's
 * options, or a guard that is shared. Throws a ConfigurationError that names a wrong option.
 */
export function countersign(optionsOrGuard: GuardOptions | Guard): MiddlewareHandler {
  const guard = requireGuard(optionsOrGuard)
  registerMounter(honoMounter)
  let hasServed = false
  const middleware: MiddlewareHandler = async function countersign(c, next) {
    const known = contextOf(c)
    if (known !== undefined) {
      if (!guard.hasOpened(known)) throw twoGuards()
      return next()
    }
    // Hono does not say which application a request has come to: its routes are not known here.
    if (!hasServed && !isSealed(guard)) reportUnsealed(guard, [], 'await sealRoutes(app)')
    hasServed = true
    putGates(c)
    const context = admit(c, guard)
    await next()
    latch(c, context)
  }
  markGuard(middleware, guard)
  return middleware
}
