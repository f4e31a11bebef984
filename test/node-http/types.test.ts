import {
  callerOf,
  countersign,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
  type GuardedService,
  type Next,
  type Params,
  type RequestWithCaller,
} from '@countersign/node-http'
import connect from 'connect'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const service: GuardedService
declare const caller: Caller
const never = (use: () => unknown): void => void use

test('a handler has a request with a verified caller, which is read and never written', () => {
  expectTypeOf(callerOf).returns.toEqualTypeOf<Caller | undefined>()
  never(() =>
    service.route('GET /a', requireScopes('a:b'), (request, response) => {
      expectTypeOf(request).toEqualTypeOf<RequestWithCaller>()
      expectTypeOf(request.caller).toEqualTypeOf<Caller>()
      expectTypeOf(response).toEqualTypeOf<ServerResponse>()
      // @ts-expect-error -- not even with a caller
      request.caller = caller
    }),
  )
})

test('a route has the types of its handler', () => {
  never(() => {
    const route = service.route(
      'GET /a',
      requires(scopes('a:b')),
      (request: RequestWithCaller<Http2ServerRequest>, _response: Http2ServerResponse, params: Params) => {
        expectTypeOf(request.caller).toEqualTypeOf<Caller>()
        expectTypeOf(params).toEqualTypeOf<Params>()
      },
    )
    expectTypeOf(route).parameters.toEqualTypeOf<
      [Http2ServerRequest, Http2ServerResponse, given?: Params | undefined]
    >()
    return createSecureServer({}, service.listener(route))
  })
  never(() => {
    const route = service.route('GET /a', requireScopes('a:b'), (_request, response) => void response.end())
    expectTypeOf(route).parameters.toEqualTypeOf<
      [IncomingMessage, ServerResponse, given?: Next | Params | undefined]
    >()
    return createServer(service.listener(route))
  })
})

test('a declaration is a middleware of connect', () => {
  const handler = (_request: IncomingMessage, response: ServerResponse): void => void response.end()
  never(() => connect().use(service).use('/a', requireScopes('a:b')).use(unprotected('why', handler)))
})

test('only placements can be required', () => {
  // @ts-expect-error -- a word is no requirement
  never(() => requires('a:b'))
  // @ts-expect-error -- nor is a declaration
  never(() => requires(requireScopes('a:b')))
  // @ts-expect-error -- nor a predicate
  never(() => requires(() => true))
  // @ts-expect-error -- at least one scope
  never(() => requireScopes())
  // @ts-expect-error -- a reason
  never(() => unprotected())
  // @ts-expect-error -- a route without a handler
  never(() => service.route('GET /a'))
})

test('the guard asks for an audience with issuers, and takes nothing misspelt', () => {
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- issuers need an audience
  never(() => countersign({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => countersign({ audience: 'orders' }))
  // @ts-expect-error -- `issuer` is none
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'], issuer: 'x' }))
})
