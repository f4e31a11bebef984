import {
  ConfigurationError,
  callerOf,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  requires,
  scopes,
  sealRoutes,
  unprotected,
  type Caller,
  type Guard,
  type Next,
  type Params,
  type RequestWithCaller,
} from '@countersign/node-http'
import {
  createTestCa,
  createTestIssuer,
  type TestCa,
  type TestCertificate,
  type TestIssuer,
} from '@countersign/testing'
import type connect from 'connect'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { request } from 'node:https'
import { afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'

// What happens before a server listens: names, the census, sealing, certificates and types.

let issuer: TestIssuer
let ca: TestCa
let server: TestCertificate
beforeAll(async () => {
  issuer = await createTestIssuer()
  ca = await createTestCa()
  server = await ca.serverCertificate()
})

let guard: Guard
let told: string[]
const make = (options = {}): Guard => {
  guard = createGuard({
    audience: 'orders',
    issuers: [issuer],
    log: { warn: (line: string) => void told.push(line) },
    ...options,
  })
  return guard
}
beforeEach(() => {
  told = []
})
afterEach(() => guard.close())
const handler = (_request: IncomingMessage, response: ServerResponse): void => void response.end('ok')

describe('a route is made', () => {
  test.each([
    'orders',
    '/orders',
    'get /orders',
    'GET',
    'GET orders',
    'GET  /orders',
    'GET /orders?x',
    'GET /or ders',
    'NONSENSE /orders',
    'GET /orders\n',
    '',
  ])('by a method and a path, and not by %j', (name) => {
    const service = countersign(make())
    expect(() => service.route(name, unprotected('open'), handler)).toThrow(ConfigurationError)
    expect(guard.census()).toEqual([])
  })

  test('with a declaration in its place, and a handler behind it', () => {
    const service = countersign(make())
    const wrong = expect.objectContaining({ code: 'configuration_invalid', option: 'GET /x' })
    // @ts-expect-error -- what says who may call takes requests of every kind
    expect(() => service.route('GET /x', handler, requireScopes('a:b'))).toThrow(wrong)
    expect(() => service.route('GET /x', requireScopes('a:b'))).toThrow(wrong)
    // @ts-expect-error -- the same
    expect(() => service.route('GET /x', handler, handler)).toThrow(wrong)
    expect(() => service.route('GET /x', unprotected('taken', handler) as never, handler)).toThrow(wrong)
    expect(() => service.route('GET /x', requireScopes('a:b'), undefined as never)).toThrow(wrong)
    expect(() => requires('orders:read' as never)).toThrow(ConfigurationError)
    expect(guard.census()).toEqual([])
  })

  test('and is in the census at once', () => {
    const service = countersign(make())
    service.route('GET /orders/:id', requireScopes('orders:read'), handler)
    service.route('* /proxy', requires(scopes('proxy:use')), handler)
    service.route('GET /healthz', unprotected('liveness probe'), handler)
    service.route('PUT /orders/:id', handler)
    expect(guard.census()).toEqual([
      {
        method: 'GET',
        path: '/orders/:id',
        requirement: 'scopes(orders:read)',
        scopes: ['orders:read'],
        status: 'declared',
        declaredAt: expect.stringMatching(/^test\/node-http\/serving\.test\.ts:\d+$/),
      },
      expect.objectContaining({ method: '*', path: '/proxy', status: 'declared' }),
      expect.objectContaining({ requirement: 'unprotected(liveness probe)', status: 'declared' }),
      {
        method: 'PUT',
        path: '/orders/:id',
        requirement: null,
        scopes: [],
        status: 'undeclared',
        declaredAt: null,
      },
    ])
    expect(guard.census()[0]).toBe(guard.census()[0])
  })
})

describe('sealing', () => {
  test('stops a start for what nobody has declared, where the guard says so', async () => {
    const service = countersign(make({ undeclared: 'fail-start' }))
    service.route('GET /declared', unprotected('open'), handler)
    await sealRoutes(service)
    service.route('GET /forgotten', handler)
    await expect(sealRoutes(service)).rejects.toThrow('`GET /forgotten`')
    await expect(sealRoutes(service)).rejects.toThrow(ConfigurationError)
  })

  test('tells of it otherwise', async () => {
    const service = countersign(make())
    service.route('GET /forgotten', handler)
    await sealRoutes(service)
    expect(told.join('\n')).toContain('GET /forgotten')
  })

  test('that nobody has done is told with the first request, once', async () => {
    const service = countersign(make({ undeclared: 'fail-start' }))
    service.route('GET /forgotten', handler)
    const listening = createServer(service.listener((_request, response) => response.writeHead(404).end()))
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as { port: number } // it listens on a port
    expect(told).toEqual([])
    for (let i = 0; i < 2; i += 1) await fetch(`http://127.0.0.1:${port}/`)
    expect(told.filter((line) => line.includes('await sealRoutes(service)'))).toHaveLength(1)
    listening.close()
  })

  test('is nothing for what is no service', async () => {
    make()
    await expect(sealRoutes((() => undefined) as never)).rejects.toThrow('countersign(guard)')
  })
})

describe('a TLS server', () => {
  const pair = (): { cert: string; key: string } => ({ cert: server.cert, key: server.key })

  test('knows its callers by their certificates, and answers others', async () => {
    const service = countersign(
      make({
        issuers: undefined,
        audience: undefined,
        certificates: { trustDomains: { 'test.example': ca.bundle } },
        grants: { 'spiffe://test.example/checkout': ['orders:read'] },
      }),
    )
    const route = service.route('GET /orders', requireScopes('orders:read'), (incoming, response) => {
      response.end(incoming.caller.id)
    })
    const listening = createTlsServer(service.listener(route), { ...pair(), guard }).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as { port: number } // it listens on a port
    const ask = async (identity?: TestCertificate) => {
      const own = identity === undefined ? {} : { cert: identity.cert, key: identity.key }
      const sent = request({ host: 'localhost', port, path: '/orders', ca: ca.bundle, agent: false, ...own })
      sent.end()
      const [response] = await once(sent, 'response')
      let body = ''
      for await (const chunk of response) body += String(chunk)
      return [response.statusCode, body]
    }
    expect(await ask(await ca.svid('/checkout'))).toEqual([200, 'spiffe://test.example/checkout'])
    expect((await ask(await ca.svid('/other')))[0]).toBe(403)
    expect((await ask(await (await createTestCa()).svid('/checkout')))[0]).toBe(403)
    expect((await ask())[0]).toBe(403)
    listening.close()
    listening.closeAllConnections()
  })

  test('is made for a listener of the guard only', () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    const wrong = expect.objectContaining({ code: 'configuration_invalid', option: 'guard' })
    expect(() => createTlsServer(handler, { ...pair(), guard: make() })).toThrow(wrong)
    const listener = countersign(other).listener(handler)
    expect(() => createTlsServer(listener, { ...pair(), guard })).toThrow(wrong)
    other.close()
  })

  test('is not made where sealing fails, or certificate and key do not fit', async () => {
    const service = countersign(make({ undeclared: 'fail-start' }))
    const listener = service.listener(handler)
    const { key } = await ca.serverCertificate()
    expect(() => createTlsServer(listener, { cert: server.cert, key, guard })).toThrow(
      expect.objectContaining({ option: 'key' }),
    )
    service.route('GET /forgotten', handler)
    expect(() => createTlsServer(listener, { ...pair(), guard })).toThrow('GET /forgotten')
  })
})

