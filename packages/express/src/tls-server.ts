import type { Environment, TlsServerOptions } from '@countersign/core'
import { createTlsServer as createServer } from '@countersign/core/adapter'
import type { Application } from 'express'
import type { Server } from 'node:https'
import { installOn, requireDeclarationsFirst, requireGuarded } from './install.ts'

/**
 * Makes an HTTPS server for an application, with its own certificate and key, that asks for the client certificates
 * its guard trusts: `createTlsServer(app, { cert: './tls.crt', key: './tls.key', guard }).listen(8443)`. The files are followed, and
 * what is put in their place serves the next handshake, until the server is closed. Throws a ConfigurationError where certificate and key do not fit, where the application does not use the guard, or where a
 * route says too late who may call it.
 */
export function createTlsServer(
  app: Application,
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): Server {
  const server = createServer(app, options, environment)
  requireGuarded(app, options.guard)
  requireDeclarationsFirst(app)
  installOn(app, options.guard)
  return server
}
