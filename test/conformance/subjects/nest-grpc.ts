import type { Guard } from '@countersign/core'
import { requireCaller } from '@countersign/core/adapter'
import { CountersignModule, callerOf } from '@countersign/nest'
import type { Metadata } from '@grpc/grpc-js'
import { Controller, Module, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { GrpcMethod, GrpcStreamCall, Transport, type GrpcOptions } from '@nestjs/microservices'
import { Readable } from 'node:stream'
import { from } from 'rxjs'
import { freePort } from '../../nest/free-port.ts'
import type { Reply, Service, ServiceRoute, Subject } from '../subject.ts'
import { GrpcServed, definitionOf, spell } from '../wires/grpc.ts'
import { handlerCall, handlerOf, partsOf, textOf } from './grpc-handlers.ts'
import { decoratorOf, major } from './nest.ts'

export const nestGrpcSubject: Subject = {
  name: `Nest ${major} gRPC`,
  adapter: '@countersign/nest',
  wire: 'gRPC',
  lacks: {
    'HTTP/2': 'over TLS, Nest has grpc-js ask for a certificate of everybody, or of nobody',
    'client certificates': 'over TLS, Nest has grpc-js ask for a certificate of everybody, or of nobody',
    'routers with a floor': 'a floor of Nest is a class; an exemption below one does not start',
    'answers outside routes are replaced': 'beside methods, gRPC has interceptors alone',
    'declarations behind a handler are refused': 'decorators stand at their method, in no order',
    'synchronous on a hit': 'Nest itself waits between its steps',
    'HEAD and OPTIONS': 'every call of gRPC is a POST',
    'methods of HTTP': 'every call of gRPC is a POST',
    'paths with parameters': 'methods of gRPC have names, and no parameters',
    'a field twice': 'of HTTP/2, Node shows the first of them alone, to handlers too',
    'answers with a status and fields': 'what a handler of gRPC answers has the status OK',
    pipelining: 'HTTP/2 has streams in its place',
  },
  spell: (method, path) => ({ method: 'GRPC', path: `/Suite/${rpcOf(spell(method, path).path)}` }),
  target: spell,
  start: async (guard, service, { transport = 'http' } = {}) => {
    const port = await freePort()
    const app = await NestFactory.createMicroservice<GrpcOptions>(rootOf(guard, service), {
      transport: Transport.GRPC,
      options: {
        package: 'suite',
        packageDefinition: {
          'suite.Suite': definitionOf(service.routes, ({ path }) => rpcOf(path)),
        },
        url: `127.0.0.1:${port}`,
      },
      logger: false,
      abortOnError: false,
    })
    await app.listen()
    return new GrpcServed(port, transport, service, () => void app.close())
  },
}

const rpcOf = (path: string): string => path.split('/')[2] ?? ''

function rootOf(guard: Guard, { routes }: Service): Type<unknown> {
  class Root {}
  Module({ imports: [CountersignModule.forRoot(guard)], controllers: [controllerOf(routes)] })(Root)
  return Root
}

/** A controller as its decorators would make it of a class: they are functions. */
function controllerOf(routes: readonly ServiceRoute[]): Type<unknown> {
  class Suite {}
  const { prototype } = Suite
  for (const [i, route] of routes.entries()) {
    const name = `method${i}`
    const takesCall = route.converse !== undefined || route.streams === 'in' || route.streams === 'both'
    const value: (...args: never[]) => unknown = takesCall ? handlerOf(route, callers) : methodOf(route)
    const descriptor = { value, configurable: true, writable: true }
    Object.defineProperty(prototype, name, descriptor)
    const rpc = rpcOf(spell(route.method, route.path).path)
    const decorate = takesCall ? GrpcStreamCall('Suite', rpc) : GrpcMethod('Suite', rpc)
    decorate(prototype, name, descriptor)
    if (route.placement !== undefined) decoratorOf(route.placement)(prototype, name, descriptor)
  }
  Controller()(Suite)
  return Suite
}

const callers = { callerOf, requireCaller }

function methodOf({ method, path, streams, handle }: ServiceRoute) {
  return (message: Buffer, _metadata: unknown, call: { readonly metadata: Metadata }): unknown => {
    const answering = handle ?? (() => ({ body: `${method} ${path}` }))
    const reply = answering(handlerCall(call, Readable.from([message]), callers))
    const text = async (): Promise<Buffer> => Buffer.from(await textOf(reply))
    return streams === 'out' ? from(parts(reply)) : text()
  }
}

async function* parts(reply: Reply | Promise<Reply>): AsyncGenerator<Buffer> {
  yield* partsOf(await reply)
}
