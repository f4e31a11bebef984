import { ConfigurationError, type Caller, type GuardOptions } from '@countersign/core'
import { type Guard, contextOf, registerMounter, requireGuard } from '@countersign/core/adapter'
import type { Request, RequestHandler } from 'express'
import { routerOf } from './framework.ts'
import { markGuard } from './guard-middlewares.ts'
import { admit, boundNewRouters, installOn } from './install.ts'
import type { MountPoint } from './mount-point.ts'
import { expressMounter } from './mount.ts'
import { standingPlaceOf } from './router-tree.ts'
import { reportUnsealed } from './seal.ts'

// Here, since what users import leads here: types of a file that is only used inside are not seen by them.
declare global {
  namespace Express {
    interface Request {
      /** Who calls, verified. Throws `caller_unavailable` where the route has no caller. */
      readonly caller: Caller
    }
  }
}

/**
 * Puts an application behind a guard: `app.use(countersign({ audience, issuers }))`, before its routes. Nothing is
 * decided here; each route is decided when Express has chosen it, before its first handler. Takes the guard's
 * options, or a guard that is shared. Throws a ConfigurationError that names a wrong option.
 */
export function countersign(optionsOrGuard: GuardOptions | Guard): RequestHandler {
  const guard = requireGuard(optionsOrGuard)
  registerMounter(expressMounter)
  let entry: { readonly router: object | undefined; readonly point: MountPoint | undefined } | undefined
  // Needed where nobody has followed the request to here: at the root, and for the first ones in a router.
  function standingPlace({ app }: Request): MountPoint | undefined {
    const router = routerOf(app)
    if (entry?.router !== router) entry = { router, point: standingPlaceOf(middleware, router) }
    return entry?.point
  }
  const middleware: RequestHandler = function countersign(request, _response, next) {
    const known = contextOf(request)
    if (known === undefined) {
      if (installOn(request.app, guard)) reportUnsealed(request.app, guard)
      else boundNewRouters(request.app)
      admit(request, guard, standingPlace(request))
      next()
    } else if (guard.hasOpened(known)) next()
    else {
      next(
        new ConfigurationError(
          'countersign',
          'two guards saw one request: mount one guard, or give both the same',
        ),
      )
    }
  }
  markGuard(middleware, guard)
  return middleware
}
