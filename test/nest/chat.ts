// Gateways of Nest on a loopback port, and clients of `ws` that connect to them.
import { once } from 'node:events'
import {
  AllowUnprotected,
  Caller,
  RequireScopes,
  Unprotected,
  guardGateways,
  type Guard,
} from '@countersign/nest'
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from '@nestjs/websockets'
import type { INestApplication, Provider } from '@nestjs/common'
import type { IncomingMessage } from 'node:http'
import { WebSocket, type WebSocketServer as Server } from 'ws'
import { rootWith } from './nest-app.ts'

export const ran: string[] = []

@WebSocketGateway({ path: '/chat' })
@RequireScopes('chat:use')
@AllowUnprotected()
export class Chat implements OnGatewayConnection {
  @WebSocketServer()
  readonly server!: Server

  handleConnection(_client: unknown, request?: IncomingMessage): void {
    ran.push(`connected ${Object.keys(request?.headers ?? {}).includes('x-forwarded-client-cert')}`)
  }

  @SubscribeMessage('who')
  who(@Caller() caller: Caller): object {
    return { event: 'who', data: caller.id }
  }

  @SubscribeMessage('post')
  @RequireScopes('chat:post')
  post(@MessageBody() text: string): object {
    ran.push(`posted ${text}`)
    return { event: 'posted', data: text }
  }

  @SubscribeMessage('ping')
  @Unprotected('says nothing')
  ping(): object {
    return { event: 'pong', data: '' }
  }
}

/** Nobody says who may connect to it, nor who may post. */
@WebSocketGateway({ path: '/silent' })
export class Silent {
  @SubscribeMessage('post')
  @RequireScopes('chat:post')
  post(): object {
    return { event: 'posted', data: '' }
  }

  @SubscribeMessage('silent')
  silent(): object {
    ran.push('silent')
    return { event: 'secret', data: '' }
  }
}

/** An application with gateways, put behind the guard. */
export async function createGatewayApp(
  guard: Guard,
  providers: Provider[],
  adapter: AbstractHttpAdapter,
): Promise<INestApplication> {
  const app = await NestFactory.create(rootWith(guard, { providers }), adapter, {
    logger: false,
    abortOnError: false,
  })
  return app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app)))
}

/** How an attempt to connect has ended. */
export interface Attempt {
  /** Of the answer, where the connection was refused. */
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly client: ChatClient | undefined
}

export class ChatClient {
  readonly #socket: WebSocket
  readonly #messages: unknown[] = []
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#messages.push(JSON.parse(String(data))))
    this.closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
  }

  static connect(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Attempt> {
    const socket = new WebSocket(url, { headers })
    const client = new ChatClient(socket)
    return new Promise((resolve) => {
      socket.on('error', () => undefined)
      socket.on('open', () => resolve({ status: 101, headers: {}, body: '', client }))
      socket.on('unexpected-response', (_request, response: IncomingMessage) => {
        let body = ''
        response.on('data', (chunk) => (body += String(chunk)))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, client: undefined })
        })
      })
    })
  }

  /** Sends a message, and the first that comes back. */
  async ask(event: string, data: unknown = ''): Promise<unknown> {
    this.#socket.send(JSON.stringify({ event, data }))
    return this.next()
  }

  /** Sends a message that is not answered: Nest 11 tells no client of `ws` of an exception. By the next answer it was handled. */
  async tell(event: string, data: unknown = ''): Promise<void> {
    this.#socket.send(JSON.stringify({ event, data }))
    this.#socket.send(JSON.stringify({ event: 'ping', data: '' }))
    let message: unknown
    do message = await this.next()
    while (JSON.stringify(message) !== '{"event":"pong","data":""}')
  }

  async next(): Promise<unknown> {
    while (this.#messages.length === 0) await once(this.#socket, 'message')
    return this.#messages.shift()
  }

  /** Sends a message without hearing any more, not even that it is to close. */
  sendDeaf(event: string): void {
    this.#socket.pause()
    this.#socket.send(JSON.stringify({ event, data: '' }))
  }

  close(): void {
    this.#socket.terminate()
  }
}
