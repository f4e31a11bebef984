// Without any connection of Node, as on other runtimes, and with every router that Hono has.
import { callerOf, countersign, createGuard, requireScopes, unprotected, type Guard } from '@countersign/hono'
import { createTestCa, createTestProofKey, type TestIssuer } from '@countersign/testing'
import type { Context, Hono as App, Next } from 'hono'
import { every, some } from 'hono/combine'
import { methodOverride } from 'hono/method-override'
import { LinearRouter } from 'hono/router/linear-router'
import { PatternRouter } from 'hono/router/pattern-router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { TrieRouter } from 'hono/router/trie-router'
import type { Router } from 'hono/router'
import type { H, RouterRoute } from 'hono/types'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, fetched, honoVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

let guard: Guard
const lines: string[] = []
beforeEach(() => {
  lines.length = 0
  guard = createGuard({
    audience: 'orders',
    issuers: [issuer],
    log: { warn: (line) => void lines.push(line) },
  })
})
afterEach(() => guard.close())

describe.each(honoVersions)('%s without a connection', (_name, Hono) => {
  let app: App
  beforeEach(() => {
    app = new Hono()
    app.use(countersign(guard))
    app.get('/orders/:id', requireScopes('orders:read'), (c) =>
      c.text(`${c.req.param('id')} ${c.var.caller.id}`),
    )
    app.use('/forgotten', async (c, _next) => c.text('secret'))
    app.get('/seen', unprotected('shows headers'), (c) => c.json(c.req.header()))
  })

  test('decides by tokens, and answers HEAD without a body', async () => {
    expect(await fetched(app, '/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
    const headers = await bearer(issuer, 'orders:read')
    expect((await fetched(app, '/orders/7', { headers })).body).toBe('7 https://issuer.test#client=checkout')
    expect((await fetched(app, '/orders/7', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect(await fetched(app, '/orders/7', { method: 'HEAD' })).toMatchObject({ status: 401, body: '' })
    expect(await fetched(app, '/nothing')).toMatchObject({ status: 404, events: [] })
    app = new Hono()
    app.use(countersign(guard))
    app.use('/below/*', requireScopes('orders:read'), async (c, _next) => c.text('below'))
    app.use('/forgotten', async (c, _next) => c.text('secret'))
    const below = await fetched(app, '/below/it', { headers })
    expect([below.body, below.events.map(({ route }) => route)]).toEqual(['below', ['use /below/*']])
    const forgotten = await fetched(app, '/forgotten')
    expect([forgotten.code, forgotten.body.includes('secret')]).toEqual(['route_undeclared', false])
    const head = await fetched(app, '/forgotten', { method: 'HEAD' })
    expect([head.status, head.events[0]?.route]).toEqual([403, 'HEAD (outside any route)'])
  })

  test('refuses two Authorization fields, which Fetch has joined', async () => {
    const { authorization } = await bearer(issuer, 'orders:read')
    const headers = new Headers([
      ['authorization', authorization],
      ['authorization', authorization],
    ])
    const answer = await fetched(app, '/orders/7', { headers })
    expect([answer.status, answer.code]).toEqual([401, 'token_malformed'])
  })

  test('names no method that a caller made up', async () => {
    app.all('/any', requireScopes('a:b'), (c) => c.text('any'))
    const answer = await fetched(app, '/any', { method: 'ATTACK' })
    expect([answer.code, answer.events[0]?.route]).toEqual(['credential_missing', '* /any'])
    const latched = await fetched(app, '/forgotten', { method: 'ATTACK' })
    expect(latched.events[0]?.route).toBe('* (outside any route)')
  })

  test('deletes identity headers, also where the headers that came cannot be changed', async () => {
    const headers = { 'client-cert': ':AAAA:', 'x-kept': '1' }
    expect(JSON.parse((await fetched(app, '/seen', { headers })).body)).toEqual({ 'x-kept': '1' })
    const frozen = new Request('http://localhost/seen', { headers })
    Object.defineProperty(frozen.headers, 'delete', {
      value() {
        throw new TypeError('immutable')
      },
    })
    expect(await (await app.request(frozen)).json()).toEqual({ 'x-kept': '1' })
  })

  test('holds a proof of possession against the URL that came', async () => {
    const key = await createTestProofKey()
    const bound = await issuer.token('checkout', { scopes: ['orders:read'], boundTo: key })
    const proving = createGuard({
      audience: 'orders',
      issuers: [issuer],
      dpop: { externalUrl: 'https://api.example' },
      log: false,
    })
    const other = new Hono()
    other.use(countersign(proving))
    other.get('/orders', requireScopes('orders:read'), (c) => c.text(c.var.caller.provenBy.join()))
    const headers = { ...(await key.headersFor(bound, { url: 'https://api.example/orders' })) }
    expect((await fetched(other, '/orders?all', { headers })).body).toBe('token,boundToken,dpop')
    expect((await fetched(other, '/orders?all', { headers })).code).toBe('dpop_proof_replayed')
    const elsewhere = { ...(await key.headersFor(bound, { url: 'https://api.example/other' })) }
    expect((await fetched(other, '/orders', { headers: elsewhere })).code).toBe('dpop_proof_mismatch')
    proving.close()
  })

  test('takes what another runtime binds to the name of a connection for none', async () => {
    const headers = await bearer(issuer, 'orders:read')
    for (const env of [{ incoming: {} }, { incoming: null }, { incoming: 'queue' }, null]) {
      expect((await app.request('/orders/7', { headers }, env as object)).status).toBe(200)
      expect((await app.request('/orders/7', {}, env as object)).status).toBe(401)
    }
  })

  test('says once that client certificates cannot be seen', async () => {
    const ca = await createTestCa()
    const trusting = createGuard({
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      log: { warn: (line) => void lines.push(line) },
    })
    const other = new Hono()
    other.use(countersign(trusting))
    other.get('/', unprotected('x'), (c) => c.text('x'))
    for (let i = 0; i < 2; i += 1) await other.request('/')
    expect(lines.filter((line) => line.includes('no client certificate can be seen'))).toHaveLength(1)
    trusting.close()
  })

  test('speaks of nothing where no certificate is asked for', async () => {
    await app.request('/seen')
    expect(lines).toEqual([])
  })
})

describe.each(honoVersions)('%s with middlewares of its own', (_name, Hono) => {
  test('decides for the route that a method override chooses, before the guard', async () => {
    const app = new Hono()
    app.use(methodOverride({ app, header: 'x-method' }))
    app.use(countersign(guard))
    app.post('/orders', unprotected('everybody may'), (c) => c.text('made'))
    app.delete('/orders', requireScopes('orders:delete'), (c) => c.text('deleted'))
    const served = await ServedApp.start(app)
    const call = { method: 'POST', headers: { 'x-method': 'DELETE' } }
    expect((await served.call('/orders', { method: 'POST' })).body).toBe('made')
    const refused = await served.call('/orders', call)
    expect([refused.code, refused.events[0]?.route]).toEqual(['credential_missing', 'DELETE /orders'])
    const headers = { ...call.headers, ...(await bearer(issuer, 'orders:delete')) }
    expect((await served.call('/orders', { ...call, headers })).body).toBe('deleted')
    await served.close()
  })

  test('a guard that is left out for some requests leaves them to nobody', async () => {
    const app = new Hono()
    const ran: string[] = []
    const own = countersign(guard)
    // First it is led past, then not: what was prepared for one request has to hold for the next.
    app.use('/late/*', async (c, next) => (c.req.query('early') === undefined ? next() : own(c, next)))
    app.get('/late/*', async (_c, next) => {
      ran.push('between')
      await next()
    })
    app.use(own)
    app.get('/late/it', requireScopes('a:b'), (c) => c.text('it'))
    expect((await fetched(app, '/late/it')).code).toBe('credential_missing')
    expect(ran).toEqual(['between'])
    expect((await fetched(app, '/late/it?early')).code).toBe('route_undeclared')
    expect(ran).toEqual(['between'])
    expect((await fetched(app, '/late/it')).code).toBe('credential_missing')
    const allowed = await fetched(app, '/late/it', { headers: await bearer(issuer, 'a:b') })
    expect([allowed.body, allowed.events.length]).toEqual(['it', 1])
  })

  test('a refusal within `every` or `some` is one, and an allow is none for what stands beside', async () => {
    const app = new Hono()
    app.use(countersign(guard))
    app.use(
      '/every/*',
      every(requireScopes('a:b'), async (_c: Context, next: Next) => next()),
    )
    app.get('/every/it', unprotected('cannot undo it'), (c) => c.text('secret'))
    app.use(
      '/some/*',
      some(requireScopes('a:b'), () => true),
    )
    app.get('/some/it', unprotected('cannot undo it'), (c) => c.text('secret'))
    app.use('/alone/*', every(requireScopes('a:b')), async (c, _next) => c.text('secret'))
    for (const path of ['/every/it', '/some/it', '/alone/it']) {
      const answer = await fetched(app, path)
      expect([path, answer.body.includes('secret')]).toEqual([path, false])
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
    const headers = await bearer(issuer, 'a:b')
    expect((await fetched(app, '/every/it', { headers })).body).toBe('secret')
    // Nobody knows for what it spoke, so the handler beside it stays undeclared.
    expect((await fetched(app, '/alone/it', { headers })).code).toBe('route_undeclared')
  })
})

type Entry = [H, RouterRoute]
const routers: readonly (readonly [name: string, router: () => Router<Entry>])[] = [
  ['RegExpRouter', () => new RegExpRouter<Entry>()],
  ['TrieRouter', () => new TrieRouter<Entry>()],
  ['LinearRouter', () => new LinearRouter<Entry>()],
  ['PatternRouter', () => new PatternRouter<Entry>()],
]

describe.each(honoVersions)('%s', (_version, Hono) => {
  test.each(routers)('guards the same with its %s', async (_name, router) => {
    const app = new Hono({ router: router(), strict: false })
    const ran: string[] = []
    app.use(countersign(guard))
    app.use('/admin/*', requireScopes('admin:read'))
    app.get('/admin/:what', unprotected('cannot undo the floor'), (c) =>
      c.text(`admin ${c.req.param('what')}`),
    )
    app.get('/orders/:id', requireScopes('orders:read'), async (_c, next) => {
      ran.push('first')
      await next()
    })
    app.get('/orders/*', (c) => c.text('secret'))
    app.get('/pages', unprotected('pages'), (c) => c.text(callerOf(c)?.id ?? 'undefined'))
    const headers = await bearer(issuer, 'orders:read')
    for (let i = 0; i < 2; i += 1) {
      expect((await fetched(app, '/admin/it')).code).toBe('credential_missing')
      expect((await fetched(app, '/admin/it', { headers })).code).toBe('scope_missing')
      const admin = await bearer(issuer, 'admin:read')
      expect((await fetched(app, '/admin/it', { headers: admin })).body).toBe('admin it')
      expect((await fetched(app, '/orders/7')).code).toBe('credential_missing')
      expect(ran).toHaveLength(i)
      const onward = await fetched(app, '/orders/7', { headers })
      expect(onward.events.map(({ route, code }) => [route, code])).toEqual([
        ['GET /orders/:id', null],
        ['GET /orders/*', 'route_undeclared'],
      ])
      expect((await fetched(app, '/pages/')).body).toBe('undefined')
    }
  })

  test('guards what a `getPath` of the application leads to', async () => {
    const app = new Hono({ getPath: (request) => `/${new URL(request.url).searchParams.get('tenant')}` })
    app.use(countersign(guard))
    app.get('/a', unprotected('a'), (c) => c.text('a'))
    app.get('/b', requireScopes('b:read'), (c) => c.text('b'))
    expect((await fetched(app, '/b?tenant=a')).body).toBe('a')
    expect((await fetched(app, '/a?tenant=b')).code).toBe('credential_missing')
  })

  test('refuses to serve on a release that keeps what it has matched in another way', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      Object.defineProperty(c, 'req', {
        value: Object.setPrototypeOf({ raw: c.req.raw, routeIndex: 0 }, { [Symbol('other')]: [[{}]] }),
      })
      await next()
    })
    app.use(countersign(guard))
    app.get('/orders', (c) => c.text('secret'))
    app.onError((error, c) => c.text(error.message, 500))
    const answer = await fetched(app, '/orders')
    expect([answer.status, answer.body]).toEqual([
      500,
      'this release of Hono keeps what it has matched in another way',
    ])
  })
})
