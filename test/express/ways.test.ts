import {
  authenticated,
  callerOf,
  countersign,
  createGuard,
  requireScopes,
  requires,
  sealRoutes,
  unprotected,
  type Guard,
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { NextFunction, Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { routerOf } from '../../packages/express/src/framework.ts'
import { waysTo } from '../../packages/express/src/ways-to-route.ts'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

// By which way a request came to its route, and what was asked on that way alone.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('the way to a route of %s', (_name, express) => {
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  const handler = (_request: Request, response: Response): void => void response.send('answered')
  const passOn = (_request: Request, _response: Response, next: NextFunction): void => next()

  beforeEach(async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = express()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  const lines = (): readonly string[] =>
    guard
      .census()
      .map(
        ({ method, path, requirement, status }) =>
          `${method} ${path}: ${requirement ?? 'nothing'}${status === 'declared' ? '' : `, ${status}`}`,
      )
  const routes = async (path: string, headers = {}): Promise<readonly string[]> =>
    (await served.call(path, { headers })).events.map(({ route }) => route)

  test('is not opened by an `unprotected` at another path, nor by one that a handler was put behind', async () => {
    app.use(countersign(guard))
    const router = (): ReturnType<typeof express.Router> => express.Router().get('/x', handler)
    app.use('/a', unprotected('alone'))
    app.use('/b', router())
    app.use('/c', unprotected('taken'), passOn, router())
    app.use('/d', unprotected('this one'), router())
    await expect(sealRoutes(app)).rejects.toThrow('use /a')
    expect(lines()).toEqual([
      'GET /b/x: nothing, undeclared',
      'GET /c/x: nothing, undeclared',
      'GET /d/x: unprotected(this one)',
    ])
    expect((await served.call('/b/x')).code).toBe('route_undeclared')
    expect((await served.call('/c/x')).code).toBe('route_undeclared')
    expect((await served.call('/d/x')).body).toBe('answered')
  })

  test('stays open in a router behind a handler of the one that was opened', async () => {
    app.use(countersign(guard))
    const pages = express.Router()
    pages.use(passOn)
    pages.use(express.Router().get('/about', handler))
    app.use('/pages', unprotected('public pages'), pages)
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /pages/about: unprotected(public pages)'])
    expect((await served.call('/pages/about')).body).toBe('answered')
  })

  test('is not opened by an `unprotected` in a `use` at the very path of the route', async () => {
    app.use(countersign(guard))
    app.use('/x', unprotected('alone'))
    app.get('/x', handler)
    await expect(sealRoutes(app)).rejects.toThrow('use /x')
    expect(lines()).toEqual(['GET /x: nothing, undeclared'])
    expect((await served.call('/x')).code).toBe('declaration_misplaced')
  })

  test('begins at a floor also where the router behind it was mounted while requests came', async () => {
    app.use(countersign(guard))
    app.use(requires(authenticated()))
    await served.call('/nothing')
    app.use('/late', express.Router().get('/y', handler))
    const answer = await served.call('/late/y', { headers: await bearer(issuer) })
    expect(answer.events.map(({ route, requirement }) => [route, requirement])).toEqual([
      ['GET /late/y', 'authenticated()'],
    ])
    expect(answer.body).toBe('answered')
  })

  test('is not that of a mounted application where a function calls it', async () => {
    app.use(countersign(guard))
    const both = express()
    both.use('/inner', express.Router().get('/y', unprotected('open'), handler))
    app.use('/mounted', requires(authenticated()), both)
    app.use('/called', (request, response, next) => void both(request, response, next))
    await sealRoutes(app)
    const headers = await bearer(issuer)
    expect(await routes('/mounted/inner/y', headers)).toEqual(['GET /mounted/inner/y'])
    expect(await routes('/called/inner/y', headers)).toEqual(['GET /…/inner/y'])
  })

  test.each(['the application', 'a router'])(
    'is not known where a function calls the guard in %s, and nothing is opened by that',
    async (place) => {
      const put = countersign(guard)
      const api = place === 'a router' ? express.Router() : app
      if (api !== app) app.use('/api', api)
      api.use((request, response, next) => put(request, response, next))
      api.get('/open', unprotected('open'), handler)
      api.get('/asks', requireScopes('orders:read'), handler)
      api.get('/silent', handler)
      api.use('/beside', requireScopes('orders:read'), handler)
      api.use('/inner', express.Router().get('/open', unprotected('open'), handler).get('/silent', handler))
      const base = api === app ? '' : '/api'
      const headers = await bearer(issuer, 'orders:read')
      // The first request came to the guard before anybody followed it.
      expect(await routes(`${base}/inner/open`)).toEqual([
        api === app ? 'GET /inner/open' : 'GET /…/inner/open',
      ])
      for (const _ of [1, 2]) {
        expect((await served.call(`${base}/open`)).body).toBe('answered')
        expect((await served.call(`${base}/asks`)).code).toBe('credential_missing')
        expect((await served.call(`${base}/asks`, { headers })).body).toBe('answered')
        expect((await served.call(`${base}/silent`, { headers })).code).toBe('route_undeclared')
        expect((await served.call(`${base}/beside`)).code).toBe('credential_missing')
        expect((await served.call(`${base}/inner/open`)).body).toBe('answered')
        expect((await served.call(`${base}/inner/silent`, { headers })).code).toBe('route_undeclared')
      }
      expect(await routes(`${base}/inner/open`)).toEqual([`GET ${base}/inner/open`])
    },
  )

  test('is told by the place of a guard in a router that is mounted twice, once that is known', async () => {
    const guarded = express
      .Router()
      .use(countersign(guard))
      .use(express.Router().get('/x', unprotected('open'), handler))
    app.use('/one', guarded)
    app.use('/two', guarded)
    await sealRoutes(app)
    expect(await routes('/two/x')).toEqual(['GET /two/x'])
    expect(await routes('/one/x')).toEqual(['GET /one/x'])
  })

  test('is that of the guard that was met, where there are several', async () => {
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app.use('/one', countersign(guard), express.Router().get('/x', unprotected('open'), handler))
    app.use('/two', countersign(other), express.Router().get('/x', unprotected('open'), handler))
    expect(await routes('/two/x')).toEqual(['GET /two/x'])
    expect(await routes('/one/x')).toEqual(['GET /one/x'])
    other.close()
  })

  test('is one for each place, and no other route’s', () => {
    const router = express.Router()
    const found = router.route('/x').get(handler)
    router.get('/y', handler)
    app.use('/one', router)
    app.use('/two', router)
    expect(waysTo(found as never, routerOf(app)).map(({ path }) => path)).toEqual(['/one', '/two'])
  })

  test('begins at the guard for a request that was passed on by a route before it', async () => {
    app.get('/x', passOn)
    app.use('/x', countersign(guard), express.Router().get('/', requireScopes('orders:read'), handler))
    for (const _ of [1, 2]) {
      expect((await served.call('/x')).code).toBe('credential_missing')
      expect((await served.call('/x', { headers: await bearer(issuer, 'orders:read') })).body).toBe(
        'answered',
      )
    }
  })

  test('is no concern of a route that is reached past the guard, too', async () => {
    const shared = express.Router().get('/x', (request, response) => {
      response.send(`${request.route.path} ${typeof callerOf(request)}`)
    })
    app.use('/free', shared)
    app.use('/api', countersign(guard), requires(authenticated()), shared)
    expect((await served.call('/api/x', { headers: await bearer(issuer) })).body).toBe('/x object')
    expect((await served.call('/free/x')).body).toBe('/x undefined')
    expect((await served.call('/api/x')).code).toBe('credential_missing')
  })

  test('ends in a route of a router deep down that was mounted while requests came, from the first one on', async () => {
    app.use(countersign(guard))
    const outer = express.Router()
    app.use('/outer', outer)
    app.use(handler)
    await served.call('/outer')
    outer.use('/late', express.Router().get('/x', unprotected('passes on'), passOn))
    outer.use(handler)
    for (const _ of [1, 2]) {
      const answer = await served.call('/outer/late/x')
      expect([answer.code, answer.body.includes('answered')]).toEqual(['route_undeclared', false])
    }
  })

  test('is followed through applications within each other, and each route is listed once', async () => {
    const middle = express()
    const inner = express()
    inner.use(countersign(guard))
    inner.get('/x', unprotected('open'), handler)
    middle.use('/middle', inner)
    app.use('/sub', middle)
    expect(await routes('/sub/middle/x')).toEqual(['GET /x'])
    // No guard stands in what is around it, so it speaks for itself.
    expect(lines()).toEqual(['GET /x: unprotected(open)'])
    app.use(countersign(guard))
    await sealRoutes(app)
    expect(lines()).toEqual(['GET /sub/middle/x: unprotected(open)'])
  })
})
