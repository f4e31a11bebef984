// `npm start`: readers of a feed, with and without what it asks, and one whose token ends while it reads.
import { createGuard, formatCensus } from '@countersign/ws'
import { createTestClock, createTestIssuer } from '@countersign/testing'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { createFeed } from './feed.ts'

// In a service, without a clock: issuers: ['https://idp.internal']
const time = createTestClock()
const issuer = await createTestIssuer({ clock: time })
const guard = createGuard({ audience: 'prices', issuers: [issuer], log: false }, { clock: time })
const { server, publish } = createFeed(guard)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (typeof address !== 'object' || address === null) throw new Error('expected a port')
const { port } = address

async function read(path: string, ...scopes: string[]): Promise<WebSocket | undefined> {
  const headers =
    scopes.length === 0 ? {} : await issuer.headersFor('checkout', { audience: 'prices', scopes })
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  socket.on('error', () => undefined)
  socket.on('message', (data) => console.log(`${path} says ${Buffer.isBuffer(data) ? data.toString() : ''}`))
  socket.on('close', (code, reason) => console.log(`${path} closed: ${code} ${reason.toString()}`))
  return new Promise((resolve) => {
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_request, answer) => {
      console.log(`${path} refused: ${answer.statusCode ?? ''} ${answer.headers['www-authenticate'] ?? ''}`)
      resolve(undefined)
    })
  })
}

await read('/prices')
await read('/prices', 'orders:read')
const socket = await read('/prices', 'prices:read')
if (socket === undefined) throw new Error('expected to be let in')
publish(42)
await once(socket, 'message')
// Five minutes later, its token has ended.
const closed = once(socket, 'close')
while (socket.readyState === WebSocket.OPEN) {
  time.advance({ seconds: 5 })
  await new Promise(setImmediate)
}
await closed

console.log(`\n${formatCensus(guard.census())}`)
guard.close()
server.close()
