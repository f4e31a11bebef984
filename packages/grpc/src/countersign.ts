import type { GuardOptions } from '@countersign/core'
import { declaredAt, requireGuard, type Guard } from '@countersign/core/adapter'
import type { ServerInterceptor } from '@grpc/grpc-js'
import { GuardedCall } from './guarded-call.ts'
import type { MethodPlacements } from './methods.ts'
import { Protection } from './protection.ts'

/**
 * Puts a server behind a guard: `new Server({ interceptors: [countersign(guard, protect(OrdersService, { … }))] })`, before other
 * interceptors. It covers every method of the server, those of health and reflection services included: what nobody declares is
 * refused. Methods are named by `protect`, or by their paths: `{ '/orders.Orders/Get': requireScopes('orders:read') }`. Throws a
 * ConfigurationError that names a wrong option, a path that is none, and one that is named twice.
 */
export function countersign(
  optionsOrGuard: GuardOptions | Guard,
  ...methods: readonly MethodPlacements[]
): ServerInterceptor {
  const protection = new Protection(requireGuard(optionsOrGuard), methods, declaredAt(countersign))
  const interceptor: ServerInterceptor = function countersignInterceptor(method, call) {
    return new GuardedCall(protection, method, call)
  }
  protections.set(interceptor, protection)
  return interceptor
}

const protections = new WeakMap<ServerInterceptor, Protection>()

/** What an interceptor was told; undefined for any that is not ours. */
export const protectionOf = (interceptor: ServerInterceptor): Protection | undefined =>
  protections.get(interceptor)
