import { callerOf, protectUpgrades, scopes, unprotected, type Guard } from '@countersign/ws'
import { createServer, type Server } from 'node:http'
import { WebSocketServer } from 'ws'

/** A feed of prices for those who may read them, and a clock for everybody. */
export function createFeed(guard: Guard): {
  readonly server: Server
  readonly publish: (price: number) => void
} {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const prices = new WebSocketServer({ noServer: true })
  const clock = new WebSocketServer({ noServer: true })
  prices.on('connection', (socket) => socket.send(`hello, ${callerOf(socket)?.id ?? 'nobody'}`))
  clock.on('connection', (socket) => {
    socket.send(new Date().toISOString())
    socket.close()
  })

  protectUpgrades(server, prices, { guard, route: 'GET /prices', requires: scopes('prices:read') })
  protectUpgrades(server, clock, {
    guard,
    route: 'GET /clock',
    requires: unprotected('the time is no secret'),
  })
  return {
    server,
    publish(price) {
      for (const socket of prices.clients) socket.send(String(price))
    },
  }
}
