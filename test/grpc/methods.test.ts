// What is declared of methods: by service and by path, in the census, before the start, and in a policy document.
import {
  ConfigurationError,
  allOf,
  authenticated,
  callerOptional,
  countersign,
  createGuard,
  formatCensus,
  protect,
  requireScopes,
  requires,
  scopes,
  sealRoutes,
  unprotected,
  type Guard,
  type GuardOptions,
  type MethodPlacements,
} from '@countersign/grpc'
import { policyDocument } from '@countersign/policy'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import { Server, loadPackageDefinition, status, type ServiceDefinition } from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OrdersServer, everywhere, reading } from './orders-server.ts'
import { OrdersService, addOrders, notingHandlers } from './orders-service.ts'

let issuer: TestIssuer
let told: string[]
const guards: Guard[] = []
beforeAll(async () => {
  issuer = await createTestIssuer()
})
beforeEach(() => {
  told = []
})
afterEach(() => {
  for (const guard of guards.splice(0)) guard.close()
})

function guardWith(options: Partial<Pick<GuardOptions, 'undeclared' | 'policy'>> = {}): Guard {
  const guard = createGuard({
    audience: 'orders',
    issuers: [issuer],
    log: { warn: (line) => void told.push(line) },
    ...options,
  })
  guards.push(guard)
  return guard
}

const serverWith = (guard: Guard, ...methods: readonly MethodPlacements[]): Server =>
  addOrders(new Server({ interceptors: [countersign(guard, ...methods)] }), notingHandlers([]))

const failing = (act: () => unknown): ConfigurationError => {
  try {
    act()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
  }
  throw new Error('expected a ConfigurationError')
}

const sealing = async (server: Server): Promise<ConfigurationError> => {
  const error: unknown = await sealRoutes(server).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ConfigurationError)) throw new Error('expected a ConfigurationError')
  return error
}

/** As proto-loader has it: the definition shows no names to the compiler, and handlers may have either of two. */
const loaded = (): ServiceDefinition =>
  Reflect.get(
    loadPackageDefinition(
      fromJSON({
        nested: {
          shop: {
            nested: {
              Cart: {
                methods: {
                  Get: { requestType: 'Text', responseType: 'Text', comment: '' },
                  List: { requestType: 'Text', responseType: 'Text', responseStream: true, comment: '' },
                },
              },
              Text: { fields: { text: { type: 'string', id: 1 } } },
            },
          },
        },
      }),
    )['shop'] as object,
    'Cart',
  ).service

describe('protect', () => {
  test('speaks of every method of a service', () => {
    const said = protect(OrdersService, { ...everywhere, get: unprotected('a test') })
    expect(Object.keys(said)).toEqual([
      '/orders.Orders/Get',
      '/orders.Orders/Collect',
      '/orders.Orders/Follow',
      '/orders.Orders/Chat',
    ])
    expect(said['/orders.Orders/Get']).toMatchObject({ text: 'unprotected(a test)' })
    expect(said['/orders.Orders/Chat']).toBe(everywhere.chat)
    expect(Object.isFrozen(said)).toBe(true)
  })

  test('takes the name of the method and that of its handler', () => {
    const said = protect(loaded(), { Get: requireScopes('cart:read'), list: authenticated() })
    expect(said).toEqual({
      '/shop.Cart/Get': expect.objectContaining({ text: 'scopes(cart:read)' }),
      '/shop.Cart/List': expect.objectContaining({ text: 'authenticated()' }),
    })
  })

  test('leaves a method undeclared of which a loaded definition is not told', () => {
    expect(protect(loaded(), { get: authenticated() })).toHaveProperty(['/shop.Cart/List'], undefined)
  })

  test.each([
    ['a misspelt method', { gett: authenticated() }, 'protect(…, { gett: … })'],
    [
      'a method that is named twice',
      { Get: authenticated(), get: authenticated() },
      'protect(…, { get: … })',
    ],
    ['a name that every object has', { constructor: authenticated() }, 'protect(…, { constructor: … })'],
  ])('throws for %s', (_what, methods, option) => {
    const { message } = failing(() => protect(loaded(), methods as never))
    expect(message).toContain(`\`${option}\``)
    expect(message).toContain('write `Get`, `List`, each once')
  })

  test.each([undefined, null, 'orders:read', {}, () => true])('throws for %o as a requirement', (value) => {
    const { option } = failing(() => protect(OrdersService, { ...everywhere, get: value } as never))
    expect(option).toBe('protect(…, { get: … })')
  })
})

