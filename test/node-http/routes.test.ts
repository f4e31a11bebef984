import {
  authenticated,
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  decisionOf,
  requireScopes,
  requires,
  unprotected,
  type Guard,
  type GuardedService,
  type GuardOptions,
} from '@countersign/node-http'
import { policyDocument, when } from '@countersign/policy'
import { createTestIssuer, createTestProofKey, type TestIssuer } from '@countersign/testing'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, type Call } from '../express/served-app.ts'

// Routes that the application dispatches to by itself, over real sockets.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

type Route = (request: IncomingMessage, response: ServerResponse, given?: Record<string, unknown>) => unknown

let ran: string[]
let guard: Guard
let service: GuardedService
let served: ServedApp
/** By path, as an application of its own would choose. */
let routes: Record<string, Route>

const answers =
  (label: string) =>
  (_request: IncomingMessage, response: ServerResponse): void => {
    ran.push(label)
    response.end(label)
  }
const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0] ?? '/'
const notFound: Route = (_request, response) => response.writeHead(404).end('nothing here')

async function start(options: Partial<GuardOptions> = {}): Promise<void> {
  await stop()
  guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, ...options })
  service = countersign(guard)
  served = await ServedApp.start(
    service.listener((request, response) => (routes[pathOf(request)] ?? notFound)(request, response)),
  )
}
async function stop(): Promise<void> {
  await served?.close()
  guard?.close()
}
const call = (path: string, options: Call = {}): ReturnType<ServedApp['call']> => served.call(path, options)

beforeEach(async () => {
  ran = []
  routes = {}
  await start()
})
afterEach(stop)

