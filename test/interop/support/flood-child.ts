// The process of an attacker: tokens with keys that nobody has, each another, as fast as it was told.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { answerCommands } from '../../../examples/mesh-demo/src/processes/commands.ts'

export interface Flood {
  /** The path and the port on loopback that it goes to. */
  readonly path: string
  readonly port: number
  readonly issuer: string
  readonly audience: string
  readonly perSecond: number
  readonly seconds: number
}

export interface FloodResult {
  readonly sent: number
  /** How long sending took. */
  readonly seconds: number
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>
}

export interface FloodCommands {
  flood(flood: Flood): Promise<FloodResult>
}

answerCommands<FloodCommands>({
  async flood(flood) {
    const total = flood.perSecond * flood.seconds
    const requests = Array.from({ length: total }, () => bogusRequest(flood))
    const statuses: Record<string, number> = {}
    // Requests follow each other on a connection without waiting for answers (RFC 9112 §9.3.2): a thousand of them wait.
    const connections = await Promise.all(Array.from({ length: 20 }, () => open(flood.port, statuses)))
    const startedAt = performance.now()
    let sent = 0
    while (sent < total) {
      const due = Math.min(total, ((performance.now() - startedAt) * flood.perSecond) / 1000)
      for (; sent < due; sent += 1) connections[sent % connections.length]?.write(requests[sent] ?? '')
      await wait(5)
    }
    const seconds = (performance.now() - startedAt) / 1000
    const answered = (): number => Object.values(statuses).reduce((sum, count) => sum + count, 0)
    for (let i = 0; i < 1000 && answered() < total; i += 1) await wait(20)
    for (const connection of connections) connection.destroy()
    return { sent, seconds, statuses }
  },
})

async function open(port: number, statuses: Record<string, number>): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  await once(socket, 'connect')
  let rest = ''
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, status] = /(?:^|\})HTTP\/1\.1 (\d{3}) /.exec(line) ?? []
      if (status !== undefined) statuses[status] = (statuses[status] ?? 0) + 1
    }
  })
  return socket
}

/** Right in all but its key, so that nothing but the keys of the issuer can tell. */
function bogusRequest({ path, issuer, audience }: Flood): string {
  const now = Math.floor(Date.now() / 1000)
  const header = { typ: 'at+jwt', alg: 'ES256', kid: randomUUID() }
  const claims = { iss: issuer, aud: audience, sub: 'x', client_id: 'x', iat: now, exp: now + 300, jti: 'x' }
  const encoded = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const token = `${encoded.join('.')}.${randomBytes(64).toString('base64url')}`
  return `GET ${path} HTTP/1.1\r\nHost: orders.internal\r\nAuthorization: Bearer ${token}\r\n\r\n`
}
