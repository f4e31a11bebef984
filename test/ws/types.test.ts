import {
  callerOf,
  createGuard,
  decisionOf,
  protectUpgrades,
  scopes,
  unprotected,
  type Caller,
  type Decision,
  type Guard,
  type Params,
} from '@countersign/ws'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { WebSocketServer } from 'ws'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const guard: Guard
declare const sockets: WebSocketServer
const route = 'GET /feed'
const never = (use: () => unknown): void => void use

test('a socket and its request say who is connected', () => {
  never(() =>
    sockets.on('connection', (socket, request) => {
      expectTypeOf(callerOf(socket)).toEqualTypeOf<Caller | undefined>()
      expectTypeOf(callerOf(request)).toEqualTypeOf<Caller | undefined>()
      expectTypeOf(decisionOf(socket)).toEqualTypeOf<Decision | undefined>()
    }),
  )
})

test('upgrades of every server of Node are protected, by a guard or by its options', () => {
  never(() => protectUpgrades(createHttpServer(), sockets, { guard, route, requires: scopes('a:b') }))
  never(() => protectUpgrades(createTlsServer(), sockets, { guard, route, requires: unprotected('why') }))
  never(() =>
    protectUpgrades(createHttpServer(), sockets, {
      guard: { audience: 'orders', issuers: ['https://idp.internal'] },
      route: 'GET /feeds/:name',
      match: (request) => {
        expectTypeOf(request).toEqualTypeOf<IncomingMessage>()
        const params: Params = { name: request.url }
        return params
      },
    }),
  )
})

test('only placements can be required', () => {
  const server = createHttpServer
  // @ts-expect-error -- a word is no requirement
  never(() => protectUpgrades(server(), sockets, { guard, route, requires: 'a:b' }))
  // @ts-expect-error -- nor a predicate
  never(() => protectUpgrades(server(), sockets, { guard, route, requires: () => true }))
  // @ts-expect-error -- a route has a name
  never(() => protectUpgrades(server(), sockets, { guard, requires: scopes('a:b') }))
  // @ts-expect-error -- somebody decides
  never(() => protectUpgrades(server(), sockets, { route, requires: scopes('a:b') }))
  // @ts-expect-error -- `path` is none of its options
  never(() => protectUpgrades(server(), sockets, { guard, route, path: '/feed' }))
})

test('the guard asks for an audience with issuers, and takes nothing misspelt', () => {
  // @ts-expect-error -- issuers need an audience
  never(() => createGuard({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => createGuard({ audience: 'orders' }))
  // @ts-expect-error -- the same
  never(() => protectUpgrades(createHttpServer(), sockets, { guard: { audience: 'orders' }, route }))
})
