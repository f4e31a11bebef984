// The service of orders behind a guard, as the tests here need it.
import type { Placement } from '@countersign/core'
import {
  countersign,
  createGuard,
  protect,
  requireScopes,
  type Guard,
  type GuardOptions,
} from '@countersign/grpc'
import type { TestIssuer } from '@countersign/testing'
import { Server, type ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js'
import { OrdersService, addOrders, notingHandlers, type OrdersHandlers } from './orders-service.ts'
import { ServedServer } from './served-server.ts'

export type Methods = Readonly<Record<keyof typeof OrdersService, Placement>>

export const everywhere: Methods = {
  get: requireScopes('orders:read'),
  collect: requireScopes('orders:read'),
  follow: requireScopes('orders:read'),
  chat: requireScopes('orders:read'),
}

export const reading = (issuer: TestIssuer): Promise<{ authorization: string }> =>
  issuer.headersFor('checkout', { scopes: ['orders:read'] })

interface Setting {
  readonly options?: GuardOptions
  readonly environment?: Parameters<typeof createGuard>[1]
  readonly methods?: Partial<Methods>
  readonly handlers?: Partial<OrdersHandlers>
  /** In place of the one that is made of the methods. */
  readonly interceptors?: (guard: Guard) => readonly ServerInterceptor[]
  readonly credentials?: ServerCredentials
}

/** One server for one test. */
export class OrdersServer {
  readonly guard: Guard
  readonly served: ServedServer
  readonly reached: string[]

  private constructor(guard: Guard, served: ServedServer, reached: string[]) {
    this.guard = guard
    this.served = served
    this.reached = reached
  }

  static async start(issuer: TestIssuer, setting: Setting = {}): Promise<OrdersServer> {
    const { methods, handlers, credentials, environment } = setting
    const options = setting.options ?? { audience: 'orders', issuers: [issuer], log: false }
    const guard = createGuard(options, environment)
    const reached: string[] = []
    const interceptors = setting.interceptors?.(guard) ?? [
      countersign(guard, protect(OrdersService, { ...everywhere, ...methods })),
    ]
    const server = new Server({ interceptors: [...interceptors] })
    addOrders(server, notingHandlers(reached, handlers))
    return new OrdersServer(guard, await ServedServer.start(server, credentials), reached)
  }

  [Symbol.dispose](): void {
    this.served.close()
    this.guard.close()
  }
}