describe('a route', () => {
  test('refuses who presents nothing, and runs no handler', async () => {
    routes['/orders'] = service.route('GET /orders', requireScopes('orders:read'), answers('orders'))
    const answer = await call('/orders')
    expect(answer).toMatchObject({ status: 401, code: 'credential_missing' })
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign", scope="orders:read"')
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(ran).toEqual([])
  })

  test('refuses who lacks a scope, and lets in who has it', async () => {
    routes['/orders'] = service.route('GET /orders', requireScopes('orders:read'), (request, response) => {
      response.end(request.caller.id)
    })
    expect(await call('/orders', { headers: await bearer(issuer) })).toMatchObject({
      status: 403,
      code: 'scope_missing',
    })
    const answer = await call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect(answer).toMatchObject({ status: 200, body: 'https://issuer.test#client=checkout', code: null })
    expect(answer.events.map(({ route }) => route)).toEqual(['GET /orders'])
  })

  test('that says nothing is refused before its handler runs', async () => {
    routes['/bare'] = service.route('GET /bare', answers('bare'))
    expect(await call('/bare', { headers: await bearer(issuer) })).toMatchObject({
      status: 403,
      code: 'route_undeclared',
    })
    expect(ran).toEqual([])
  })

  test('that says nothing is held to what the guard asks of such routes', async () => {
    await start({ undeclared: authenticated() })
    routes['/bare'] = service.route('GET /bare', answers('bare'))
    expect((await call('/bare')).code).toBe('credential_missing')
    expect((await call('/bare', { headers: await bearer(issuer) })).body).toBe('bare')
  })

  test.each(['POST', 'DELETE', 'PUT', 'OPTIONS', 'PROPFIND'])('for GET never runs for %s', async (method) => {
    routes['/orders'] = service.route('GET /orders', unprotected('open'), answers('orders'))
    const answer = await call('/orders', { method })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
    expect(ran).toEqual([])
  })

  test('T47 answers HEAD as GET, and asks the same', async () => {
    routes['/orders'] = service.route('GET /orders', requireScopes('orders:read'), answers('orders'))
    const refused = await call('/orders', { method: 'HEAD' })
    expect([refused.status, refused.code, refused.events[0]?.route]).toEqual([
      401,
      'credential_missing',
      'HEAD /orders',
    ])
    expect(ran).toEqual([])
    const headers = await bearer(issuer, 'orders:read')
    expect((await call('/orders', { method: 'HEAD', headers })).status).toBe(200)
  })

  test('for every method is `*`, and has the method of the request in events', async () => {
    routes['/any'] = service.route('* /any', requires(authenticated()), answers('any'))
    const answer = await call('/any', { method: 'PATCH' })
    expect([answer.code, answer.events[0]?.route]).toEqual(['credential_missing', 'PATCH /any'])
  })

  test('a method that somebody has made up is no name in events', async () => {
    const any = service.route('* /any', requires(authenticated()), answers('any'))
    routes['/any'] = (request, response) => {
      request.method = 'ATTACKER'
      return any(request, response)
    }
    expect((await call('/any')).events[0]?.route).toBe('* /any')
  })

  test('without a caller says so in code', async () => {
    routes['/open'] = service.route('GET /open', unprotected('open'), (request, response) => {
      try {
        response.end(request.caller.id)
      } catch (error) {
        response.end(`${(error as { code: string }).code} ${callerOf(request)?.id ?? 'nobody'}`)
      }
    })
    expect((await call('/open')).body).toBe('caller_unavailable nobody')
  })

  test('with an optional caller refuses one that is not valid', async () => {
    routes['/greeting'] = service.route('GET /greeting', callerOptional('greets'), (request, response) => {
      response.end(callerOf(request)?.id ?? 'nobody')
    })
    expect((await call('/greeting')).body).toBe('nobody')
    expect((await call('/greeting', { headers: { authorization: 'Bearer x.y.z' } })).status).toBe(401)
    expect((await call('/greeting', { headers: await bearer(issuer) })).body).toContain('checkout')
  })

  test('is guarded also where the server has another listener', async () => {
    const bare = await ServedApp.start(service.route('GET /', requireScopes('a:b'), answers('bare')))
    expect((await bare.call('/')).code).toBe('credential_missing')
    const headers = { ...(await bearer(issuer, 'a:b')), 'x-client-cert': 'forged' }
    expect((await bare.call('/', { headers })).body).toBe('bare')
    await bare.close()
  })

  test('decides anew where one request is given to two', async () => {
    const open = service.route('GET /open', unprotected('open'), () => ran.push('open'))
    const closed = service.route('GET /closed', requireScopes('a:b'), answers('closed'))
    routes['/both'] = (request, response) => {
      open(request, response)
      return closed(request, response)
    }
    const answer = await call('/both')
    expect([answer.status, answer.code, ran]).toEqual([401, 'credential_missing', ['open']])
  })

  test('refuses an expired, a duplicate and an oversized credential by code', async () => {
    routes['/orders'] = service.route('GET /orders', requireScopes('orders:read'), answers('orders'))
    const { authorization } = await bearer(issuer, 'orders:read')
    const expired = await issuer.headersFor('checkout', { scopes: ['orders:read'], expiresIn: -300 })
    expect((await call('/orders', { headers: expired })).code).toBe('token_expired')
    const twice = await call('/orders', { headers: { authorization: [authorization, authorization] } })
    expect([twice.status, twice.code]).toEqual([400, 'credential_duplicated'])
    const oversized = await call('/orders', { headers: { authorization: `Bearer ${'a'.repeat(12_000)}` } })
    expect([oversized.status, oversized.code]).toEqual([400, 'token_oversized'])
    expect(ran).toEqual([])
  })

  test('runs its handler in the same turn where the decision is at hand', async () => {
    let wasAtOnce: boolean | undefined
    const route = service.route('GET /orders', requireScopes('orders:read'), answers('orders'))
    routes['/orders'] = (request, response) => {
      const result = route(request, response)
      wasAtOnce = ran.length > 0
      return result
    }
    const headers = await bearer(issuer, 'orders:read')
    await call('/orders', { headers })
    ran = []
    await call('/orders', { headers })
    expect(wasAtOnce).toBe(true)
  })

  test('hands back what the handler returns and throws, decided at once or not', async () => {
    const failing = service.route('GET /failing', requireScopes('a:b'), () => {
      throw new Error('of the application')
    })
    const returning = service.route('GET /returning', requireScopes('a:b'), () => 'returned')
    const seen: unknown[] = []
    routes['/failing'] = async (request, response) => {
      await Promise.resolve()
      try {
        await failing(request, response)
      } catch (error) {
        seen.push((error as Error).message)
        response.writeHead(500).end()
      }
    }
    routes['/returning'] = async (request, response) => {
      seen.push(await returning(request, response))
      if (!response.writableEnded) response.end()
    }
    const headers = await bearer(issuer, 'a:b')
    for (const path of ['/failing', '/failing', '/returning', '/returning']) await call(path, { headers })
    await call('/returning')
    expect(seen).toEqual(['of the application', 'of the application', 'returned', 'returned', undefined])
  })
})

