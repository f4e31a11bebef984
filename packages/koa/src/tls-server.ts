import type { Environment, TlsServerOptions } from '@countersign/core'
import { createTlsServer as createServer } from '@countersign/core/adapter'
import type { Server } from 'node:https'
import type { Application } from './framework.ts'
import { seal } from './seal.ts'

/**
 * Makes an HTTPS server for an application, with its own certificate and key, that asks for the client certificates
 * its guard trusts: `createTlsServer(app, { cert: './tls.crt', key: './tls.key', guard }).listen(8443)`. The files are followed, and
 * what is put in their place serves the next handshake, until the server is closed. Its routes are sealed, as by `sealRoutes`. Throws a
 * ConfigurationError where certificate and key do not fit, where the application does not use the guard, or where its routes cannot be
 * sealed.
 */
export function createTlsServer(
  app: Application,
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): Server {
  const listener = app.callback()
  const server = createServer((request, response) => void listener(request, response), options, environment)
  seal(app, options.guard)
  return server
}
