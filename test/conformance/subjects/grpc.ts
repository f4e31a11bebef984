import { once } from 'node:events'
import type { Guard } from '@countersign/core'
import { callerOf, countersign, createTlsServer, requireCaller, sealRoutes } from '@countersign/grpc'
import { Server, ServerCredentials, ServerInterceptingCall } from '@grpc/grpc-js'
import { identity } from '../served.ts'
import type { Service, Subject } from '../subject.ts'
import { GrpcServed, definitionOf, spell } from '../wires/grpc.ts'
import { handlerOf } from './grpc-handlers.ts'

/** On whatever release this is. */
export const grpcSubject: Subject = {
  name: 'getAuthContext' in ServerInterceptingCall.prototype ? 'grpc-js 1.14' : 'grpc-js 1.12',
  adapter: '@countersign/grpc',
  wire: 'gRPC',
  lacks: {
    'routers with a floor': 'methods of gRPC have no routers',
    'answers outside routes are replaced': 'beside methods, gRPC has interceptors alone',
    'declarations behind a handler are refused': 'methods of gRPC are declared beside their handlers',
    'HEAD and OPTIONS': 'every call of gRPC is a POST',
    'methods of HTTP': 'every call of gRPC is a POST',
    'paths with parameters': 'methods of gRPC have names, and no parameters',
    'a field twice': 'of HTTP/2, Node shows the first of them alone, to handlers too',
    'answers with a status and fields': 'what a handler of gRPC answers has the status OK',
    pipelining: 'HTTP/2 has streams in its place',
  },
  spell,
  start: async (guard, service, { transport = 'http', clock } = {}) => {
    const server = serverFor(guard, service)
    if (transport === 'http') {
      await sealRoutes(server)
      const bound = Promise.withResolvers<number>()
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? bound.resolve(port) : bound.reject(error),
      )
      return new GrpcServed(await bound.promise, transport, service, () => server.forceShutdown())
    }
    const environment = clock === undefined ? {} : { clock }
    const tls = createTlsServer(server, { cert: identity.cert, key: identity.key, guard }, environment)
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const { port } = tls.address() as { port: number } // it listens on a port
    return new GrpcServed(port, transport, service, () => {
      tls.close()
      server.forceShutdown()
    })
  },
}

function serverFor(guard: Guard, { routes }: Service): Server {
  const said = routes.map(({ method, path, placement }) => [spell(method, path).path, placement])
  const server = new Server({ interceptors: [countersign(guard, Object.fromEntries(said))] })
  server.addService(
    definitionOf(routes, ({ path }) => path),
    Object.fromEntries(
      routes.map((route) => [
        spell(route.method, route.path).path,
        handlerOf(route, { callerOf, requireCaller }),
      ]),
    ),
  )
  return server
}