describe('whatever else answers', () => {
  test.each([
    ['end', (response: ServerResponse) => response.end('SECRET')],
    ['write', (response: ServerResponse) => void (response.write('SECRET'), response.end())],
    ['writeHead', (response: ServerResponse) => response.writeHead(200, { 'x-secret': '1' }).end('SECRET')],
    ['flushHeaders', (response: ServerResponse) => void (response.flushHeaders(), response.end('SECRET'))],
    ['a redirect', (response: ServerResponse) => response.writeHead(302, { location: '/SECRET' }).end()],
  ])('below 400 is replaced, by %s', async (_how, answer) => {
    routes['/x'] = (_request, response) => answer(response)
    const { status, code, body, headers } = await call('/x', { headers: await bearer(issuer) })
    expect([status, code]).toEqual([403, 'route_undeclared'])
    expect(body + JSON.stringify(headers)).not.toContain('SECRET')
    expect(headers).not.toHaveProperty('x-secret')
  })

  test('early hints say nothing either', async () => {
    routes['/x'] = (_request, response) => {
      response.writeEarlyHints({ link: '</SECRET.css>; rel=preload' })
      response.end('SECRET')
    }
    expect(await rawAnswer('GET /x HTTP/1.1')).toMatch(/^HTTP\/1\.1 403 /)
    routes['/x'] = service.route('GET /x', unprotected('open'), (_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.end('open')
    })
    expect(await rawAnswer('GET /x HTTP/1.1')).toMatch(/^HTTP\/1\.1 103 [^]*HTTP\/1\.1 200 /)
  })

  test('at 400 and above stays what it is', async () => {
    expect(await call('/nowhere')).toMatchObject({ status: 404, body: 'nothing here', code: undefined })
    expect((await call('/nowhere', { headers: { authorization: 'Bearer x' } })).status).toBe(404)
  })

  test('a refusal is not undone by what the application does afterwards', async () => {
    const route = service.route('GET /x', requireScopes('a:b'), answers('x'))
    routes['/x'] = async (request, response) => {
      await route(request, response)
      response.end('SECRET')
    }
    expect((await call('/x')).body).not.toContain('SECRET')
  })

  test('CORS preflights pass where the guard lets them, with no body and no other headers', async () => {
    const preflight: Call = {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'PUT' },
    }
    const plain = (_request: IncomingMessage, response: ServerResponse): unknown =>
      response.writeHead(204, { 'access-control-allow-origin': '*', 'x-secret': 'SECRET' }).end()
    routes['/x'] = plain
    routes['/y'] = service.route('OPTIONS /y', plain)
    routes['/z'] = service.route('OPTIONS /z', requires(authenticated()), plain)
    for (const path of ['/x', '/y', '/z']) expect((await call(path, preflight)).status).toBeGreaterThan(400)

    await start({ preflight: 'pass' })
    routes['/y'] = service.route('OPTIONS /y', (_request, response) => {
      response.setHeader('access-control-allow-origin', '*')
      response.setHeader('x-secret', 'SECRET')
      response.end('SECRET')
    })
    routes['/z'] = service.route('OPTIONS /z', requires(authenticated()), plain)
    const passed = await call('/y', preflight)
    expect([passed.status, passed.body, passed.headers['access-control-allow-origin']]).toEqual([
      200,
      '',
      '*',
    ])
    expect(passed.headers).not.toHaveProperty('x-secret')
    expect((await call('/z', preflight)).code).toBe('credential_missing')
    expect((await call('/y', { method: 'OPTIONS' })).code).toBe('route_undeclared')
  })
})

