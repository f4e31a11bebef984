// The server: one interceptor, and for each method who may call it.
import {
  allOf,
  callerIs,
  countersign,
  protect,
  requireCaller,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Guard,
} from '@countersign/grpc'
import { Server, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js'
import { HealthService, OrdersService, type Order } from './orders-service.ts'

type Unary = ServerUnaryCall<Order, Order>
type Answer = sendUnaryData<Order>

export function createServer(guard: Guard): Server {
  const orders = protect(OrdersService, {
    get: requireScopes('orders:read'),
    watch: requireScopes('orders:read'),
    cancel: requires(allOf(scopes('orders:write'), callerIs('spiffe://shop.example/checkout'))),
  })
  const health = protect(HealthService, { check: unprotected('liveness probe, returns no data') })
  const server = new Server({ interceptors: [countersign(guard, orders, health)] })

  server.addService(OrdersService, {
    get(call: Unary, answer: Answer) {
      answer(null, { id: call.request.id, state: 'packed', calledBy: requireCaller(call).id })
    },
    watch(call: ServerWritableStream<Order, Order>) {
      for (const state of ['packed', 'sent']) call.write({ id: call.request.id, state })
      call.end()
    },
    cancel(call: Unary, answer: Answer) {
      answer(null, { id: call.request.id, state: 'cancelled', calledBy: requireCaller(call).id })
    },
  })
  server.addService(HealthService, {
    check: (_call: Unary, answer: Answer) => answer(null, { id: '', state: 'serving' }),
  })
  return server
}
