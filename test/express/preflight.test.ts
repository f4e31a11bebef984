import {
  authenticated,
  callerOf,
  countersign,
  createGuard,
  requireScopes,
  requires,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import cors from 'cors'
import type { NextFunction, Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { serve } from '../threats/support/served.ts'
import { ServedApp, bearer, expressVersions, testIssuer, type Answer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

const asked = { origin: 'https://shop.test', 'access-control-request-method': 'GET' }

describe.each(expressVersions)('a CORS preflight on %s', (_name, express) => {
  let app: ReturnType<typeof express>
  let served: ServedApp
  let ran: string[]
  const guards: Guard[] = []
  const handler = (label: string) => (_request: Request, response: Response) => {
    ran.push(label)
    response.send(label)
  }

  beforeEach(async () => {
    ran = []
    app = express()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    for (const guard of guards.splice(0)) guard.close()
  })

  function guardWith(preflight: GuardOptions['preflight'], undeclared?: GuardOptions['undeclared']) {
    const made = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: false,
      ...(preflight === undefined ? {} : { preflight }),
      ...(undeclared === undefined ? {} : { undeclared }),
    })
    guards.push(made)
    return countersign(made)
  }

  const preflight = (path: string, headers: Readonly<Record<string, string>> = asked): Promise<Answer> =>
    served.call(path, { method: 'OPTIONS', headers })
  const isGranted = (answer: Answer): void => {
    expect([answer.status, answer.body, answer.headers['access-control-allow-origin']]).toEqual([
      204,
      '',
      '*',
    ])
  }

  test.each(['pass', 'refuse', undefined] as const)(
    'is answered by cors() before the guard, under %o',
    async (option) => {
      app.use(cors())
      app.use(guardWith(option))
      app.get('/orders', requireScopes('orders:read'), handler('orders'))
      const answer = await preflight('/orders')
      isGranted(answer)
      expect(answer.events).toEqual([])
      expect((await served.call('/orders', { headers: asked })).headers['access-control-allow-origin']).toBe(
        '*',
      )
    },
  )

  test('is answered by cors() behind the guard where the guard passes it on, with no caller and no body', async () => {
    app.use(guardWith('pass'))
    app.use((request, _response, next) => {
      expect(callerOf(request)).toBeUndefined()
      next()
    })
    app.use(
      cors({ origin: 'https://shop.test', allowedHeaders: ['authorization'], maxAge: 60, methods: ['GET'] }),
    )
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await preflight('/orders', { ...asked, ...(await bearer(issuer, 'orders:read')) })
    expect([answer.status, answer.body]).toEqual([204, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'authorization',
      'access-control-max-age': '60',
      'access-control-allow-origin': 'https://shop.test',
      vary: 'Origin',
    })
    expect(answer.events).toMatchObject([
      {
        outcome: 'allow',
        route: 'OPTIONS (CORS preflight)',
        requirement: 'unprotected(CORS preflight)',
        caller: null,
        verification: 'none',
      },
    ])
    expect((await served.call('/orders', { headers: asked })).code).toBe('credential_missing')
    expect(ran).toEqual([])
  })

  test.each(['refuse', undefined] as const)('is a request like any other under %o', async (option) => {
    app.use(guardWith(option))
    app.use('/use', cors())
    app.get('/automatic', requireScopes('orders:read'), handler('automatic'))
    app.options('/handled', cors())
    app.options('/declared', unprotected('CORS preflight'), cors())
    for (const path of ['/use', '/automatic', '/handled']) {
      const answer = await preflight(path)
      expect([answer.status, answer.code], path).toEqual([403, 'route_undeclared'])
    }
    isGranted(await preflight('/declared'))
  })

  test('goes on to what the application has for OPTIONS, and to Express’s own answer', async () => {
    app.use(guardWith('pass', authenticated()))
    app.options('/handled', cors())
    app.get('/handled', requireScopes('orders:read'), handler('handled'))
    app.use('/continued', cors({ preflightContinue: true }))
    app.get('/continued', requireScopes('orders:read'), handler('continued'))
    app.post('/continued', requireScopes('orders:write'), handler('continued'))
    isGranted(await preflight('/handled'))
    const answer = await preflight('/continued')
    expect([answer.status, answer.body]).toEqual([200, ''])
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(answer.headers.allow?.split(/, ?/)).toEqual(expect.arrayContaining(['GET', 'HEAD', 'POST']))
    expect(answer.headers['content-type']).toBeUndefined()
    expect(ran).toEqual([])
  })

  test('is told the same methods of a route that was called before', async () => {
    app.use(guardWith('pass'))
    app.get('/orders', requireScopes('orders:read'), handler('orders'))
    app.use('/router', express.Router().all('/all', requireScopes('orders:read'), handler('all')))
    await served.call('/orders')
    await served.call('/router/all')
    const answer = await preflight('/orders')
    expect([answer.status, answer.headers.allow?.split(/, ?/).toSorted()]).toEqual([200, ['GET', 'HEAD']])
    expect((await served.call('/orders', { method: 'PUT' })).status).toBe(404)
    expect((await served.call('/router/all', { method: 'PUT' })).code).toBe('credential_missing')
  })

  test.each([
    ['no origin', { 'access-control-request-method': 'GET' }],
    ['no method that it asks for', { origin: 'https://shop.test' }],
  ])('is none with %s', async (_what, headers) => {
    app.use(guardWith('pass'))
    app.options('/handled', cors())
    app.use(cors())
    expect((await preflight('/handled', headers)).code).toBe('route_undeclared')
    expect((await preflight('/use', headers)).code).toBe('route_undeclared')
  })

  test.each(['GET', 'HEAD', 'POST', 'TRACE', 'PROPFIND'])('is none by %s', async (method) => {
    app.use(guardWith('pass'))
    app.get('/x', handler('x'))
    app.use(handler('use'))
    for (const path of ['/x', '/use']) {
      const answer = await served.call(path, { method, headers: asked })
      expect(answer.code, path).toBe('route_undeclared')
    }
    expect(ran).not.toContain('x')
  })

  test('reaches no handler of other methods, whatever it may be', async () => {
    app.use(guardWith('pass'))
    app.get('/get', handler('get'))
    app.all('/all', handler('all'))
    app.all('/declared', requireScopes('orders:read'), handler('declared'))
    app.route('/both').all(handler('both')).options(cors())
    app.route('/late').options(handler('late'), requireScopes('orders:read'))
    app.options('/asks', requireScopes('orders:read'), handler('asks'))
    const floor = express.Router()
    floor.use(requireScopes('floor:read'))
    floor.use(handler('behind a floor'))
    app.use('/floor', floor)
    app.use('/beside', requires(authenticated()), handler('beside'))
    expect((await preflight('/all')).code).toBe('route_undeclared')
    expect((await preflight('/both')).code).toBe('route_undeclared')
    expect((await preflight('/late')).code).toBe('declaration_misplaced')
    for (const path of ['/declared', '/asks', '/floor', '/beside']) {
      expect((await preflight(path)).code, path).toBe('credential_missing')
    }
    await preflight('/get')
    expect(ran).toEqual([])
  })

  test('is decided as declared where its handler says who may call, and below a floor', async () => {
    app.use(guardWith('pass'))
    app.options('/open', unprotected('open'), handler('open'))
    const floor = express.Router()
    floor.use(requireScopes('floor:read'))
    floor.options('/x', handler('x'))
    app.use('/floor', floor)
    expect((await preflight('/open')).body).toBe('open')
    const headers = { ...asked, ...(await bearer(issuer, 'floor:read')) }
    const answer = await preflight('/floor/x', headers)
    expect([answer.body, answer.events.length, answer.events[0]?.caller]).toEqual([
      'x',
      1,
      'https://issuer.test#client=checkout',
    ])
  })

  test('gets nothing of a handler that answers it with more than it asks for', async () => {
    app.use(guardWith('pass'))
    app.use('/json', (_request: Request, response: Response) => {
      response.setHeader('x-secret', '1')
      response.setHeader('x-allow', 'secret')
      response.setHeader('vary-x', 'secret')
      response.setHeader('set-cookie', 'secret=1')
      response.statusMessage = 'secret'
      response.json({ secret: 1 })
    })
    app.use('/write', (_request: Request, response: Response) => {
      response.writeHead(200, { 'x-secret': '1' })
      response.write('secret')
      response.end('secret')
    })
    app.use('/redirect', (_request: Request, response: Response) => response.redirect('/secret'))
    app.options('/options', handler('secret'))
    for (const path of ['/json', '/write', '/options']) {
      const answer = await preflight(path)
      expect([answer.status, answer.body, answer.events.length], path).toEqual([200, '', 1])
      expect(JSON.stringify(answer.headers)).not.toContain('secret')
      expect(answer.headers).not.toHaveProperty('x-powered-by')
    }
    expect((await preflight('/redirect')).code).toBe('route_undeclared')
    app.use('/choices', (_request: Request, response: Response) => void response.status(300).end())
    expect((await preflight('/choices')).code).toBe('route_undeclared')
    app.use('/early', (_request: Request, response: Response) => void response.writeHead(103))
    expect((await preflight('/early')).code).toBe('route_undeclared')
  })

  test('is told nothing by a reason phrase', async () => {
    app.use(guardWith('pass'))
    app.use((_request, response) => {
      response.statusMessage = 'secret'
      response.status(200).end()
    })
    await using raw = await serve(app)
    const lines = Object.entries(asked).map(([name, value]) => `${name}: ${value}`)
    expect((await raw.raw('OPTIONS /x HTTP/1.1', ...lines)).head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test('is passed on where it is plain by every way that it may have come, and refused once where it was not', async () => {
    app.use(guardWith('pass'))
    const outer = express.Router()
    app.use('/outer', outer)
    await served.call('/outer')
    const inner = express.Router().options('/x', cors())
    outer.use('/floor', requireScopes('floor:read'), inner)
    outer.use('/free', inner)
    expect((await preflight('/outer/free/x')).code).toBe('route_undeclared')
    isGranted(await preflight('/outer/free/x'))
    expect((await preflight('/outer/floor/x')).code).toBe('credential_missing')
  })

  test('keeps the caller of a floor that was passed away from handlers that nobody declared', async () => {
    app.use(guardWith('pass'))
    app.use('/x', requires(authenticated()))
    app.options('/x/y', handler('y'))
    const answer = await preflight('/x/y', { ...asked, ...(await bearer(issuer)) })
    expect(answer.code).toBe('route_undeclared')
    expect(ran).toEqual([])
  })

  test('keeps errors what they are', async () => {
    app.use(guardWith('pass'))
    app.use('/error', (_request: Request, _response: Response, next: NextFunction) => next(new Error('x')))
    expect((await preflight('/error')).status).toBe(500)
    expect((await preflight('/nothing')).status).toBe(404)
  })
})
