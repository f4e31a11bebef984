import { decisionChannel, type DecisionEvent } from '@countersign/core'
import {
  authenticated,
  callerOf,
  createGuard,
  protectUpgrades,
  scopes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/ws'
import {
  createTestClock,
  createTestIssuer,
  createTestProofKey,
  type TestClock,
  type TestIssuer,
} from '@countersign/testing'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import {
  hangUp,
  listen,
  makeServer,
  opened,
  rawExchange,
  refused,
  textOf,
  upgradeTo,
  wsVersions,
} from './served-sockets.ts'

// Who may open a WebSocket is decided before it is: over real sockets, with real credentials.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

describe.each(wsVersions)('%s', (_version, WebSocketServer) => {
  let guard: Guard
  let server: Server
  let sockets: InstanceType<typeof WebSocketServer>
  let url: string
  let port: number
  let connected: string[]
  let events: DecisionEvent[]
  const note = (event: unknown): void => void events.push(event as DecisionEvent)
  const codes = (): unknown => events.map(({ code }) => code)
  const bearer = async (...granted: string[]) => ({
    headers: await issuer.headersFor('checkout', { scopes: granted }),
  })

  async function start(options: Partial<GuardOptions> = {}, clock?: TestClock): Promise<void> {
    stop()
    const environment = clock === undefined ? {} : { clock }
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, ...options }, environment)
    server = makeServer()
    sockets = new WebSocketServer({ noServer: true })
    sockets.on('connection', (webSocket, request) => {
      connected.push(callerOf(webSocket)?.id ?? 'nobody')
      webSocket.send(`${request.url ?? ''} ${callerOf(request)?.id ?? 'nobody'}`)
      webSocket.on('message', (text) => webSocket.send(`echo ${textOf(text)}`))
    })
    port = await listen(server)
    url = `ws://127.0.0.1:${port}`
  }
  function stop(): void {
    if (server !== undefined) hangUp(server)
    guard?.close()
  }

  beforeEach(async () => {
    connected = []
    events = []
    await start()
    subscribe(decisionChannel, note)
  })
  afterEach(() => {
    unsubscribe(decisionChannel, note)
    stop()
  })
  const feed = { route: 'GET /feed', requires: scopes('feed:read') }

  describe('an upgrade', () => {
    test('is refused in HTTP for who presents nothing, as the decision says it', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      const answer = await refused(`${url}/feed`)
      expect(answer.status).toBe(401)
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Bearer realm="countersign", scope="feed:read"',
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        connection: 'close',
        'content-length': String(answer.body.length),
      })
      expect(JSON.parse(answer.body)).toMatchObject({ status: 401, decision: events[0]?.id })
      expect(codes()).toEqual(['credential_missing'])
      expect(events[0]?.route).toBe('GET /feed')
      expect(connected).toEqual([])
    })

    test('opens with it, cold and known, and both ends of it know the caller', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      for (let i = 0; i < 2; i += 1) {
        const client = await opened(`${url}/feed?x=1`, await bearer('feed:read'))
        client.socket.send('hello')
        await expect
          .poll(() => client.messages)
          .toEqual(['/feed?x=1 https://issuer.test#client=checkout', 'echo hello'])
        client.socket.close()
        await client.closed
      }
      expect(connected).toEqual([
        'https://issuer.test#client=checkout',
        'https://issuer.test#client=checkout',
      ])
      expect(codes()).toEqual([null, null])
    })

    test('to a path that no route is for is answered 404, whoever asks, and nothing is recorded', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      for (const path of ['/', '/feed/', '/feed/x', '/Feed', '//feed', '/f%65ed', '/feed;x']) {
        const answer = await refused(`${url}${path}`, await bearer('feed:read'))
        expect([path, answer.status, answer.body]).toEqual([path, 404, ''])
      }
      for (const target of ['http://orders/feed', '*', '/./feed', '/x/../feed', '/feed%00']) {
        expect(await rawExchange(port, upgradeTo(target)), target).toMatch(/^HTTP\/1\.1 404 /)
      }
      expect(codes()).toEqual([])
      expect(connected).toEqual([])
    })

    test.each(['POST', 'HEAD', 'OPTIONS', 'DELETE'])('T47 by %s is for no route', async (method) => {
      protectUpgrades(server, sockets, { guard, route: 'GET /feed', requires: unprotected('open') })
      const [first = '', ...others] = upgradeTo('/feed')
      expect(await rawExchange(port, [first.replace('GET', method), ...others])).toMatch(/^HTTP\/1\.1 404 /)
      expect(connected).toEqual([])
    })

    test('that is none of a WebSocket is the concern of ws, once it was allowed', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      const { authorization } = (await bearer('feed:read')).headers
      const other = upgradeTo('/feed', `Authorization: ${authorization ?? ''}`).filter(
        (line) => !line.startsWith('Sec-'),
      )
      expect(await rawExchange(port, other)).toMatch(/^HTTP\/1\.1 400 /)
      expect(connected).toEqual([])
    })

    test('carries what a decision says on its answer: the next nonce', async () => {
      const clock = createTestClock()
      const idp = await createTestIssuer({ clock })
      const dpop = { externalUrl: 'https://api.example', nonces: true } as const
      await start({ issuers: [idp], dpop }, clock)
      protectUpgrades(server, sockets, { guard, ...feed })
      protectUpgrades(server, sockets, { guard, route: 'GET /same', requires: scopes('feed:read') })
      const key = await createTestProofKey({ clock })
      const bound = await idp.token('checkout', { scopes: ['feed:read'], boundTo: key, expiresIn: 3000 })
      const prove = async (path: string, nonce?: string) => {
        const proof = { url: `https://api.example${path}`, ...(nonce === undefined ? {} : { nonce }) }
        return { headers: await key.headersFor(bound, proof) }
      }
      const asked = await refused(`${url}/feed`, await prove('/feed'))
      const nonce = String(asked.headers['dpop-nonce'])
      expect([asked.status, codes()]).toEqual([401, ['dpop_nonce_required']])
      expect((await refused(`${url}/feed`, await prove('/other', nonce))).status).toBe(401)
      expect((await opened(`${url}/feed`, await prove('/feed', nonce))).headers).not.toHaveProperty(
        'dpop-nonce',
      )
      clock.advance({ seconds: 301 })
      const client = await opened(`${url}/feed`, await prove('/feed', nonce))
      expect(client.headers['dpop-nonce']).not.toBe(nonce)
      expect(client.headers['dpop-nonce']).toEqual(expect.any(String))
    })
  })

  describe('a client', () => {
    test('that sends more behind its upgrade is not heard before the decision, and is heard after it', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      const { authorization } = (await bearer('feed:read')).headers
      const frame = '\x81\x82\x00\x00\x00\x00hi'
      expect(await rawExchange(port, upgradeTo('/feed'), frame)).toMatch(/^HTTP\/1\.1 401 /)
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += chunk.toString('latin1')))
      socket.write(`${upgradeTo('/feed', `Authorization: ${authorization ?? ''}`).join('\r\n')}\r\n\r\n`)
      socket.write(Buffer.from(frame, 'latin1'))
      await expect.poll(() => text).toContain('echo hi')
      expect(text).toMatch(/^HTTP\/1\.1 101 /)
      socket.destroy()
    })

    test('that sends a second request behind a refused upgrade gets one answer', async () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      const second = 'GET /other HTTP/1.1\r\nHost: orders\r\n\r\n'
      const text = await rawExchange(port, upgradeTo('/feed'), second.repeat(50))
      expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    })

    test('that has gone while its upgrade is decided does no harm', async () => {
      let decide: (() => void) | undefined
      const waiting = new Promise<void>((resolve) => (decide = resolve))
      let asked = false
      await start({
        deciders: [
          {
            name: 'slow',
            timeoutMs: 10_000,
            decide: async () => {
              asked = true
              await waiting
              return { effect: 'permit' }
            },
          },
        ],
      })
      protectUpgrades(server, sockets, { guard, ...feed })
      const { authorization } = (await bearer('feed:read')).headers
      const upgraded = once(server, 'connection')
      const socket = connect(port, '127.0.0.1')
      socket.write(`${upgradeTo('/feed', `Authorization: ${authorization ?? ''}`).join('\r\n')}\r\n\r\n`)
      const [accepted] = await upgraded
      await expect.poll(() => asked).toBe(true)
      const closed = new Promise((resolve) => accepted.on('close', resolve))
      socket.resetAndDestroy()
      accepted.resume()
      await closed
      decide?.()
      await new Promise(setImmediate)
      expect(connected).toEqual([])
      ;(await opened(`${url}/feed`, await bearer('feed:read'))).socket.close()
    })

    test('that never closes its side is not waited for', async () => {
      // It stands still: what happens, happens without waiting.
      protectUpgrades(server, sockets, { guard, ...feed }, { clock: createTestClock() })
      const upgraded = once(server, 'connection')
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => undefined)
      socket.write(`${upgradeTo('/feed').join('\r\n')}\r\n\r\n`)
      const [accepted] = await upgraded
      await once(accepted, 'close')
      socket.destroy()
      expect(codes()).toEqual(['credential_missing'])
    })
  })

  describe('a server', () => {
    test('waits a while for a client that takes no answer', async () => {
      const clock = createTestClock()
      protectUpgrades(server, sockets, { guard, ...feed }, { clock })
      server.removeAllListeners('request')
      server.on('request', (_request, response) => response.end(Buffer.alloc(20_000_000)))
      const accepting = once(server, 'connection')
      const socket = connect(port, '127.0.0.1').pause()
      socket.on('error', () => undefined)
      const [accepted] = await accepting
      const first = ['GET /big HTTP/1.1', 'Host: orders', '', ''].join('\r\n')
      socket.write(`${first}${upgradeTo('/feed').join('\r\n')}\r\n\r\n`)
      await expect.poll(codes).toEqual(['credential_missing'])
      let isClosed = false
      accepted.on('close', () => (isClosed = true))
      clock.advance({ seconds: 4 })
      await new Promise(setImmediate)
      expect(isClosed).toBe(false)
      clock.advance({ seconds: 1 })
      await expect.poll(() => isClosed).toBe(true)
      socket.destroy()
    })

    test('has as many routes as it likes, with sockets of their own or the same', async () => {
      const rooms = new WebSocketServer({ noServer: true })
      rooms.on('connection', (socket) => socket.send('room'))
      protectUpgrades(server, sockets, { guard, ...feed })
      protectUpgrades(server, sockets, { guard, route: 'GET /open', requires: unprotected('open') })
      protectUpgrades(server, rooms, {
        guard,
        route: 'GET /rooms/:room',
        requires: authenticated(),
        match: ({ url: asked = '' }) => /^\/rooms\/(?<room>\w+)$/.exec(asked)?.groups,
      })
      expect((await refused(`${url}/rooms/one`)).status).toBe(401)
      const client = await opened(`${url}/rooms/one`, await bearer())
      await expect.poll(() => client.messages).toEqual(['room'])
      expect((await refused(`${url}/rooms/one/two`, await bearer())).status).toBe(404)
      const open = await opened(`${url}/open`)
      await expect.poll(() => open.messages).toHaveLength(1)
      expect(
        guard.census().map(({ method, path, requirement }) => `${method} ${path} ${requirement ?? '-'}`),
      ).toEqual([
        'GET /feed scopes(feed:read)',
        'GET /open unprotected(open)',
        'GET /rooms/:room authenticated()',
      ])
      expect(guard.census()[0]?.declaredAt).toMatch(/^test\/ws\/upgrades\.test\.ts:\d+$/)
    })

    test('answers 500 where `match` fails, and says so to the operator', async () => {
      protectUpgrades(server, sockets, {
        guard,
        route: 'GET /rooms/:room',
        requires: unprotected('open'),
        match: ({ url: asked = '' }) => ({ room: decodeURIComponent(asked) }),
      })
      expect((await refused(`${url}/%`)).status).toBe(500)
      expect(codes()).toEqual(['internal_error'])
      expect(connected).toEqual([])
    })

    test('lets no other listener open what nobody decided', async () => {
      let ran = 0
      const told: string[] = []
      await start({ log: { warn: (line: string) => void told.push(line) } })
      protectUpgrades(server, sockets, { guard, ...feed })
      const stranger = new WebSocketServer({ noServer: true })
      server.on('upgrade', (request: IncomingMessage, socket, head) => {
        stranger.handleUpgrade(request, socket, head, () => (ran += 1))
      })
      for (let i = 0; i < 2; i += 1) {
        expect((await refused(`${url}/feed`, await bearer('feed:read'))).status).toBe(500)
      }
      expect([ran, connected]).toEqual([0, []])
      expect(told.filter((line) => line.includes('noServer'))).toHaveLength(1)
    })
  })

  describe('what is written wrongly is found at the start', () => {
    const fault = (option: string) => expect.objectContaining({ code: 'configuration_invalid', option })

    test.each([
      ['a path alone', { route: '/feed' }, 'route'],
      ['another method', { route: 'POST /feed' }, 'route'],
      ['a query', { route: 'GET /feed?x' }, 'route'],
      ['a name without `match`', { route: 'GET /rooms/:room' }, 'match'],
      ['a misspelt option', { route: 'GET /feed', require: scopes('a:b') }, 'require'],
      ['what is no requirement', { route: 'GET /feed', requires: 'feed:read' as never }, 'requires'],
    ])('%s', (_what, options, option) => {
      expect(() => protectUpgrades(server, sockets, { guard, ...options })).toThrow(fault(option))
      expect(server.listenerCount('upgrade')).toBe(0)
      expect(guard.census()).toEqual([])
    })

    test('sockets that listen by themselves', () => {
      const own = new WebSocketServer({ server: makeServer() })
      expect(() => protectUpgrades(server, own, { guard, ...feed })).toThrow(fault('sockets'))
    })

    test('a server whose upgrades somebody else takes', () => {
      const other = new WebSocketServer({ server })
      expect(other.options.server).toBe(server)
      expect(() => protectUpgrades(server, sockets, { guard, ...feed })).toThrow(fault('server'))
    })

    test('two guards, and one route twice', () => {
      protectUpgrades(server, sockets, { guard, ...feed })
      const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
      expect(() => protectUpgrades(server, sockets, { guard: other, route: 'GET /other' })).toThrow(
        fault('guard'),
      )
      expect(() => protectUpgrades(server, sockets, { guard, ...feed })).toThrow(fault('route'))
      other.close()
    })

    test('a route that nobody declares, where that stops the start', async () => {
      await start({ undeclared: 'fail-start' })
      expect(() => protectUpgrades(server, sockets, { guard, route: 'GET /bare' })).toThrow(fault('requires'))
      protectUpgrades(server, sockets, { guard, ...feed })
    })
  })

  test('types', () => {
    expectTypeOf(protectUpgrades).parameter(0).toExtend<object>()
    // @ts-expect-error -- a route has a name
    expect(() => protectUpgrades(server, sockets, { guard })).toThrow()
  })
})
