import { ConfigurationError, type GuardOptions } from '@countersign/core'
import { type Guard, contextOf, registerMounter, requireGuard } from '@countersign/core/adapter'
import type { Middleware } from 'koa'
import { markGuard } from './application-tree.ts'
import { admit, installOn } from './install.ts'
import { koaMounter } from './mount.ts'
import { reportUnsealed } from './seal.ts'

/**
 * Puts an application behind a guard: `app.use(countersign({ audience, issuers }))`, before its routers. Nothing is decided here; each
 * route is decided when its router has chosen it, before its first handler. Takes the guard's options, or a guard that is shared.
 * Throws a ConfigurationError that names a wrong option.
 */
export function countersign(optionsOrGuard: GuardOptions | Guard): Middleware {
  const guard = requireGuard(optionsOrGuard)
  registerMounter(koaMounter)
  const middleware: Middleware = function countersign(context, next) {
    const known = contextOf(context.req)
    if (known !== undefined && !guard.hasOpened(known)) {
      throw new ConfigurationError(
        'countersign',
        'two guards saw one request: mount one guard, or give both the same',
      )
    }
    if (installOn(context.app, guard)) reportUnsealed(context.app, guard)
    if (known === undefined) admit(context, guard)
    return next()
  }
  markGuard(middleware, guard)
  return middleware
}
