// What a caller makes of the path of a method.
import { countersign, requireScopes, unprotected } from '@countersign/grpc'
import { createTestIssuer } from '@countersign/testing'
import { Metadata, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { OrdersServer } from '../grpc/orders-server.ts'
import { OrdersService } from '../grpc/orders-service.ts'

test('T48 a path without a leading slash, or another spelling of one, finds no method and no other rule', async () => {
  using orders = await OrdersServer.start(await createTestIssuer(), {
    // What stands beside it is open, so that whatever passes for it would be.
    interceptors: (guard) => [
      countersign(guard, {
        '/orders.Orders/Get': requireScopes('orders:read'),
        '/orders.Orders/Chat': unprotected('a test'),
      }),
    ],
  })
  const { client } = orders.served.client()
  const { get } = OrdersService
  const ask = async (path: string): Promise<number | undefined> => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    client.makeUnaryRequest(
      path,
      get.requestSerialize,
      get.responseDeserialize,
      { text: '7' },
      new Metadata(),
      (error) => resolve(error?.code),
    )
    return promise
  }
  for (const path of [
    'orders.Orders/Get',
    '//orders.Orders/Get',
    '/orders.Orders/get',
    '/orders.Orders/Get/',
    '/orders.Orders/Get?x',
    '/orders.Orders/%47et',
    '/x/../orders.Orders/Get',
    '/orders.Orders/Chat/../Get',
  ]) {
    // Without a slash it is no path of HTTP/2 at all.
    expect([status.UNIMPLEMENTED, status.INTERNAL]).toContain(await ask(path))
  }
  expect(await ask('/orders.Orders/Get')).toBe(status.UNAUTHENTICATED)
  expect(orders.reached).toEqual([])
})
