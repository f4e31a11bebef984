// An upgrade, on both releases of `ws`.
import { once } from 'node:events'
import { callerOf, protectUpgrades } from '@countersign/ws'
import { dial, hangUp, listen, makeServer, wsVersions } from '../../../ws/served-sockets.ts'
import { withCode, type Door, type Seen } from '../door.ts'
import { grouped } from './http.ts'

export const wsDoors: readonly Door[] = wsVersions.map(([name, WebSocketServer]) => ({
  name,
  adapter: '@countersign/ws',
  target: { method: 'GET', path: '/door' },
  async open(guard, placement) {
    const server = makeServer()
    const sockets = new WebSocketServer({ noServer: true })
    protectUpgrades(server, sockets, { guard, route: 'GET /door', requires: placement })
    sockets.on('connection', (webSocket, { headers, rawHeaders }) => {
      const names = [...Object.keys(headers), ...rawHeaders.filter((_, i) => i % 2 === 0)]
      const seen: Seen = {
        caller: callerOf(webSocket)?.id ?? null,
        names: names.map((each) => each.toLowerCase()),
      }
      webSocket.send(JSON.stringify({ seen }))
    })
    const port = await listen(server)
    return {
      ask: async (fields) =>
        withCode(async () => {
          const answer = await dial(`ws://127.0.0.1:${port}/door`, {
            headers: grouped(fields) as Record<string, never>, // the types know of no lists
          })
          if (!('socket' in answer)) {
            const { status, headers, body } = answer
            return { seen: undefined, told: JSON.stringify([status, headers, body]) }
          }
          const { socket, messages } = answer
          if (messages.length === 0) await once(socket, 'message')
          socket.terminate()
          const [text = ''] = messages
          const { seen } = JSON.parse(text) as { readonly seen: Seen } // as written above
          return { seen, told: text }
        }),
      close: async () => hangUp(server),
    }
  },
}))
