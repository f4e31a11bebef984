// A service of gRPC, of Nest, on a loopback port, and clients that call it over real connections.
import { fileURLToPath } from 'node:url'
import { Caller, RequireScopes, Unprotected, callerOf } from '@countersign/nest'
import {
  Metadata,
  credentials,
  loadPackageDefinition,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  type ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
  type sendUnaryData,
  type StatusObject,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Controller } from '@nestjs/common'
import {
  Ctx,
  GrpcMethod,
  GrpcStreamCall,
  GrpcStreamMethod,
  Payload,
  Transport,
  type GrpcOptions,
} from '@nestjs/microservices'
import { Subject, map, toArray, type Observable } from 'rxjs'

export interface Order {
  readonly id: string
  readonly caller: string
}

export const ran: string[] = []
/** What `list` sends, once it is called. */
export const listed = new Subject<Order>()

@Controller()
export class Orders {
  @GrpcMethod('Orders', 'Find')
  @RequireScopes('orders:read')
  find(@Payload() { id }: Order, @Ctx() metadata: Metadata, @Caller() caller: Caller): Order {
    ran.push('find')
    return { id: `${id} ${Object.keys(metadata.getMap()).toSorted().join()}`, caller: caller.id }
  }

  @GrpcMethod()
  silent(): Order {
    ran.push('silent')
    return { id: 'a secret', caller: '' }
  }

  @GrpcMethod()
  @Unprotected('says nothing')
  open(order: Order, metadata: Metadata): Order {
    return { id: order.id, caller: callerOf(metadata)?.id ?? 'nobody' }
  }

  @GrpcMethod()
  @RequireScopes('orders:read')
  list(): Observable<Order> {
    ran.push('list')
    return listed
  }

  @GrpcStreamMethod()
  @RequireScopes('orders:write')
  sum(orders: Observable<Order>, _metadata: Metadata, call: object): Observable<Order> {
    ran.push('sum')
    return orders.pipe(
      toArray(),
      map((all) => ({ id: all.map(({ id }) => id).join(), caller: callerOf(call)?.id ?? 'nobody' })),
    )
  }

  @GrpcStreamMethod()
  @RequireScopes('orders:write')
  chat(orders: Observable<Order>): Observable<Order> {
    ran.push('chat')
    return orders.pipe(map(({ id }) => ({ id: `${id}!`, caller: '' })))
  }

  @GrpcStreamCall()
  @RequireScopes('orders:write')
  total(call: ServerReadableStream<Order, Order>, callback: sendUnaryData<Order>): void {
    ran.push('total')
    let count = 0
    call.on('data', () => (count += 1))
    call.on('end', () => callback(null, { id: String(count), caller: callerOf(call)?.id ?? 'nobody' }))
  }

  @GrpcStreamCall()
  @RequireScopes('orders:write')
  raw(call: ServerDuplexStream<Order, Order>): void {
    ran.push('raw')
    call.on('data', ({ id }: Order) => call.write({ id, caller: callerOf(call)?.id ?? 'nobody' }))
    call.on('end', () => call.end())
  }
}

const protoPath = fileURLToPath(new URL('shop.proto', import.meta.url))

export const grpcOptions = (port: number, serverCredentials?: ServerCredentials): GrpcOptions => ({
  transport: Transport.GRPC,
  options: {
    package: 'shop',
    protoPath,
    url: `127.0.0.1:${port}`,
    ...(serverCredentials && { credentials: serverCredentials }),
  },
})

interface Shop extends Client {
  [method: string]: unknown
}
interface ShopPackage {
  readonly shop: {
    readonly Orders: new (address: string, credentials: ChannelCredentials, options: object) => Shop
  }
}

/** How a call has ended, and what came before that. */
export interface Ended {
  readonly code: number
  readonly details: string
  readonly trailers: Metadata
  readonly messages: readonly Order[]
}

export class ShopClient {
  readonly #client: Shop

  constructor(port: number, secured: ChannelCredentials = credentials.createInsecure()) {
    const { shop } = loadPackageDefinition(loadSync(protoPath)) as unknown as ShopPackage // as the file defines it
    this.#client = new shop.Orders(`127.0.0.1:${port}`, secured, {
      'grpc.ssl_target_name_override': 'localhost',
    })
  }

  unary(method: 'find' | 'silent' | 'open', headers: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return new Promise((resolve) => {
      const call = this.#client[method] as (
        order: object,
        metadata: Metadata,
        done: (error: ServiceError | null, answer?: Order) => void,
      ) => unknown // of that kind
      call.call(this.#client, { id: '7' }, metadataOf(headers), (error, answer) =>
        resolve({
          code: error?.code ?? 0,
          details: error?.details ?? '',
          trailers: error?.metadata ?? new Metadata(),
          messages: answer === undefined ? [] : [answer],
        }),
      )
    })
  }

  list(headers: Readonly<Record<string, string>>): ClientReadableStream<Order> {
    const call = this.#client['list'] as (order: object, metadata: Metadata) => ClientReadableStream<Order> // so defined
    return call.call(this.#client, {}, metadataOf(headers))
  }

  duplex(
    method: 'chat' | 'raw',
    headers: Readonly<Record<string, string>>,
  ): ClientDuplexStream<object, Order> {
    const call = this.#client[method] as (metadata: Metadata) => ClientDuplexStream<object, Order> // so defined
    return call.call(this.#client, metadataOf(headers))
  }

  sum(
    headers: Readonly<Record<string, string>>,
    name: 'sum' | 'total' = 'sum',
  ): {
    call: ClientWritableStream<object>
    ended: Promise<Ended>
  } {
    const { promise: ended, resolve } = Promise.withResolvers<Ended>()
    const method = this.#client[name] as (
      metadata: Metadata,
      done: (error: ServiceError | null, answer?: Order) => void,
    ) => ClientWritableStream<object> // so defined
    const call = method.call(this.#client, metadataOf(headers), (error, answer) =>
      resolve({
        code: error?.code ?? 0,
        details: error?.details ?? '',
        trailers: error?.metadata ?? new Metadata(),
        messages: answer === undefined ? [] : [answer],
      }),
    )
    return { call, ended }
  }

  close(): void {
    this.#client.close()
  }
}

/** All of a stream, and how it has ended. */
export function endOf(
  stream: ClientReadableStream<Order> | ClientDuplexStream<object, Order>,
): Promise<Ended> {
  return new Promise((resolve) => {
    const messages: Order[] = []
    stream.on('data', (message: Order) => messages.push(message))
    stream.on('error', () => undefined)
    stream.on('status', ({ code, details, metadata }: StatusObject) =>
      resolve({ code, details, trailers: metadata, messages }),
    )
  })
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.add(name, value)
  return metadata
}
