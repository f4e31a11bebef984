import { tlsOptions, type Environment, type TlsServerOptions } from '@countersign/core'
import { ServerCredentials, type Server } from '@grpc/grpc-js'
import { createServer, type Server as TlsServer } from 'node:tls'
import { seal } from './seal.ts'

/**
 * Makes a TLS server for a gRPC server that asks for the client certificates its guard trusts:
 * `createTlsServer(server, { cert: './tls.crt', key: './tls.key', guard }).listen(8443)`, in place of `server.bindAsync`. The files are
 * followed, and what is put in their place serves the next handshake, until it is closed. The methods are sealed, as by `sealRoutes`. To
 * stop, close it and shut the gRPC server down. Throws a ConfigurationError where certificate and key do not fit, where the server does
 * not use the guard, or where its methods cannot be sealed.
 */
export function createTlsServer(
  server: Server,
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): TlsServer {
  const served = tlsOptions(options, environment)
  seal(server, options.guard)
  // TLS ends here, so that it follows the guard; what is injected is taken as it is.
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure())
  const listening = createServer({ ...served, ALPNProtocols: ['h2'] }, (socket) => {
    // What fails after its HTTP/2 session has ended would end the process.
    socket.on('error', () => undefined)
    connections.injectConnection(socket)
  })
  return served.applyTo(listening)
}