describe('types', () => {
  test('fit every server and connect', () => {
    const service = countersign(make())
    const route = service.route('GET /x', requireScopes('a:b'), (incoming, response) => {
      expectTypeOf(incoming).toEqualTypeOf<RequestWithCaller>()
      expectTypeOf(incoming.caller).toEqualTypeOf<Caller>()
      expectTypeOf(response).toEqualTypeOf<ServerResponse>()
    })
    expectTypeOf(route).parameters.toEqualTypeOf<
      [IncomingMessage, ServerResponse, given?: Next | Params | undefined]
    >()
    const second = service.route(
      'GET /y',
      unprotected('open'),
      (incoming: RequestWithCaller<Http2ServerRequest>, _response: Http2ServerResponse, params: Params) => {
        expectTypeOf(incoming.caller).toEqualTypeOf<Caller>()
        expectTypeOf(params).toEqualTypeOf<Params>()
      },
    )
    const called: (incoming: Http2ServerRequest, response: Http2ServerResponse, given?: Params) => unknown =
      second
    const use = (app: connect.NextHandleFunction): void => void app
    use(service)
    use(route)
    use(requireScopes('a:b'))
    use(unprotected('open', handler))
    use(service.route('GET /z', (_incoming, _response, next: Next) => next()))
    expect(() => createServer(service.listener(route)).close()).not.toThrow()
    expect(() =>
      createServer(service.listener((incoming, response) => response.end(incoming.url))),
    ).not.toThrow()
    expect(() => createSecureServer({}, service.listener(called))).not.toThrow()
    expectTypeOf(callerOf).returns.toEqualTypeOf<Caller | undefined>()
    // @ts-expect-error -- somebody has to be asked for something
    expect(() => requireScopes()).toThrow(ConfigurationError)
  })
})
