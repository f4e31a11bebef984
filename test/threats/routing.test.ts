import { createGuard, type FetchDocument } from '@countersign/core'
import { countersign, requireScopes, requires, unprotected, authenticated } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { describe, expect, test, vi } from 'vitest'
import { jsonDocument } from '../core/support/network.ts'
import { createHouse } from '../core/support/house.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

const idp = await createTestIssuer()
const options = { audience: 'orders', issuers: [idp] as const, log: false as const }
const reader = bearer(await idp.token('reader', { scopes: ['orders:read'] }))
const admin = bearer(await idp.token('admin', { scopes: ['orders:read', 'admin:write'] }))

describe.each(expressVersions)('%s', (_version, express) => {
  /** How often a handler that needs `admin:write` ran. */
  let ran = 0
  const secret: RequestHandler = (_request, response) => {
    ran += 1
    response.send('SECRET')
  }

  function house() {
    ran = 0
    const app = express()
    app.use(countersign(options))
    const inner = express.Router()
    inner.get('/secret', requires(authenticated()), secret)
    inner.all('/any', requires(authenticated()), secret)
    const floor = express.Router()
    floor.use(requireScopes('admin:write'))
    floor.use('/deep', inner)
    floor.get('/secret', requires(authenticated()), secret)
    floor.get('/undeclared', secret)
    app.use('/admin', floor)
    app.use(['/array-one', '/array-two'], floor)
    app.use(/^\/pattern/, floor)
    app.use('/tenants/:tenant', floor)
    app.get('/orders/:id', requireScopes('admin:write'), secret)
    app.get(['/one', '/two'], requireScopes('admin:write'), secret)
    app.get(/^\/expression(\d+)?$/, requireScopes('admin:write'), secret)
    app.get('/bare', secret)
    app.use(
      '/assets',
      unprotected('public assets'),
      (_request: Request, _response: Response, next: NextFunction) => next(),
    )
    // Declared by nobody: it runs, and what it answers is replaced (the latch), so it is not counted.
    app.use('/assets', (_request, response) => void response.send('SECRET'))
    app.get('/open', unprotected('liveness probe'), (_request, response) => void response.send('open'))
    return app
  }

  const tricks = [
    '/admin/secret',
    '/ADMIN/SECRET',
    '/admin/secret/',
    '/admin//secret',
    '//admin/secret',
    '/admin/./secret',
    '/open/../admin/secret',
    '/admin/deep/../secret',
    '/%61dmin/secret',
    '/admin/%73ecret',
    '/admin%2Fsecret',
    '/admin%252Fsecret',
    '/admin/secret%00',
    '/admin/secret%20',
    '/admin/secret;x=y',
    '/admin;x/secret',
    '/admin/secret?open',
    '/admin/secret?/open',
    '/admin/secret#open',
    '/admin\\secret',
    '/admin/secret.json',
    'http://orders.internal/admin/secret',
    'http://attacker.test/admin/secret',
    'HTTP://orders.internal//admin/secret',
    '/admin/deep/secret',
    '/admin/deep//secret',
    '/admin/deep/any',
    '/array-one/secret',
    '/array-two/deep/secret',
    '/pattern/secret',
    '/tenants/open/secret',
    '/tenants/%2e%2e/secret',
    '/tenants/a%2Fb/deep/secret',
    '/orders/1',
    '/orders/..%2fopen',
    '/orders/%E0%A4%A',
    '/Orders/1/',
    '/one',
    '/two?x',
    '/expression1',
    '/bare',
    '/bare/',
    '/admin/undeclared',
    '/assets/nothing',
    '/assets/../admin/secret',
  ]

  test('T46 no spelling of a path reaches a handler past what its route asks', async () => {
    await using served = await serve(house())
    for (const target of tricks) {
      for (const headers of [[], [reader]]) {
        const answer = await served.get(target, ...headers)
        expect(answer.body, target).not.toContain('SECRET')
        expect([400, 401, 403, 404], `${target} is ${answer.status}`).toContain(answer.status)
      }
    }
    expect(ran).toBe(0)
  })

  test('T46 the same routes let through who may call them', async () => {
    await using served = await serve(house())
    for (const target of [
      '/admin/secret',
      '/ADMIN/secret/',
      '/admin/deep/secret',
      '/array-two/secret',
      '/tenants/a/secret',
      '/orders/1',
      '/two',
      '/expression7',
    ]) {
      expect(await served.get(target, admin), target).toMatchObject({ status: 200, body: 'SECRET' })
    }
    expect(await served.get('/open')).toMatchObject({ status: 200, body: 'open' })
    expect(await served.get('/bare', admin)).toMatchObject({ status: 403 })
    expect(await served.get('/assets/nothing', admin)).toMatchObject({ status: 403 })
  })

  test.each([
    'X-HTTP-Method-Override: GET',
    'X-HTTP-Method: GET',
    'X-Method-Override: GET',
    'X-Original-URL: /open',
    'X-Rewrite-URL: /open',
    'X-Forwarded-Prefix: /open',
    'X-Forwarded-Path: /open',
    'X-Forwarded-Uri: /open',
  ])('T46 a request does not choose another route by `%s`', async (header) => {
    await using served = await serve(house())
    expect((await served.get('/orders/1', header, reader)).status).toBe(403)
    expect((await served.raw('POST /orders/1 HTTP/1.1', header, 'Content-Length: 0')).status).toBe(404)
    expect(ran).toBe(0)
  })

  test.each(['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'POST', 'DELETE', 'M-SEARCH', 'QUERY'])(
    'T47 %s is a method like any other: it reaches no handler unasked, and starts no answer of its own',
    async (method) => {
      await using served = await serve(house())
      for (const path of [
        '/admin/secret',
        '/admin/deep/any',
        '/orders/1',
        '/bare',
        '/one',
        '/tenants/a/secret',
      ]) {
        const answer = await served.raw(`${method} ${path} HTTP/1.1`, 'Content-Length: 0')
        expect([400, 401, 403, 404], `${method} ${path} is ${answer.status}`).toContain(answer.status)
        const known = await served.raw(`${method} ${path} HTTP/1.1`, 'Content-Length: 0', reader)
        expect([400, 403, 404], `${method} ${path} is ${known.status}`).toContain(known.status)
      }
      expect(ran).toBe(0)
    },
  )

  test('T47 HEAD is answered by what GET declares, and a HEAD of its own by what it declares', async () => {
    const app = express()
    app.use(countersign(options))
    app.get('/a', requireScopes('admin:write'), secret)
    app.head('/b', requireScopes('admin:write'), secret)
    app.get('/b', requireScopes('orders:read'), secret)
    app.options('/c', requireScopes('admin:write'), secret)
    app.get('/c', unprotected('open'), secret)
    await using served = await serve(app)
    const status = async (line: string, ...headers: string[]) =>
      (await served.raw(`${line} HTTP/1.1`, ...headers)).status
    expect([
      await status('HEAD /a'),
      await status('HEAD /a', reader),
      await status('HEAD /a', admin),
    ]).toEqual([401, 403, 200])
    expect([
      await status('HEAD /b', reader),
      await status('GET /b', reader),
      await status('HEAD /b', admin),
    ]).toEqual([403, 200, 200])
    expect([await status('OPTIONS /c'), await status('GET /c'), await status('OPTIONS /c', admin)]).toEqual([
      401, 200, 200,
    ])
  })

  test.each([
    'Token',
    'JWT',
    'Basic',
    'DPoP',
    'Bearer2',
    'xBearer',
    'Bearer,',
    'OAuth',
    'Negotiate',
    'Bear er',
  ])('T51 a good token behind the word %s is no credential', async (word) => {
    await using served = await serve(house())
    const token = admin.slice('Authorization: Bearer '.length)
    const answer = await served.get('/admin/secret', `Authorization: ${word} ${token}`)
    expect(answer.status).toBe(401)
    expect(answer.body).not.toContain('SECRET')
  })

  test('T51 a token in the query, in a cookie or in another header is no credential', async () => {
    await using served = await serve(house())
    const token = admin.slice('Authorization: Bearer '.length)
    const places = [
      `Cookie: access_token=${token}`,
      `X-Access-Token: ${token}`,
      `Proxy-Authorization: Bearer ${token}`,
    ]
    for (const header of places) expect((await served.get('/admin/secret', header)).status).toBe(401)
    expect((await served.get(`/admin/secret?access_token=${token}`)).status).toBe(400)
    expect((await served.get(`/admin/secret?access_token=${token}`, admin)).status).toBe(400)
  })

  test('T52 whatever fails behind a decision, no handler runs and nothing of the failure is told', async () => {
    const detail = 'ECONNREFUSED 10.0.0.7:8443 secret-host'
    const failures: readonly FetchDocument[] = [
      () => {
        throw new Error(detail)
      },
      () => Promise.reject(new Error(detail)),
      () => Promise.reject(undefined),
      () => Promise.resolve(undefined as never),
      () => Promise.resolve(jsonDocument({ keys: [null] }, { 'cache-control': 'max-age=NaN' })),
    ]
    for (const fetch of failures) {
      const { token } = createHouse()
      const guard = createGuard(
        {
          audience: 'orders',
          issuers: [{ issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/k' }],
          log: false,
        },
        { fetch },
      )
      const app = express()
      let handled = 0
      app.use(countersign(guard))
      app.get('/', requires(authenticated()), (_request, response) => {
        handled += 1
        response.send('SECRET')
      })
      await using served = await serve(app)
      const answer = await served.get('/', bearer(token()))
      expect(answer.status).toBe(503)
      expect(`${answer.head}${answer.body}`).not.toContain('secret-host')
      expect(answer.body).not.toContain('SECRET')
      expect(handled).toBe(0)
    }
  })

  test('T52 a clock or a logger that fails lets nobody through, and the process lives on', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const { freshGuard, token, signer } = createHouse()
    freshGuard().close()
    const surroundings = [
      {
        clock: {
          now: () => {
            throw new Error('no time')
          },
        },
      },
      { clock: { now: () => Number.NaN } },
    ]
    for (const environment of surroundings) {
      const guard = createGuard(
        {
          audience: 'orders',
          issuers: [{ issuer: 'https://issuer.test', jwks: { keys: [signer.jwk] } }],
          log: false,
        },
        environment,
      )
      const app = express()
      app.use(countersign(guard))
      app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
      await using served = await serve(app)
      const answer = await served.get('/', bearer(token()))
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.body).not.toContain('SECRET')
      expect(answer.body).not.toContain('no time')
    }
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('T52 a declaration without a guard before it runs nothing', async () => {
    const app = express()
    app.set('env', 'test')
    app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    const answer = await served.get('/', admin)
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('SECRET')
  })
})
