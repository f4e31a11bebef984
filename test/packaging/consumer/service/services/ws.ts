import type { TestIssuer } from '@countersign/testing'
import { callerOf, createGuard, protectUpgrades, scopes } from '@countersign/ws'
import { once } from 'node:events'
import { createServer } from 'node:http'
import WebSocket, { WebSocketServer } from 'ws'
import { portOf, type Answers } from './answers.js'

export async function answers(issuer: TestIssuer): Promise<Answers> {
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket, request) => {
    const caller: string | undefined = callerOf(socket)?.id
    const again: string | undefined = callerOf(request)?.id
    socket.send(JSON.stringify({ caller, again, order: '7' }))
    socket.close()
  })
  protectUpgrades(server, sockets, { guard, route: 'GET /orders', requires: scopes('orders:read') })

  const url = `ws://localhost:${await portOf(server.listen(0))}/orders`
  const known = new WebSocket(url, {
    headers: { ...(await issuer.headersFor('checkout', { scopes: ['orders:read'] })) },
  })
  const [message] = await once(known, 'message')
  const stranger = new WebSocket(url)
  const [, { statusCode, headers }] = await once(stranger, 'unexpected-response')
  stranger.on('error', () => {}).terminate()
  server.close()
  return {
    known: JSON.parse(String(message)),
    stranger: { status: statusCode, challenge: headers['www-authenticate'] },
  }
}
