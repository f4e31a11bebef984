import {
  authenticated,
  callerOf,
  countersign,
  createGuard,
  requireScopes,
  requires,
  resourceMetadata,
  scopes,
  unprotected,
  type Guard,
  type GuardedService,
  type Next,
} from '@countersign/node-http'
import { createTestIssuer, createTestProofKey, type TestIssuer } from '@countersign/testing'
import connect from 'connect'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer } from '../express/served-app.ts'

// Declarations among the middlewares of connect, which knows paths that it is mounted at, and no routes.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await createTestIssuer()
})

let ran: string[]
let guard: Guard
let service: GuardedService
let app: connect.Server
let served: ServedApp
const answers = (label: string) => (_request: IncomingMessage, response: ServerResponse) => {
  ran.push(label)
  response.end(label)
}
const passes = (_request: IncomingMessage, _response: ServerResponse, next: Next): void => next()
const fails = (): never => {
  throw new Error('of the application')
}

beforeEach(async () => {
  ran = []
  guard = createGuard({
    audience: 'orders',
    issuers: [issuer],
    resource: 'https://api.example/orders',
    dpop: { externalUrl: 'https://api.example' },
    log: false,
  })
  service = countersign(guard)
  app = connect()
  served = await ServedApp.start(app)
})
afterEach(async () => {
  await served.close()
  guard.close()
})

describe('what asks something', () => {
  test('is asked of all that the request goes on to, and allows it', async () => {
    app.use(service)
    app.use('/orders', requireScopes('orders:read'))
    app.use('/orders', answers('orders'))
    app.use('/other', answers('other'))
    const refused = await served.call('/orders')
    expect(refused).toMatchObject({ status: 401, code: 'credential_missing' })
    expect(refused.events[0]?.route).toMatch(/^use \(test\/node-http\/connect\.test\.ts:\d+\)$/)
    expect(ran).toEqual([])
    const headers = await bearer(issuer, 'orders:read')
    expect(await served.call('/orders', { headers })).toMatchObject({ body: 'orders', code: null })
    expect((await served.call('/other', { headers })).code).toBe('route_undeclared')
  })

  test('adds up with what a route asks, and is not undone by one that asks nothing', async () => {
    app.use(service)
    app.use('/admin', requireScopes('admin:read'))
    app.use(
      '/admin/reports',
      service.route('GET /admin/reports', requireScopes('reports:read'), answers('reports')),
    )
    app.use('/admin/ping', service.route('GET /admin/ping', unprotected('ping'), answers('ping')))
    app.use('/admin/logo', unprotected('logo', answers('logo')))
    const admin = await bearer(issuer, 'admin:read')
    const reader = await bearer(issuer, 'reports:read')
    expect((await served.call('/admin/ping')).code).toBe('credential_missing')
    expect((await served.call('/admin/logo')).code).toBe('credential_missing')
    expect((await served.call('/admin/reports', { headers: admin })).code).toBe('scope_missing')
    expect((await served.call('/admin/reports', { headers: reader })).code).toBe('scope_missing')
    expect(ran).toEqual([])
    const both = await bearer(issuer, 'admin:read', 'reports:read')
    expect((await served.call('/admin/reports', { headers: both })).body).toBe('reports')
    expect((await served.call('/admin/logo', { headers: admin })).body).toBe('logo')
  })

  test('declares no preflight: where a floor was met, a handler for OPTIONS needs its own', async () => {
    const passing = createGuard({ audience: 'orders', issuers: [issuer], preflight: 'pass', log: false })
    const other = countersign(passing)
    app.use(other)
    app.use(requires(authenticated()))
    app.use('/x', other.route('OPTIONS /x', answers('preflight')))
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PUT' }
    const headers = { ...preflight, ...(await bearer(issuer)) }
    expect((await served.call('/x', { method: 'OPTIONS', headers })).code).toBe('route_undeclared')
    expect(ran).toEqual([])
    passing.close()
  })

  test('declares no route: one that says nothing is refused, as the census shows it', async () => {
    app.use(service)
    app.use(requires(authenticated()))
    app.use('/bare', service.route('GET /bare', answers('bare')))
    expect((await served.call('/bare', { headers: await bearer(issuer) })).code).toBe('route_undeclared')
    expect(guard.census()).toMatchObject([{ path: '/bare', status: 'undeclared' }])
  })

  test('with a handler is asked of that handler alone', async () => {
    app.use(service)
    app.use('/a', requires(scopes('a:b'), passes))
    app.use(answers('behind'))
    const answer = await served.call('/a', { headers: await bearer(issuer, 'a:b') })
    expect(answer).toMatchObject({ status: 403, code: 'route_undeclared' })
    expect((await served.call('/a')).code).toBe('credential_missing')
  })

  test('where no guard stands before it, lets nobody by', async () => {
    app.use(requireScopes('orders:read'))
    app.use('/open', unprotected('open', answers('open')))
    app.use(answers('behind'))
    expect((await served.call('/', { headers: await bearer(issuer, 'orders:read') })).status).toBe(500)
    expect(ran).toEqual([])
  })
})

describe('what asks nothing', () => {
  test('speaks for the handler it is given, and ends where that passes the request on', async () => {
    app.use(service)
    app.use(
      '/static',
      unprotected('public assets', (request, response, next) => {
        if (request.url === '/logo') answers('logo')(request, response)
        else next()
      }),
    )
    app.use(answers('behind'))
    expect(await served.call('/static/logo')).toMatchObject({ body: 'logo', code: null })
    expect((await served.call('/static/other')).code).toBe('route_undeclared')
    expect((await served.call('/other')).code).toBe('route_undeclared')
  })

  test.each(['unprotected', 'callerOptional'] as const)('alone is misplaced: %s', async (name) => {
    const { [name]: declare } = await import('@countersign/node-http')
    app.use(service)
    app.use('/static', declare('public assets'))
    app.use('/static', answers('static'))
    expect(await served.call('/static')).toMatchObject({ status: 500, code: 'declaration_misplaced' })
    expect(ran).toEqual([])
  })
})