describe('countersign', () => {
  test.each(['orders.Orders/Get', '/Get', '/a/b/c', '//', '/a /b', '', 'get', '/orders.Orders/'])(
    'throws for %o as a path',
    (path) => {
      expect(failing(() => countersign(guardWith(), { [path]: authenticated() })).message).toContain(
        "write the path of a method, such as '/orders.Orders/Get'",
      )
    },
  )

  test('takes the path of any method as it is', () => {
    const name = fc.stringMatching(/^[\w.$-]{1,30}$/)
    fc.assert(
      fc.property(name, name, (service, method) => {
        const guard = guardWith()
        countersign(guard, { [`/${service}/${method}`]: authenticated() })
        expect(guard.census()).toMatchObject([{ path: `/${service}/${method}`, status: 'declared' }])
      }),
      { numRuns: 50 },
    )
  })

  test('throws for a method that is named twice', () => {
    const twice = () =>
      countersign(guardWith(), protect(OrdersService, everywhere), {
        '/orders.Orders/Get': unprotected('why not'),
      })
    expect(failing(twice).message).toContain(
      "`countersign(…, { '/orders.Orders/Get': … })`: it is named twice",
    )
  })

  test('throws for a wrong option of the guard, and for a requirement that is none', () => {
    expect(() => countersign({ issuers: [issuer] } as never)).toThrow(ConfigurationError)
    expect(() => countersign(guardWith(), { '/a.B/C': 'scope' as never })).toThrow(ConfigurationError)
  })

  test('makes a guard of options', async () => {
    using server = await OrdersServer.start(issuer, {
      interceptors: () => [
        countersign(
          { audience: 'orders', issuers: [issuer], log: false },
          protect(OrdersService, everywhere),
        ),
      ],
    })
    expect(await server.served.client().get(await reading(issuer))).toMatchObject({ code: status.OK })
    expect(await server.served.client().get()).toMatchObject({ code: status.UNAUTHENTICATED })
  })
})

test('words are those of every adapter', () => {
  expect(requireScopes('orders:read').text).toBe(scopes('orders:read').text)
  expect(requires(allOf(scopes('a:b'), authenticated())).text).toBe('allOf(scopes(a:b), authenticated())')
  expect(() => requires('orders:read' as never)).toThrow('`requires(…)`')
})

describe('the census', () => {
  test('shows every method as POST and its path, with what it asks and where that is said', async () => {
    const guard = guardWith()
    const server = serverWith(
      guard,
      protect(OrdersService, { ...everywhere, get: callerOptional('prices are public') }),
    )
    await sealRoutes(server)
    expect(guard.census()).toMatchObject([
      {
        method: 'POST',
        path: '/orders.Orders/Get',
        requirement: 'callerOptional(prices are public)',
        scopes: [],
      },
      { path: '/orders.Orders/Collect', requirement: 'scopes(orders:read)', scopes: ['orders:read'] },
      { path: '/orders.Orders/Follow', status: 'declared' },
      { path: '/orders.Orders/Chat', declaredAt: expect.stringMatching(/methods\.test\.ts:\d+$/) },
    ])
    expect(formatCensus(guard.census())).toContain('POST    /orders.Orders/Get')
    expect(guard.census()[0]).toBe(guard.census()[0])
  })

  test('shows what nobody declares, once the server is sealed', async () => {
    const guard = guardWith()
    const server = serverWith(guard, { '/orders.Orders/Get': authenticated() })
    await sealRoutes(server)
    expect(guard.census().map(({ path, status: is }) => [path, is])).toEqual([
      ['/orders.Orders/Get', 'declared'],
      ['/orders.Orders/Collect', 'undeclared'],
      ['/orders.Orders/Follow', 'undeclared'],
      ['/orders.Orders/Chat', 'undeclared'],
    ])
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('`POST /orders.Orders/Collect`')
  })
})

