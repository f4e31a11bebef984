// A service with a method of each kind, made by hand: messages are JSON.
import {
  Metadata,
  type Server,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'

export interface Message {
  readonly text: string
}

function method(
  name: string,
  requestStream = false,
  responseStream = false,
): MethodDefinition<Message, Message> {
  const serialize = (message: Message): Buffer => Buffer.from(JSON.stringify(message))
  const deserialize = (bytes: Buffer): Message => JSON.parse(bytes.toString())
  return {
    path: `/orders.Orders/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  }
}

export const OrdersService = {
  get: method('Get'),
  collect: method('Collect', true),
  follow: method('Follow', false, true),
  chat: method('Chat', true, true),
}

export type Unary = ServerUnaryCall<Message, Message>
export type Collecting = ServerReadableStream<Message, Message>
export type Following = ServerWritableStream<Message, Message>
export type Chatting = ServerDuplexStream<Message, Message>
export type Answer = sendUnaryData<Message>

export interface OrdersHandlers {
  get(call: Unary, answer: Answer): void
  collect(call: Collecting, answer: Answer): void
  follow(call: Following): void
  chat(call: Chatting): void
}

/** Handlers that do nothing but note that they were reached, and answer. */
export function notingHandlers(reached: string[], overriding: Partial<OrdersHandlers> = {}): OrdersHandlers {
  return {
    get(call, answer) {
      reached.push(`get ${call.request.text}`)
      answer(null, { text: 'got' })
    },
    collect(call, answer) {
      reached.push('collect')
      call.on('data', ({ text }: Message) => void reached.push(`collect ${text}`))
      call.on('end', () => answer(null, { text: 'collected' }))
    },
    follow(call) {
      reached.push(`follow ${call.request.text}`)
      call.write({ text: 'one' })
      call.end()
    },
    chat(call) {
      reached.push('chat')
      call.on('data', ({ text }: Message) => {
        reached.push(`chat ${text}`)
        call.write({ text: `re: ${text}` })
      })
      call.on('end', () => call.end())
    },
    ...overriding,
  }
}

export function addOrders(server: Server, handlers: OrdersHandlers): Server {
  server.addService(OrdersService, { ...handlers })
  return server
}

export const metadataOf = (headers: Readonly<Record<string, string>> = {}): Metadata => {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return metadata
}
