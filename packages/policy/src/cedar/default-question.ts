import type { DeciderQuestion } from '@countersign/core'
import { entity, type CedarEntity } from './cedar-value.ts'

/** `Service::"<id>"`; `User::"<id>"` where no service is known to call for the user. */
export const principalOf = ({ caller }: DeciderQuestion): CedarEntity =>
  caller.service === undefined ? entity('User', caller.id) : entity('Service', caller.service.id)

/**
 * `Action::"<method>"`. HEAD asks for what GET does (RFC 9110 §9.3.2), so it is a GET, and gets round no rule: except on a route
 * that was registered for HEAD.
 */
export const actionOf = ({ request: { method = '' }, registered }: DeciderQuestion): CedarEntity =>
  entity('Action', method === 'HEAD' && !registered.startsWith('HEAD ') ? 'GET' : method)

/** `Route::"<route>"`, as the census and policy documents spell it. */
export const resourceOf = ({ registered }: DeciderQuestion): CedarEntity => entity('Route', registered)

/**
 * What Cedar's `context` is unless the option says otherwise: `scopes`, `zones` and `provenBy` of the caller, `user` where it
 * calls for one, and `params`, which is the caller's text. Scopes that a grant gives by a wildcard stand there as `orders:*`.
 */
export const cedarContext = ({ caller, params }: DeciderQuestion): Readonly<Record<string, unknown>> => ({
  scopes: [...caller.scopes],
  zones: caller.zones,
  provenBy: caller.provenBy,
  user: caller.user && entity('User', caller.user.id),
  params,
})
