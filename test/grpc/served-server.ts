// A gRPC server on a loopback port, called over real sockets.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { finished } from 'node:stream/promises'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import {
  Client,
  ServerCredentials,
  credentials,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  type Metadata,
  type Server,
  type ServiceError,
} from '@grpc/grpc-js'
import { OrdersService, metadataOf, type Message } from './orders-service.ts'

export type Headers = Readonly<Record<string, string>>

/** How a call ended, with what came of it. */
export interface Outcome {
  /** A number of gRPC, 0 for OK. */
  readonly code: number
  readonly details: string
  readonly trailers: Metadata
  readonly messages: readonly string[]
  /** Every decision that was recorded while it was under way. */
  readonly events: readonly DecisionEvent[]
  /** The refusal code of the last one; null where it allowed, undefined where none was recorded. */
  readonly refusal: string | null | undefined
}

export class ServedServer {
  readonly server: Server
  readonly port: number
  readonly #clients = new Set<Client>()

  private constructor(server: Server, port: number) {
    this.server = server
    this.port = port
  }

  static async start(
    server: Server,
    serverCredentials: ServerCredentials = ServerCredentials.createInsecure(),
  ): Promise<ServedServer> {
    const bound = Promise.withResolvers<number>()
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, port) =>
      error === null ? bound.resolve(port) : bound.reject(error),
    )
    return new ServedServer(server, await bound.promise)
  }

  /** For a server that listens otherwise. */
  static at(server: Server, port: number): ServedServer {
    return new ServedServer(server, port)
  }

  client(channelCredentials: ChannelCredentials = credentials.createInsecure()): OrdersClient {
    const client = new Client(`127.0.0.1:${this.port}`, channelCredentials, {
      'grpc.ssl_target_name_override': 'localhost',
      'grpc.default_authority': 'localhost',
      'grpc.use_local_subchannel_pool': 1,
    })
    this.#clients.add(client)
    return new OrdersClient(client)
  }

  /** A call of one message whose answer is not read yet, so that flow control keeps it from ending. */
  openUnread(
    path: string,
    headers: Headers,
  ): Disposable & { readonly answered: Promise<unknown>; readStatus(): Promise<number | undefined> } {
    const session = connect(`http://127.0.0.1:${this.port}`)
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    stream.on('error', () => undefined)
    const message = Buffer.from('{"text":"7"}')
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]))
    let code: number | undefined
    stream.on('trailers', (trailers) => {
      code = Number(trailers['grpc-status'])
    })
    return {
      answered: once(stream, 'response'),
      async readStatus() {
        await finished(stream.resume()).catch(() => undefined)
        return code
      },
      [Symbol.dispose]: () => session.destroy(),
    }
  }

  close(): void {
    for (const client of this.#clients) client.close()
    this.server.forceShutdown()
  }
}

const { get, collect, follow, chat } = OrdersService

/** All calls of one of these go over one connection. */
export class OrdersClient {
  readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async get(headers: Headers | Metadata = {}, text = '7', deadline?: Date): Promise<Outcome> {
    return ended((settle) => {
      const call = this.client.makeUnaryRequest(
        get.path,
        get.requestSerialize,
        get.responseDeserialize,
        { text },
        metadataFrom(headers),
        deadline === undefined ? {} : { deadline },
        (error, message) => settle(error, message === undefined ? [] : [message.text]),
      )
      call.on('status', ({ metadata }) => settle.trailers(metadata))
    })
  }

  async collect(headers: Headers, ...texts: string[]): Promise<Outcome> {
    return ended((settle) => {
      const call = this.openCollect(headers, (error, message) =>
        settle(error, message === undefined ? [] : [message.text]),
      )
      call.on('status', ({ metadata }) => settle.trailers(metadata))
      for (const text of texts) call.write({ text })
      call.end()
    })
  }

  async follow(headers: Headers, text = '7'): Promise<Outcome> {
    return readAll(this.openFollow(headers, text))
  }

  async chat(headers: Headers, ...texts: string[]): Promise<Outcome> {
    const call = this.openChat(headers)
    for (const text of texts) call.write({ text })
    call.end()
    return readAll(call)
  }

  openCollect(
    headers: Headers,
    done: (error: ServiceError | null, message?: Message) => void,
  ): ClientWritableStream<Message> {
    return this.client.makeClientStreamRequest(
      collect.path,
      collect.requestSerialize,
      collect.responseDeserialize,
      metadataOf(headers),
      done,
    )
  }

  openFollow(headers: Headers, text = '7'): ClientReadableStream<Message> {
    return this.client.makeServerStreamRequest(
      follow.path,
      follow.requestSerialize,
      follow.responseDeserialize,
      { text },
      metadataOf(headers),
    )
  }

  openChat(headers: Headers): ClientDuplexStream<Message, Message> {
    return this.client.makeBidiStreamRequest(
      chat.path,
      chat.requestSerialize,
      chat.responseDeserialize,
      metadataOf(headers),
    )
  }
}

const metadataFrom = (headers: Headers | Metadata): Metadata =>
  'getMap' in headers && typeof headers.getMap === 'function'
    ? (headers as Metadata) // told apart by its method
    : metadataOf(headers as Headers) // the other of the two

interface Settle {
  (error: ServiceError | null, messages: readonly string[]): void
  trailers(metadata: Metadata): void
}

/** Collects how a call ends, from its callback and its `status`, whichever comes first. */
async function ended(begin: (settle: Settle) => void): Promise<Outcome> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent)
  const answered = Promise.withResolvers<{ error: ServiceError | null; messages: readonly string[] }>()
  const trailing = Promise.withResolvers<Metadata>()
  subscribe(decisionChannel, listen)
  try {
    begin(
      Object.assign(
        (error: ServiceError | null, messages: readonly string[]) => answered.resolve({ error, messages }),
        { trailers: trailing.resolve },
      ),
    )
    const [{ error, messages }, trailers] = await Promise.all([answered.promise, trailing.promise])
    const refusal = events.at(-1)?.code
    return { code: error?.code ?? 0, details: error?.details ?? '', trailers, messages, events, refusal }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}

export function readAll(
  call: ClientReadableStream<Message> | ClientDuplexStream<Message, Message>,
): Promise<Outcome> {
  return ended((settle) => {
    const messages: string[] = []
    let failed: ServiceError | null = null
    call.on('data', ({ text }: Message) => void messages.push(text))
    call.on('error', (error: ServiceError) => {
      failed = error
    })
    call.on('status', ({ metadata }) => {
      settle.trailers(metadata)
      // Whether it failed is said in the same turn.
      setImmediate(() => settle(failed, messages))
    })
  })
}
