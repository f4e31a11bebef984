import {
  callerOf,
  countersign,
  decisionOf,
  protect,
  requireCaller,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
  type Decision,
  type MethodPlacements,
} from '@countersign/grpc'
import type {
  GrpcObject,
  ServerDuplexStream,
  ServerInterceptor,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceClientConstructor,
} from '@grpc/grpc-js'
import { expectTypeOf, test } from 'vitest'
import { OrdersService, type Message } from './orders-service.ts'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

const never = (use: () => unknown): void => void use
const everyMethod = {
  get: requireScopes('a:b'),
  collect: requires(scopes('a:b')),
  follow: unprotected('why'),
  chat: scopes('a:b'),
}

test('calls of every kind, and their metadata, say who calls', () => {
  type Call = ServerUnaryCall<Message, Message> &
    ServerReadableStream<Message, Message> &
    ServerWritableStream<Message, Message> &
    ServerDuplexStream<Message, Message>
  never(() => (call: Call) => {
    expectTypeOf(requireCaller(call)).toEqualTypeOf<Caller>()
    expectTypeOf(callerOf(call)).toEqualTypeOf<Caller | undefined>()
    expectTypeOf(callerOf(call.metadata)).toEqualTypeOf<Caller | undefined>()
    expectTypeOf(decisionOf(call)).toEqualTypeOf<Decision | undefined>()
  })
  // @ts-expect-error -- a name is no call
  never(() => callerOf('checkout'))
})

test('the methods of a service are named, each and no other', () => {
  expectTypeOf(protect(OrdersService, everyMethod)).toEqualTypeOf<MethodPlacements>()
  const { chat: _, ...rest } = everyMethod
  // @ts-expect-error -- `chat` is missing
  never(() => protect(OrdersService, rest))
  // @ts-expect-error -- `gett` is no method
  never(() => protect(OrdersService, { ...everyMethod, gett: scopes('a:b') }))
  // A definition that was loaded from a file when the service started names none.
  never(() => (loaded: ServiceClientConstructor) => protect(loaded.service, { Get: scopes('a:b') }))
  // @ts-expect-error -- no definition of a service
  never(() => (loaded: GrpcObject) => protect(loaded, { Get: scopes('a:b') }))
})

test('only placements can be required', () => {
  // @ts-expect-error -- a word is no requirement
  never(() => requires('a:b'))
  // @ts-expect-error -- nor a predicate
  never(() => requires(() => true))
  // @ts-expect-error -- at least one scope
  never(() => requireScopes())
  // @ts-expect-error -- a reason
  never(() => unprotected())
  // @ts-expect-error -- a word, for a method
  never(() => protect(OrdersService, { ...everyMethod, get: 'a:b' }))
  // @ts-expect-error -- a word, for a path
  never(() => countersign({ audience: 'orders', issuers: ['x'] }, { '/orders.Orders/Get': 'a:b' }))
})

test('the interceptor asks for an audience with issuers, and takes nothing misspelt', () => {
  expectTypeOf(countersign).returns.toEqualTypeOf<ServerInterceptor>()
  // @ts-expect-error -- issuers need an audience
  never(() => countersign({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => countersign({ audience: 'orders' }))
  // @ts-expect-error -- `issuer` is none
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'], issuer: 'x' }))
})