describe('what was allowed', () => {
  test('ends where a handler throws, and an error handler goes on as if nothing were wrong', async () => {
    app.use(service)
    app.use('/use', unprotected('fails', fails))
    app.use('/route', service.route('GET /route', unprotected('fails'), fails))
    app.use('/late', service.route('GET /late', requireScopes('a:b'), fails))
    app.use((_error: unknown, _request: IncomingMessage, _response: ServerResponse, next: Next) => next())
    app.use(answers('behind'))
    // The first time behind a promise, the second time at once.
    const headers = await bearer(issuer, 'a:b')
    for (const path of ['/use', '/route', '/late', '/late']) {
      expect(await served.call(path, { headers }), path).toMatchObject({
        status: 403,
        code: 'route_undeclared',
      })
    }
  })

  test('ends where a route passes the request on', async () => {
    app.use(service)
    app.use(
      '/a',
      service.route('GET /a', unprotected('passes on'), (_request, _response, next: Next) => next()),
    )
    app.use(answers('behind'))
    expect((await served.call('/a')).code).toBe('route_undeclared')
  })

  test('is no concern of errors, which stay the application’s', async () => {
    app.use(service)
    app.use('/a', service.route('GET /a', unprotected('fails'), fails))
    app.use((error: Error, _request: IncomingMessage, response: ServerResponse, _next: Next) => {
      response.writeHead(418).end(error.message)
    })
    expect(await served.call('/a')).toMatchObject({ status: 418, body: 'of the application' })
  })
})

describe('connect', () => {
  test('goes on to its own 404 for other methods and unknown paths', async () => {
    app.use(service)
    app.use('/a', service.route('GET /a', unprotected('open'), answers('a')))
    expect((await served.call('/a', { method: 'POST' })).status).toBe(404)
    expect((await served.call('/nowhere')).status).toBe(404)
    expect(ran).toEqual([])
  })

  test('cuts the path that it is mounted at, and proofs are held against the whole', async () => {
    app.use(service)
    app.use('/orders', service.route('GET /orders/7', requireScopes('orders:read'), answers('order')))
    const key = await createTestProofKey()
    const bound = await issuer.token('checkout', { scopes: ['orders:read'], boundTo: key })
    const ask = async (path: string) =>
      served.call('/orders/7', {
        headers: await key.headersFor(bound, { url: `https://api.example${path}` }),
      })
    expect((await ask('/7')).status).toBe(401)
    expect((await ask('/orders/7')).body).toBe('order')
  })

  test('is guarded as a listener, too, and in an application within it', async () => {
    const inner = connect()
    inner.use('/x', service.route('GET /in/x', requireScopes('a:b'), answers('x')))
    inner.use('/bare', answers('bare'))
    app.use('/in', inner)
    const guarded = await ServedApp.start(service.listener(app))
    const headers = await bearer(issuer, 'a:b')
    expect((await guarded.call('/in/x')).code).toBe('credential_missing')
    expect((await guarded.call('/in/bare', { headers })).code).toBe('route_undeclared')
    expect((await guarded.call('/in/x', { headers })).body).toBe('x')
    await guarded.close()
  })

  test('refuses requests that two guards see, and takes the same one twice', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app.use(service)
    app.use(countersign(guard))
    app.use('/one', unprotected('open', answers('one')))
    app.use(countersign(other))
    app.use('/two', unprotected('open', answers('two')))
    expect((await served.call('/one')).body).toBe('one')
    expect(await served.call('/two')).toMatchObject({ status: 500, code: 'declaration_misplaced' })
    expect(ran).toEqual(['one'])
    other.close()
  })

  test('mixes no callers', async () => {
    app.use(service)
    app.use(requires(authenticated()))
    app.use((request, response) => void setImmediate(() => response.end(callerOf(request)?.id)))
    const headers = await Promise.all(Array.from({ length: 60 }, (_, i) => issuer.headersFor(`caller-${i}`)))
    const bodies = await Promise.all(
      headers.map(async (each) => (await served.call('/', { headers: each })).body),
    )
    expect(bodies).toEqual(headers.map((_, i) => `https://issuer.test#client=caller-${i}`))
  })
})

describe('resource metadata', () => {
  const path = '/.well-known/oauth-protected-resource/orders'

  test('is there for everybody, and for GET and HEAD only', async () => {
    app.use(service)
    app.use(resourceMetadata())
    app.use('/orders', service.route('GET /orders', requireScopes('orders:read'), answers('orders')))
    const answer = await served.call(`${path}?x`)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(JSON.parse(answer.body)).toMatchObject({
      resource: 'https://api.example/orders',
      scopes_supported: ['orders:read'],
    })
    expect(await served.call(path, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
    expect((await served.call(path, { method: 'POST' })).status).toBe(404)
    expect((await served.call(`${path}/x`)).status).toBe(404)
    expect((await served.call('/orders')).headers['www-authenticate']).toContain(`https://api.example${path}`)
  })

  test('is found where it is mounted, by the whole path', async () => {
    app.use(service)
    app.use('/.well-known', resourceMetadata())
    expect((await served.call(path)).status).toBe(200)
  })

  test('is an error without a guard, and with one that knows no resource', async () => {
    app.use(resourceMetadata())
    app.use(answers('behind'))
    expect((await served.call(path)).status).toBe(500)
    expect(ran).toEqual([])
  })
})
