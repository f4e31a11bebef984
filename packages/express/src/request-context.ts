import type { Request } from 'express'
import type { Route } from './framework.ts'
import type { MountPoint } from './mount-point.ts'
import type { Declared } from './route-declarations.ts'

/** A request, as far as this adapter is concerned: anything that can be told what was found out about it. */
interface Carrier {
  [resolved]?: Route
  [mounted]?: MountPoint | undefined
  [gated]?: { readonly declared: Declared; readonly params: unknown }
}

const resolved = Symbol('countersign route')
const mounted = Symbol('countersign mount point')
const gated = Symbol('countersign gate')

/** The route that Express chose last. */
export const routeOf = (request: object): Route | undefined => (request as Carrier)[resolved]

export function rememberRoute(request: object, route: Route): void {
  ;(request as Carrier)[resolved] = route
}

/** The router that the request is in, and the way by which it came there; undefined as long as nobody has noted it. */
export const mountPointOf = (request: object): MountPoint | undefined => (request as Carrier)[mounted]

export function rememberMountPoint(request: object, point: MountPoint | undefined): void {
  ;(request as Carrier)[mounted] = point
}

/** Notes that the gate of a route has been reached, and what the route declares. */
export function rememberGate(request: Request, declared: Declared): void {
  ;(request as Carrier)[gated] = { declared, params: request.params }
}

/**
 * What is declared by the route whose gate was reached and that is still running. Express gives `params` anew with each layer that it enters,
 * so a request that has gone on, past whatever callback or error, does not pass for one that is still in the route.
 */
export function gateOf(request: Request): Declared | undefined {
  const gate = (request as Carrier)[gated]
  return gate !== undefined && gate.params === request.params ? gate.declared : undefined
}