describe('sealing', () => {
  test("stops the start under 'fail-start' for every method that nobody declares", async () => {
    const guard = guardWith({ undeclared: 'fail-start' })
    const server = serverWith(guard, { '/orders.Orders/Get': authenticated() })
    const { message } = await sealing(server)
    expect(message).toContain(
      'nobody says who may call `POST /orders.Orders/Collect`, `POST /orders.Orders/Follow`, `POST /orders.Orders/Chat`: name each in protect(…)',
    )
  })

  test('stops it for health and other services, too', async () => {
    const guard = guardWith({ undeclared: 'fail-start' })
    const server = serverWith(guard, protect(OrdersService, everywhere))
    server.addService(loaded(), {})
    expect((await sealing(server)).message).toContain('`POST /shop.Cart/Get`, `POST /shop.Cart/List`')
  })

  test('starts where the policy document declares the rest', async () => {
    const guard = guardWith({
      undeclared: 'fail-start',
      policy: policyDocument(`version: 1
routes:
  - { route: POST /orders.Orders/Collect, requires: { authenticated: true } }
  - { route: POST /orders.Orders/Follow, requires: { authenticated: true } }
  - { route: POST /orders.Orders/Chat, unprotected: a test }
  - { route: POST /orders.Orders/Nothing, requires: { authenticated: true } }
`),
    })
    await guard.ready()
    await sealRoutes(serverWith(guard, { '/orders.Orders/Get': authenticated() }))
    expect(guard.census().map(({ status: is }) => is)).toEqual([
      'declared',
      'declared',
      'declared',
      'declared',
    ])
    expect(told).toEqual([expect.stringContaining('speaks of `POST /orders.Orders/Nothing`')])
  })

  test('stops it for a path that the server does not have', async () => {
    const server = serverWith(guardWith(), { '/orders.Orders/Gett': authenticated() })
    const { message, option } = await sealing(server)
    expect(option).toBe("countersign(…, { '/orders.Orders/Gett': … })")
    expect(message).toContain('the server has no `/orders.Orders/Gett`')
  })

  test('stops it for a server without the interceptor, or with two', async () => {
    expect((await sealing(new Server())).message).toContain('the server does not use it')
    const guard = guardWith()
    const two = new Server({ interceptors: [countersign(guard), countersign(guard)] })
    expect((await sealing(two)).message).toContain('two of them stand before one server')
  })

  test('says so where grpc-js does not show its methods any more', async () => {
    const other = { interceptors: [countersign(guardWith())] } as unknown as Server // as another release may be
    expect((await sealing(other)).message).toContain('expected a Server of @grpc/grpc-js')
    expect((await sealing({} as never)).message).toContain('expected a Server of @grpc/grpc-js')
  })

  test('refuses and shows what is added later', async () => {
    using server = await OrdersServer.start(issuer, {
      interceptors: (guard) => [countersign(guard, protect(OrdersService, everywhere))],
    })
    await sealRoutes(server.served.server)
    server.served.server.addService(loaded(), {})
    const path = '/shop.Cart/Get'
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const same = (value: Buffer): Buffer => value
    server.served
      .client()
      .client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error) => resolve(error?.code))
    expect(await promise).toBe(status.PERMISSION_DENIED)
    expect(server.guard.census().at(-1)).toMatchObject({ path, status: 'undeclared' })
  })

  test('is missed once, with the first call', async () => {
    using server = await OrdersServer.start(issuer, {
      options: {
        audience: 'orders',
        issuers: [issuer],
        undeclared: 'fail-start',
        log: { warn: (line: string) => void told.push(line) },
      },
    })
    const client = server.served.client()
    for (let i = 0; i < 3; i += 1) await client.get(await reading(issuer))
    expect(told).toEqual([
      expect.stringContaining('write `await sealRoutes(server)` before the application listens'),
    ])
  })
})
