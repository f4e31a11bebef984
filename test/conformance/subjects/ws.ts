import type { IncomingMessage } from 'node:http'
import type { Guard } from '@countersign/core'
import { requireCaller } from '@countersign/core/adapter'
import { callerOf, protectUpgrades, type UpgradeServer } from '@countersign/ws'
import type { WebSocket, WebSocketServer } from 'ws'
import { wsVersions } from '../../ws/served-sockets.ts'
import type { Service, Subject } from '../subject.ts'
import { paramsIn } from './params-in.ts'
import { serve } from './web-socket-handlers.ts'
import { Listening, serverFor } from '../wires/listening.ts'
import { UpgradeServed } from '../wires/upgrade.ts'

const subjectOf = (name: string, Sockets: typeof WebSocketServer): Subject => ({
  name,
  adapter: '@countersign/ws',
  wire: 'upgrade',
  lacks: {
    'HTTP/2': 'WebSockets are opened over HTTP/1.1',
    'routers with a floor': 'upgrades have no routers',
    'undeclared routes are named at once': '`protectUpgrades` throws at the first one',
    'answers outside routes are replaced':
      'no other listener for upgrades is let beside that of `@countersign/ws`',
    'declarations behind a handler are refused': 'a route of upgrades has one handler',
    'HEAD and OPTIONS': 'WebSockets are opened by GET alone',
    'answers with a status and fields': 'the answer to an upgrade is that of ws',
    'many requests on one connection': 'an upgraded connection is one WebSocket',
    pipelining: 'an upgraded connection is one WebSocket',
  },
  spell: (method, path) => ({ method, path }),
  start: async (guard, service, { transport = 'http', clock } = {}) => {
    const server = serverFor(guard, transport)
    // What is no upgrade is not its concern.
    server.on('request', (_request, response) => response.writeHead(404).end())
    protect(server, Sockets, guard, service, clock === undefined ? {} : { clock })
    return new UpgradeServed(await Listening.start(server), transport, async () => undefined)
  },
})

export const wsSubjects: readonly Subject[] = wsVersions.map(([name, Sockets]) => subjectOf(name, Sockets))

function protect(
  server: UpgradeServer,
  Sockets: typeof WebSocketServer,
  guard: Guard,
  { routes }: Service,
  environment: Parameters<typeof protectUpgrades>[3],
): void {
  for (const route of routes) {
    if (route.method !== 'GET') continue
    const { path, placement } = route
    const match = ({ url = '' }: IncomingMessage) => paramsIn(path, url.split('?', 1)[0] ?? '')
    const sockets = new Sockets({ noServer: true })
    sockets.on('connection', (webSocket: WebSocket, request) =>
      serve(webSocket, request, route, { callerOf, requireCaller }),
    )
    protectUpgrades(
      server,
      sockets,
      { guard, route: `GET ${path}`, match, ...(placement === undefined ? {} : { requires: placement }) },
      environment,
    )
  }
}
