import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, protect, requireCaller, requireScopes, sealRoutes } from '@countersign/grpc'
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  type MethodDefinition,
  type ServiceError,
  type handleUnaryCall,
} from '@grpc/grpc-js'
import type { Answers } from './answers.js'

interface Order {
  readonly order: string
  readonly caller?: string
  readonly again?: string | undefined
}

const serialize = (value: Order): Buffer => Buffer.from(JSON.stringify(value))
const deserialize = (bytes: Buffer): Order => JSON.parse(bytes.toString())
const get: MethodDefinition<Order, Order> = {
  path: '/orders.Orders/Get',
  requestStream: false,
  responseStream: false,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
}
const OrdersService = { get }

const find: handleUnaryCall<Order, Order> = (call, answer) => {
  const caller: string = requireCaller(call).id
  answer(null, { caller, again: callerOf(call)?.id, order: call.request.order })
}

export async function answers(issuer: TestIssuer): Promise<Answers> {
  const guard = countersign(
    { audience: 'orders', issuers: [issuer], log: false },
    protect(OrdersService, { get: requireScopes('orders:read') }),
  )
  const server = new Server({ interceptors: [guard] })
  server.addService(OrdersService, { get: find })
  await sealRoutes(server)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const call = (metadata: Metadata) =>
    new Promise<Order | ServiceError>((resolve) => {
      client.makeUnaryRequest(get.path, serialize, deserialize, { order: '7' }, metadata, (error, order) =>
        resolve(error ?? order ?? { order: '' }),
      )
    })

  const metadata = new Metadata()
  const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const known = await call(metadata)
  const stranger = await call(new Metadata())
  client.close()
  server.forceShutdown()
  if (!('code' in stranger)) throw new Error('expected a stranger to be refused')
  const [challenge] = stranger.metadata.get('www-authenticate')
  return { known, stranger: { status: stranger.code, challenge: String(challenge) } }
}
