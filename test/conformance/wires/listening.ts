import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tlsOptions, type Guard } from '@countersign/core'
import { identity, type Transport } from '../served.ts'

/** A server of Node on a loopback port, and all its connections. */
export class Listening {
  readonly port: number
  readonly #server: Server | Http2SecureServer
  readonly #sockets = new Set<Socket>()

  /** Of one that listens. */
  constructor(server: Server | Http2SecureServer) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port // it listens on a port
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(server: Server | Http2SecureServer): Promise<Listening> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Listening(server)
  }

  async raw(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** A server that takes no request yet. */
export function serverFor(guard: Guard, transport: Transport): Server | Http2SecureServer {
  if (transport === 'http') return createServer()
  const options = tlsOptions({ cert: identity.cert, key: identity.key, guard })
  return transport === 'https'
    ? createHttpsServer(options)
    : createSecureServer({ ...options, allowHTTP1: true })
}
