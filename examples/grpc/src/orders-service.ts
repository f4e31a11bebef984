// The definition of the service, as a generator would write it. Messages are JSON here, so that the example needs no generator.
import type { MethodDefinition } from '@grpc/grpc-js'

export interface Order {
  readonly id: string
  readonly state?: string
  readonly calledBy?: string
}

const serialize = (message: Order): Buffer => Buffer.from(JSON.stringify(message))
const deserialize = (bytes: Buffer): Order => JSON.parse(bytes.toString()) as Order // as the other end wrote it

const method = (path: string, responseStream: boolean): MethodDefinition<Order, Order> => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
})

export const OrdersService = {
  get: method('/orders.Orders/Get', false),
  watch: method('/orders.Orders/Watch', true),
  cancel: method('/orders.Orders/Cancel', false),
}

export const HealthService = { check: method('/grpc.health.v1.Health/Check', false) }
