import type { RequestListener } from 'node:http'
import type { Server } from 'node:https'
import type { Environment } from '../options/parse-options.ts'
import type { TlsServerOptions } from '../options/parse-tls-options.ts'
import { makeTlsOptions } from './tls-options.ts'

/**
 * Makes an HTTPS server that asks for the client certificates its guard trusts. Who presents none, or a bad one, still
 * gets as far as the guard: there a token may do, and a refusal has a code, an event and a status that says why.
 * Files of certificate and key are followed until the server is closed.
 * Throws a ConfigurationError where certificate and key cannot be read or do not belong together.
 */
export function createTlsServer(
  listener: RequestListener,
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): Server {
  const served = makeTlsOptions(options, 'createTlsServer', environment)
  // Taken when needed: importing it by name makes Node load its whole WebSocket client as well.
  return served.applyTo(process.getBuiltinModule('node:https').createServer(served, listener))
}