describe('a request', () => {
  test('has no header left that claims an identity', async () => {
    routes['/x'] = service.route('GET /x', unprotected('open'), (request, response) => {
      response.end(JSON.stringify([request.headers, request.headersDistinct, request.rawHeaders]))
    })
    const headers = { 'X-Forwarded-Client-Cert': 'forged', 'x-client-cert': 'forged', 'x-other': 'kept' }
    const { body } = await call('/x', { headers })
    expect(body).toContain('kept')
    expect(body).not.toContain('forged')
  })

  test('may come through the same guard twice', async () => {
    const nested = service.listener(service.route('GET /x', requireScopes('a:b'), answers('x')))
    routes['/x'] = nested
    const answer = await call('/x', { headers: await bearer(issuer, 'a:b') })
    expect([answer.body, answer.events.length]).toEqual(['x', 1])
  })

  test('is refused behind two guards, and reaches no handler', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    const stranger = countersign(other)
    routes['/listener'] = stranger.listener(answers('listener'))
    routes['/route'] = stranger.route('GET /route', unprotected('open'), answers('route'))
    for (const path of ['/listener', '/route']) {
      expect(await call(path)).toMatchObject({ status: 500, code: 'declaration_misplaced' })
    }
    expect(ran).toEqual([])
    other.close()
  })

  test('keeps its body unread until its handler reads it', async () => {
    routes['/echo'] = service.route('POST /echo', requireScopes('a:b'), async (request, response) => {
      for await (const chunk of request) response.write(chunk)
      response.end()
    })
    const body = 'x'.repeat(300_000)
    expect((await call('/echo', { method: 'POST', body, headers: await bearer(issuer, 'a:b') })).body).toBe(
      body,
    )
    expect((await call('/echo', { method: 'POST', body: 'x' })).status).toBe(401)
  })

  test('is told apart from 200 others at the same time, cold and known', async () => {
    routes['/who'] = service.route('GET /who', requires(authenticated()), async (request, response) => {
      await new Promise(setImmediate)
      response.end(`${request.caller.id} ${String(decisionOf(request)?.outcome)}`)
    })
    const callers = Array.from({ length: 100 }, (_, i) => `caller-${i}`)
    const headers = await Promise.all(callers.map((name) => issuer.headersFor(name)))
    const bodies = await Promise.all(
      [...headers, ...headers].map(async (each, i) => [
        i % 100,
        (await call('/who', { headers: each })).body,
      ]),
    )
    for (const [i, body] of bodies) expect(body).toBe(`https://issuer.test#client=caller-${i} allow`)
  })

  test('that its client has given up while it was decided does no harm', async () => {
    const settled = new EventEmitter()
    const route = service.route('GET /orders', requireScopes('orders:read'), (_request, response) => {
      response.end('late')
    })
    routes['/orders'] = async (request, response) => {
      const closed = once(response, 'close')
      request.socket.destroy()
      await closed
      await route(request, response)
      settled.emit('done')
    }
    const done = once(settled, 'done')
    const { authorization } = await bearer(issuer, 'orders:read')
    await expect(rawAnswer('GET /orders HTTP/1.1', `Authorization: ${authorization}`)).resolves.toBe('')
    await done
  })

  test('proves its possession of a key against the path as it came', async () => {
    await start({ dpop: { externalUrl: 'https://api.example' } })
    const order = service.route('GET /orders/:id', requireScopes('orders:read'), answers('order'))
    routes['/orders/7'] = (request, response) => {
      // As connect does: who cuts `url` keeps what it was.
      Object.assign(request, { originalUrl: request.url, url: '/7' })
      return order(request, response)
    }
    const key = await createTestProofKey()
    const bound = await issuer.token('checkout', { scopes: ['orders:read'], boundTo: key })
    const ask = async (path: string): ReturnType<typeof call> =>
      call('/orders/7', { headers: await key.headersFor(bound, { url: `https://api.example${path}` }) })
    expect((await ask('/7')).status).toBe(401)
    expect((await ask('/orders/7')).body).toBe('order')
  })
})

