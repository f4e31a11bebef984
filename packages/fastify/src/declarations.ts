import {
  ConfigurationError,
  callerOptional as optional,
  scopes,
  unprotected as open,
  type Placement,
  type ScopeName,
} from '@countersign/core'
import { contextOf, declaredAt, markDeclaration, requirePlacement } from '@countersign/core/adapter'
import type { FastifyPluginCallback } from 'fastify'
import { contextPlugin } from './context-plugin.ts'
import { guardOf, sayAround } from './contexts.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call: `scopes('orders:read')`, or `unprotected('why')` of `@countersign/core`. */
    readonly requires?: Placement
  }
}

/** Options of a route that say who may call it, to be used as they are or spread beside others. */
export interface RouteDeclaration {
  readonly config: { readonly requires: Placement }
  /** Says the same where another `config` takes the place of this one, and lets nobody past who came by no guard. */
  readonly onRequest: (request: object, reply: unknown, done: (error?: Error) => void) => void
}

/**
 * Says who may call a route: `app.get(path, requires(value), handler)`, or `{ ...requires(value), schema }`. Throws a
 * ConfigurationError for anything that is not a requirement.
 */
export const requires = (placement: Placement): RouteDeclaration => declaring(placement, declaredAt(requires))

/** The caller must have all of these scopes. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): RouteDeclaration =>
  declaring(scopes(...names), declaredAt(requireScopes))

/** Everybody may call: no credential is read and there is no caller. The reason is kept in the census. */
export const unprotected = (reason: string): RouteDeclaration =>
  declaring(open(reason), declaredAt(unprotected))

/** Who presents nothing may call too (`callerOf(request)` is then undefined); who presents something is verified. */
export const callerOptional = (reason: string): RouteDeclaration =>
  declaring(optional(reason), declaredAt(callerOptional))

/** Makes a declaration of who may call, and says where it stands. */
export function declaring(value: Placement, place: string | null): RouteDeclaration {
  const placement = requirePlacement(value, 'requires(…)')
  const onRequest = requireGuard(placement.text)
  markDeclaration(onRequest, { placement, declaredAt: place })
  return { config: { requires: placement }, onRequest }
}

/** Lets nobody past of whom no guard has said that they may. */
export const requireGuard =
  (what: string): RouteDeclaration['onRequest'] =>
  (request, _reply, done) =>
    done(contextOf(request)?.decision?.outcome === 'allow' ? undefined : noGuard(what))

/**
 * Says it for every route of a context and of those below it, whenever they are registered: `admin.register(everyRoute(scopes('admin:write')))`.
 * A requirement is a floor, to which routes only add. `unprotected` and `callerOptional` of `@countersign/core`, which ask nothing, speak for
 * the routes that say nothing themselves, such as those of `@fastify/static`.
 */
export function everyRoute(value: Placement | RouteDeclaration): FastifyPluginCallback {
  const place = declaredAt(everyRoute)
  const isDeclaration = typeof value === 'object' && value !== null && 'onRequest' in value
  const placement = requirePlacement(isDeclaration ? value.config.requires : value, 'everyRoute(…)')
  return contextPlugin('countersign-every-route', (context) => {
    sayAround(context, { placement, declaredAt: place })
    context.addHook('onReady', (done) =>
      done(guardOf(context) === undefined ? noGuard(placement.text) : undefined),
    )
  })
}

const noGuard = (what: string): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    `no guard stands before ${what}: write await app.register(countersign({ … })) in its context or in one above; a plugin that registers it for others has to be made by fastify-plugin`,
  )
