import { once } from 'node:events'
import { connect, createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Controller, Get, Post, RequireScopes, mount as mountController } from '@countersign/decorators'
import { mounterFor } from '@countersign/core/adapter'
import {
  callerIs,
  callerOf,
  countersign,
  createGuard,
  createTlsServer,
  provenBy,
  requireScopes,
  requires,
  resourceMetadata,
  tlsOptions,
  unprotected,
} from '@countersign/koa'
import { createTestCa, createTestClock, createTestIssuer, createTestProofKey } from '@countersign/testing'
import type { Context, Middleware } from 'koa'
import { afterEach, describe, expect, test } from 'vitest'
import { Served, bearer, koaVersions, mount, testIssuer } from './served-koa.ts'

const served = new Served()
const closing: (() => void)[] = []
afterEach(async () => {
  await served.close()
  for (const close of closing.splice(0)) close()
})

describe.each(koaVersions)('%s', (koaName, Koa, Router) => {
  test('knows callers by client certificates, and refuses those that it does not trust', async () => {
    const ca = await createTestCa()
    const { cert, key } = await ca.serverCertificate()
    const guard = createGuard({
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      grants: { 'spiffe://test.example/checkout': ['orders:read'] },
      log: false,
    })
    const app = new Koa()
    const router = new Router()
    app.use(countersign(guard)).use(router.routes())
    router.get('/orders', requireScopes('orders:read'), (context) => {
      context.body = context.caller.id
    })
    router.get('/mine', requires(callerIs('spiffe://test.example/*')), (context) => {
      context.body = context.caller.provenBy.join()
    })
    const server = createTlsServer(app, { cert, key, guard }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(
      () => server.close(),
      () => guard.close(),
    )
    const call = async (path: string, identity: { cert: string; key: string } | undefined) => {
      const { port } = server.address() as AddressInfo // listening on a port
      const sent = request({ host: 'localhost', port, path, ca: ca.bundle, agent: false, ...identity }).end()
      const [response] = await once(sent, 'response')
      let body = ''
      for await (const chunk of response) body += String(chunk)
      return [response.statusCode, body]
    }
    const stranger = await createTestCa()
    const other = await ca.svid('/other')
    expect(await call('/orders', await ca.svid('/checkout'))).toEqual([200, 'spiffe://test.example/checkout'])
    expect(await call('/mine', other)).toEqual([200, 'certificate'])
    expect((await call('/orders', other))[0]).toBe(403)
    expect((await call('/orders', undefined))[0]).toBe(403)
    expect((await call('/orders', await stranger.svid('/checkout')))[0]).toBe(403)
  })

  test('makes no TLS server of an application without the guard, or with routes that cannot be sealed', async () => {
    const ca = await createTestCa()
    const { cert, key } = await ca.serverCertificate()
    const guard = createGuard({ audience: 'orders', issuers: ['https://idp.internal'] })
    closing.push(() => guard.close())
    expect(() => createTlsServer(new Koa(), { cert, key, guard })).toThrow('the application does not use it')
    const app = new Koa()
    const router = new Router()
    router.get('/x', (_context, next) => next(), requireScopes('a:b'))
    app.use(countersign(guard)).use(router.routes())
    expect(() => createTlsServer(app, { cert, key, guard })).toThrow(
      expect.objectContaining({ option: 'GET /x' }),
    )
  })

  test.each(['plain', 'with certificates'] as const)('serves HTTP/2, %s', async (how) => {
    const ca = await createTestCa()
    const issuer = await testIssuer()
    const guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: false,
      ...(how === 'plain'
        ? {}
        : {
            certificates: { trustDomains: { 'test.example': ca.bundle } },
            grants: { 'spiffe://test.example/checkout': ['orders:read'] },
            audience: undefined,
            issuers: undefined,
          }),
    } as Parameters<typeof createGuard>[0]) // one kind of credential or the other
    const app = new Koa()
    const router = new Router()
    app.silent = true
    app
      .use(countersign(guard))
      .use(router.routes())
      .use((context) => {
        if (context.path === '/plain') context.body = 'secret'
      })
    router.get('/orders', requireScopes('orders:read'), (context) => {
      context.body = context.caller.id
    })
    router.get('/undeclared', (context) => {
      context.body = 'secret'
    })
    const { cert, key } = await ca.serverCertificate()
    const listener = app.callback()
    const server = (
      how === 'plain' ? createHttp2Server() : createSecureServer({ ...tlsOptions({ cert, key, guard }) })
    ).listen(0, '127.0.0.1')
    server.on('request', listener as (...args: unknown[]) => void) // Koa takes what Node's compatibility layer gives
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // listening on a port
    const identity = await ca.svid('/checkout')
    const session =
      how === 'plain'
        ? connect(`http://127.0.0.1:${port}`)
        : connect(`https://localhost:${port}`, { ca: ca.bundle, cert: identity.cert, key: identity.key })
    closing.push(
      () => session.close(),
      () => server.close(),
      () => guard.close(),
    )
    const call = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
      const stream = session.request({ ':path': path, ':method': method, ...headers })
      const [response] = await once(stream, 'response')
      let body = ''
      for await (const chunk of stream) body += String(chunk)
      return [response[':status'], body]
    }
    const headers: Record<string, string> =
      how === 'plain' ? { ...(await bearer(issuer, 'orders:read')) } : {}
    expect((await call('/orders', headers))[0]).toBe(200)
    // Koa 2 never answers a HEAD request over HTTP/2, with or without a guard.
    if (koaName.startsWith('Koa 3')) expect(await call('/orders', headers, 'HEAD')).toEqual([200, ''])
    expect((await call('/undeclared', headers, 'HEAD'))[0]).toBe(403)
    for (const path of ['/undeclared', '/plain']) {
      const [status, body] = await call(path, headers)
      expect([status, String(body).includes('secret')], path).toEqual([403, false])
    }
    expect((await call('/nothing', headers))[0]).toBe(404)
    if (how === 'plain') expect((await call('/orders'))[0]).toBe(401)
  })

  test('holds a DPoP proof against the whole URL, also where the path is cut for what is mounted', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const proofKey = await createTestProofKey({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], dpop: { externalUrl: 'https://api.example' }, log: false },
      { clock },
    )
    closing.push(() => guard.close())
    const inner = new Koa()
    const router = new Router()
    router.get('/orders/:id', requires(provenBy('dpop')), (context) => {
      context.body = context.url
    })
    inner.use(countersign(guard)).use(router.routes())
    const app = new Koa()
    app.use(countersign(guard)).use(mount('/shop', inner))
    const token = await idp.token('checkout', { boundTo: proofKey })
    const headersFor = (url: string) => proofKey.headersFor(token, { url })
    const whole = await headersFor('https://api.example/shop/orders/7')
    expect((await served.call(app, '/shop/orders/7', { headers: whole })).body).toBe('/orders/7')
    const cut = await headersFor('https://api.example/orders/7')
    expect((await served.call(app, '/shop/orders/7', { headers: cut })).code).toBe('dpop_proof_mismatch')
  })

  test('a context that Koa did not make by the rules is still guarded by what is declared, and the latch', async () => {
    const issuer = await testIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    closing.push(() => guard.close())
    const inner = new Koa()
    const router = new Router()
    inner.silent = true
    router.get('/declared', requireScopes('a:b'), (context) => {
      context.body = callerOf(context)?.id
    })
    router.get('/undeclared', (context) => {
      context.body = 'secret'
    })
    inner.use(router.routes())
    const listener = inner.callback()
    const app = new Koa()
    app.use(countersign(guard)).use((context) => {
      context.respond = false
      return listener(context.req, context.res)
    })
    expect((await served.call(app, '/declared')).code).toBe('credential_missing')
    expect((await served.call(app, '/undeclared')).code).toBe('route_undeclared')
    const headers = await bearer(issuer, 'a:b')
    expect((await served.call(app, '/declared', { headers })).body).toContain('checkout')
  })

  test('says what the service is to anybody who asks', async () => {
    const issuer = await testIssuer()
    const resource = { identifier: 'https://api.example/orders', name: 'Orders' }
    const path = '/.well-known/oauth-protected-resource/orders'
    const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, resource })
    closing.push(() => guard.close())
    const app = new Koa()
    const router = new Router()
    router.get('/orders', requireScopes('orders:read'), () => undefined)
    app.use(countersign(guard)).use(resourceMetadata()).use(router.routes())
    const answer = await served.call(app, path)
    expect(answer.headers['content-type']).toContain('application/json')
    expect(JSON.parse(answer.body)).toMatchObject({
      resource: 'https://api.example/orders',
      scopes_supported: ['orders:read'],
    })
    expect(await served.call(app, path, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
    expect((await served.call(app, path, { method: 'POST' })).status).toBe(404)
    expect((await served.call(app, '/orders')).headers['www-authenticate']).toContain('resource_metadata=')
    const without = new Koa()
    without.use(resourceMetadata())
    expect((await served.call(without, path)).status).toBe(500)
  })

  test('takes the routes of controllers, and opens none without a guard', async () => {
    const issuer = await testIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    closing.push(() => guard.close())
    const app = new Koa()
    const router = new Router()
    app.use(countersign(guard)).use(router.routes())
    class Orders {
      find(context: Context): void {
        context.body = context.caller.id
      }
      create(context: Context): void {
        context.body = 'created'
      }
      open(context: Context): void {
        context.body = 'open'
      }
    }
    decorate(Orders)
    mountController(router, new Orders())
    expect((await served.call(app, '/orders/7')).code).toBe('credential_missing')
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call(app, '/orders/7', { headers })).body).toContain('checkout')
    expect((await served.call(app, '/orders', { method: 'POST', headers })).code).toBe('scope_missing')
    const bare = new Koa()
    const unguarded = new Router()
    bare.use(unguarded.routes())
    mounterFor(unguarded)?.mount(unguarded, [
      {
        method: 'all',
        path: '/orders',
        placement: undefined,
        handler: (context) => Object.assign(context as Context, { body: 'orders' }), // Koa's own
      },
    ])
    expect(await served.call(bare, '/orders', { method: 'DELETE' })).toMatchObject({ status: 500 })
    app.use(unguarded.routes())
    const guarded = new Koa()
    guarded.use(countersign(guard)).use(unguarded.routes())
    expect((await served.call(guarded, '/orders', { method: 'DELETE' })).code).toBe('route_undeclared')
    expect(mounterFor(app)).toBeUndefined()
  })

  test('an instrumentation that hides a declaration behind a function of its own opens nothing', async () => {
    const issuer = await testIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    closing.push(() => guard.close())
    const hide =
      (hidden: Middleware): Middleware =>
      async (context, next) =>
        hidden(context, next)
    const app = new Koa()
    const router = new Router()
    router.get(
      '/x',
      hide(requireScopes('a:b')),
      hide((context) => void (context.body = 'x')),
    )
    router.get(
      '/open',
      hide(unprotected('open')),
      hide((context) => void (context.body = 'open')),
    )
    app.use(hide(countersign(guard))).use(router.routes())
    const headers = await bearer(issuer, 'a:b')
    expect((await served.call(app, '/x', { headers })).code).toBe('route_undeclared')
    expect((await served.call(app, '/open', { headers })).code).toBe('route_undeclared')
  })
})

// What the syntax of decorators comes to in the legacy dialect.
function decorate(Orders: new () => object): void {
  const method = (name: string, ...decorators: readonly unknown[]): void => {
    const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, name)
    for (const decorator of decorators.toReversed()) call(decorator, Orders.prototype, name, descriptor)
  }
  method('find', Get('/:id'))
  method('create', Post('/'), RequireScopes('orders:write'))
  method('open', Get('/open'))
  call(RequireScopes('orders:read'), Orders)
  call(Controller('/orders'), Orders)
}
const call = (decorator: unknown, ...site: readonly unknown[]): unknown =>
  (decorator as (...args: readonly unknown[]) => unknown)(...site) // a decorator, as compilers call it