describe('the policy document', () => {
  test('speaks of routes by the name that they were given, with parameters', async () => {
    const document = `version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { when: 'resource.params.id == "7"' } }
  - { route: GET /by-document, requires: { authenticated: true } }
`
    await start({ policy: policyDocument(document) })
    const order = service.route('GET /orders/:id', requireScopes('orders:read'), answers('order'))
    routes['/orders/7'] = (request, response) => order(request, response, { id: '7' })
    routes['/orders/8'] = (request, response) => order(request, response, { id: '8' })
    routes['/polka'] = (request, response) => {
      Object.assign(request, { params: { id: '7' } })
      return order(request, response)
    }
    routes['/by-document'] = service.route('GET /by-document', answers('by document'))
    const headers = await bearer(issuer, 'orders:read')
    expect((await call('/orders/8', { headers })).status).toBe(403)
    expect((await call('/by-document')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    expect((await call('/orders/7', { headers })).body).toBe('order')
    expect((await call('/polka', { headers })).body).toBe('order')
    expect((await call('/orders/7', { method: 'HEAD', headers })).status).toBe(200)
    expect((await call('/by-document', { headers })).body).toBe('by document')
    expect(guard.census().map(({ path, status }) => [path, status])).toEqual([
      ['/orders/:id', 'declared'],
      ['/by-document', 'declared'],
    ])
  })

  test('sees parameters in conditions of code too', async () => {
    const order = service.route(
      'GET /orders/:id',
      requires(when('resource.params.id == "7"')),
      answers('order'),
    )
    routes['/orders/7'] = (request, response) => order(request, response, { id: '7' })
    routes['/orders/8'] = (request, response) => order(request, response, { id: '8' })
    const headers = await bearer(issuer)
    expect((await call('/orders/8', { headers })).status).toBe(403)
    expect((await call('/orders/7', { headers })).status).toBe(200)
  })

  test('is not needed to observe: who would be refused goes on, without a caller', async () => {
    const until = '2099-01-01'
    await start({ mode: { observe: { until } } })
    routes['/x'] = service.route(
      'GET /x',
      requires(callerIs('spiffe://test.example/*')),
      (request, response) => response.end(callerOf(request)?.id ?? 'nobody'),
    )
    expect(await call('/x')).toMatchObject({ status: 200, body: 'nobody' })
    expect(guard.observations()).toHaveLength(1)
  })
})

async function listen(app: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const server = createServer(app).listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return server.address() as { port: number } // it listens on a port
}

/** Sends lines as they are to a server of the same routes, and hands back all that comes. */
async function rawAnswer(requestLine: string, ...headers: string[]): Promise<string> {
  const { port } = await listen(
    service.listener((request, response) => (routes[pathOf(request)] ?? notFound)(request, response)),
  )
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk)))
  socket.write([requestLine, 'Host: orders', 'Connection: close', ...headers, '', ''].join('\r\n'))
  await once(socket, 'close')
  return text
}
