import type { IncomingMessage, Server } from 'node:http'
import { tlsOptions, type Guard } from '@countersign/core'
import { requireCaller } from '@countersign/core/adapter'
import { CountersignModule, callerOf, guardGateways } from '@countersign/nest'
import { Module, type NestApplicationOptions, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { WsAdapter } from '@nestjs/platform-ws'
import { WebSocketGateway } from '@nestjs/websockets'
import type { WebSocket } from 'ws'
import { identity } from '../served.ts'
import type { Service, ServiceRoute, Subject } from '../subject.ts'
import { Listening } from '../wires/listening.ts'
import { UpgradeServed } from '../wires/upgrade.ts'
import { decoratorOf, major } from './nest.ts'
import { serve } from './web-socket-handlers.ts'

export const nestGatewaySubject: Subject = {
  name: `Nest ${major} gateways`,
  adapter: '@countersign/nest',
  wire: 'upgrade',
  lacks: {
    'HTTP/2': 'WebSockets are opened over HTTP/1.1',
    'routers with a floor': 'gateways have no routers',
    'answers outside routes are replaced': 'beside gateways, nothing takes upgrades',
    'declarations behind a handler are refused': 'decorators stand at their class, in no order',
    'synchronous on a hit': 'Nest itself waits between its steps',
    'HEAD and OPTIONS': 'WebSockets are opened by GET alone',
    'paths with parameters': 'paths of gateways have none',
    'answers with a status and fields': 'the answer to an upgrade is that of ws',
    'many requests on one connection': 'an upgraded connection is one WebSocket',
    pipelining: 'an upgraded connection is one WebSocket',
  },
  spell: (_method, path) => ({ method: 'WS', path }),
  target: (method, path) => ({ method, path }),
  start: async (guard, service, { transport = 'http' } = {}) => {
    const secured =
      transport === 'http'
        ? {}
        : { httpsOptions: tlsOptions({ cert: identity.cert, key: identity.key, guard }) }
    const options = { logger: false, abortOnError: false, ...secured } as NestApplicationOptions // of node:https, by other types
    const app = await NestFactory.create(rootOf(guard, service), new ExpressAdapter(), options)
    app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app)))
    await app.listen(0, '127.0.0.1')
    const listening = new Listening(app.getHttpServer() as Server)
    return new UpgradeServed(listening, transport, () => app.close())
  },
}

function rootOf(guard: Guard, { routes }: Service): Type<unknown> {
  class Root {}
  const providers = routes.filter(({ method }) => method === 'GET').map(gatewayOf)
  Module({ imports: [CountersignModule.forRoot(guard)], providers })(Root)
  return Root
}

/** A gateway as its decorators would make it of a class: they are functions. */
function gatewayOf(route: ServiceRoute): Type<unknown> {
  class Gateway {}
  const { prototype } = Gateway
  const value = (webSocket: WebSocket, request: IncomingMessage): void =>
    serve(webSocket, request, route, { callerOf, requireCaller })
  const descriptor = { value, configurable: true, writable: true }
  Object.defineProperty(prototype, 'handleConnection', descriptor)
  if (route.placement !== undefined) {
    decoratorOf(route.placement)(prototype, 'handleConnection', descriptor)
  }
  WebSocketGateway({ path: route.path })(Gateway)
  return Gateway
}
