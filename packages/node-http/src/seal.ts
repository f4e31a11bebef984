import { ConfigurationError, type Environment, type TlsServerOptions } from '@countersign/core'
import { createTlsServer as createServer } from '@countersign/core/adapter'
import type { RequestListener } from 'node:http'
import type { Server } from 'node:https'
import type { GuardedService } from './countersign.ts'
import { RouteList } from './route-list.ts'

/**
 * Checks the routes of a service before it listens: `await sealRoutes(service)`, when all of them are made. Under
 * `undeclared: 'fail-start'` it rejects with a ConfigurationError that names every route of which nobody says who may call it; otherwise
 * those are told to the log. Routes that are made later are guarded as ever.
 */
export async function sealRoutes(service: GuardedService): Promise<void> {
  RouteList.of(service).seal()
}

/**
 * Makes an HTTPS server with its own certificate and key, that asks for the client certificates its guard trusts:
 * `createTlsServer(service.listener(app), { cert: './tls.crt', key: './tls.key', guard }).listen(8443)`. The files are followed, and
 * what is put in their place serves the next handshake, until the server is closed. The routes are sealed, as by `sealRoutes`. Throws a
 * ConfigurationError where certificate and key do not fit, where the listener is none of the guard's, or where its routes cannot be sealed.
 */
export function createTlsServer(
  listener: RequestListener,
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): Server {
  const routes = RouteList.of(listener)
  if (routes.guard !== options.guard) {
    throw new ConfigurationError('guard', 'write the guard that the listener is of')
  }
  routes.seal()
  return createServer(listener, options, environment)
}
