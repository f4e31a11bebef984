import {
  authenticated,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  requires,
  unprotected,
  type Guard,
} from '@countersign/express'
import { createTestCa, type TestIssuer } from '@countersign/testing'
import type { NextFunction, Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { serve } from '../threats/support/served.ts'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

// Ways around the gate, the floors and the latch, each of which once worked in a hostile review.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('%s', (name, express) => {
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  let ran: string[]
  const handler = (label: string) => (_request: Request, response: Response) => {
    ran.push(label)
    response.send(label)
  }
  const passOn = (_request: Request, _response: Response, next: NextFunction): void => next()

  beforeEach(async () => {
    ran = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = express()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  test('a declaration that a skipped route shares with a router stays the floor of the router', async () => {
    app.use(countersign(guard))
    const adminOnly = requireScopes('admin:write')
    app.param('id', (_request, _response, next, id) => next(/^\d+$/.test(id) ? undefined : 'route'))
    app.get('/admin/:id', adminOnly, handler('one'))
    const admin = express.Router()
    admin.use(adminOnly)
    admin.get('/users', requires(authenticated()), handler('users'))
    admin.get('/ping', unprotected('below a floor'), handler('ping'))
    app.use('/admin', admin)
    expect((await served.call('/admin/users', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    expect((await served.call('/admin/ping')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    const allowed = await served.call('/admin/users', { headers: await bearer(issuer, 'admin:write') })
    expect(allowed.body).toBe('users')
  })

  test('an application that is called instead of mounted is guarded all the same', async () => {
    app.use(countersign(guard))
    const sub = express()
    sub.get('/secret', handler('secret'))
    sub.get('/open', unprotected('open'), handler('open'))
    sub.use('/use', handler('use'))
    app.use((request, response, next) => void sub(request, response, next))
    expect((await served.call('/secret')).code).toBe('route_undeclared')
    expect((await served.call('/use')).body).not.toContain('"use"')
    expect((await served.call('/use')).code).toBe('route_undeclared')
    expect((await served.call('/open')).body).toBe('open')
    expect(ran).not.toContain('secret')
  })

  test('an application with two parents is guarded below the guarded one', async () => {
    app.use(countersign(guard))
    const sub = express()
    sub.get('/secret', handler('secret'))
    app.use('/sub', sub)
    express().use('/sub', sub)
    expect((await served.call('/sub/secret')).code).toBe('route_undeclared')
    expect(ran).toEqual([])
  })

  test.each([false, 0, ''])('what was allowed ends with next(%j)', async (nothing) => {
    app.use(countersign(guard))
    const passes = (_request: Request, _response: Response, next: NextFunction): void => next(nothing)
    app.use('/a', unprotected('passes on'), passes)
    app.get('/a/route', handler('route'))
    app.get('/b', unprotected('passes on'), passes)
    app.use('/b', handler('use'))
    expect((await served.call('/a/route')).code).toBe('route_undeclared')
    expect((await served.call('/b')).code).toBe('route_undeclared')
    expect(ran).not.toContain('route')
  })

  test('what was allowed does not outlive an error that is recovered', async () => {
    app.use(countersign(guard))
    app.use('/pub', unprotected('fails'), (_request: Request, _response: Response, next: NextFunction) =>
      next(new Error('bad range')),
    )
    app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
    app.use('/pub', handler('behind'))
    const answer = await served.call('/pub/x')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('behind')
  })

  test('an error handler may answer as it likes for a route that was allowed', async () => {
    app.use(countersign(guard))
    app.get('/page', unprotected('fails'), (_request, _response, next) => next(new Error('broken')))
    app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      response.redirect('/sorry')
    })
    expect((await served.call('/page')).status).toBe(302)
  })

  test('an error handler answers as ever for a request that no guard has seen', async () => {
    app.use('/api', countersign(guard))
    app.get('/fails', () => {
      throw new Error('broken')
    })
    app.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => next(error))
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      response.status(500).send(`handled ${error.message}`)
    })
    await served.call('/api')
    for (const _ of [1, 2]) {
      expect(await served.call('/fails')).toMatchObject({ status: 500, body: 'handled broken', events: [] })
    }
  })

  test('an error handler that passes on leaves what was allowed to nobody behind it', async () => {
    app.use(countersign(guard))
    app.get('/page', unprotected('fails'), (_request, _response, next) => next(new Error('broken')))
    app.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => next(error))
    app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
    app.use(handler('behind'))
    const answer = await served.call('/page')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
  })

  test.each(['route', 'router'] as const)(
    'next(%j) beside a declaration is no failure that an error handler could answer for',
    async (where) => {
      app.use(countersign(guard))
      const router = express.Router()
      router.use(unprotected('passes on'), (_request, _response, next) => next(where))
      app.use(router)
      app.use((_request: Request, _response: Response, next: NextFunction) => next(new Error('broken')))
      app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        response.status(200).send('answered')
      })
      const answer = await served.call('/x')
      expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    },
  )

  test('a handler that passes a request on without an error has not failed, either', async () => {
    app.use(countersign(guard))
    app.use(unprotected('passes on'), passOn)
    app.use((_request: Request, _response: Response, next: NextFunction) => next(new Error('broken')))
    app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      response.status(200).send('answered')
    })
    expect((await served.call('/x')).code).toBe('route_undeclared')
  })

  test.each([
    [
      'throws',
      (_request: Request, _response: Response, _next: NextFunction) => {
        throw new Error('broken')
      },
    ],
    ['says so', (_request: Request, _response: Response, next: NextFunction) => next(new Error('broken'))],
  ] as const)(
    'an error handler may answer for a handler beside a declaration that %s',
    async (_how, fails) => {
      app.use(countersign(guard))
      app.use('/page', unprotected('fails'), fails)
      app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        response.status(200).send('sorry')
      })
      expect(await served.call('/page')).toMatchObject({ status: 200, body: 'sorry' })
    },
  )

  test('a handler that passes a request on twice ends only what was allowed to itself', async () => {
    app.use(countersign(guard))
    app.use('/x', unprotected('passes on'), (_request: Request, _response: Response, next: NextFunction) => {
      next()
      next()
    })
    app.get('/x/slow', unprotected('answers late'), (_request, response) => {
      setImmediate(() => response.send('answered'))
    })
    app.use(() => undefined)
    expect((await served.call('/x/slow')).body).toBe('answered')
  })

  test('what an undeclared handler goes on to write is dropped, in whichever way it answers', async () => {
    app.use(countersign(guard))
    const seen: unknown[] = []
    app.use((_request, response) => {
      response.on('error', (error) => seen.push(error))
      seen.push(response.write('secret'), response.write('secret'))
      response.flushHeaders()
      seen.push(response.writeHead(200) === response, response.end('secret') === response)
    })
    const answer = await served.call('/')
    expect([answer.status, answer.events.length, answer.body.includes('secret"')]).toEqual([403, 1, false])
    await new Promise(setImmediate)
    expect(seen).toEqual([true, true, true, true])
  })

  test('the reason phrase of an undeclared handler goes no further, either', async () => {
    app.use(countersign(guard))
    app.use((_request, response) => {
      response.statusMessage = 'secret'
      response.send('answered')
    })
    await using raw = await serve(app)
    expect((await raw.get('/')).head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
  })

  test('a refusal behind an answer that has begun runs nothing, and breaks nothing', async () => {
    app.use(countersign(guard))
    const errors: unknown[] = []
    app.get('/x', unprotected('begins'), (_request, response, next) => {
      response.write('one ')
      setImmediate(() => response.end('two'))
      next()
    })
    app.get('/x', requireScopes('orders:read'), handler('secret'))
    app.use((error: unknown, _request: Request, _response: Response, _next: NextFunction) => {
      errors.push(error)
    })
    expect(await served.call('/x')).toMatchObject({ body: 'one two', code: 'credential_missing' })
    expect([ran, errors]).toEqual([[], []])
  })

  test('an answer that has begun is brought to its end, whatever was allowed since', async () => {
    app.use(countersign(guard))
    app.get('/x', unprotected('begins'), (_request, response, next) => {
      response.write('one ')
      next()
    })
    app.use((_request, response) => void response.end('two'))
    expect(await served.call('/x')).toMatchObject({ status: 200, body: 'one two', code: null })
  })

  test('the latch holds the very first answer, also where a middleware had wrapped the response before', async () => {
    app.use((_request, response, next) => {
      const end = response.end.bind(response)
      Object.assign(response, { end: (...args: Parameters<typeof end>) => end(...args) })
      next()
    })
    app.use(countersign(guard))
    app.use(handler('secret'))
    const answer = await served.call('/')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('"secret"')
  })

  test('the floor of one router declares nothing for the routes of its neighbours', async () => {
    app.use(countersign(guard))
    const neighbour = express.Router()
    neighbour.use(requires(authenticated()))
    neighbour.get('/mine', handler('mine'))
    app.use(neighbour)
    app.get('/undeclared', handler('undeclared'))
    app.use('/handler', handler('handler'))
    const headers = await bearer(issuer)
    expect((await served.call('/mine', { headers })).body).toBe('mine')
    expect((await served.call('/undeclared', { headers })).code).toBe('route_undeclared')
    expect((await served.call('/handler', { headers })).code).toBe('route_undeclared')
  })

  test.each([
    ['a mounted application', (inner: ReturnType<typeof express>) => app.use(inner)],
    [
      'an application that a function calls',
      (inner: ReturnType<typeof express>) =>
        app.use(
          (request: Request, response: Response, next: NextFunction) => void inner(request, response, next),
        ),
    ],
  ])('the floor of %s declares nothing for what is behind it', async (_what, mount) => {
    app.use(countersign(guard))
    const inner = express()
    inner.use(requires(authenticated()))
    mount(inner)
    app.get('/undeclared', handler('undeclared'))
    app.use('/handler', handler('handler'))
    const headers = await bearer(issuer)
    for (const path of ['/undeclared', '/handler', '/handler']) {
      const answer = await served.call(path, { headers })
      expect(answer.code, path).toBe('route_undeclared')
      expect(answer.body).not.toContain('handler"')
    }
    expect(ran).not.toContain('undeclared')
  })

  test('a floor in a router that is mounted while requests come allows nothing behind the router', async () => {
    app.use(countersign(guard))
    const outer = express.Router()
    app.use('/outer', outer)
    await served.call('/outer')
    const lateRouter = (): ReturnType<typeof express.Router> => {
      const late = express.Router()
      late.use(requires(authenticated()))
      late.use('/handler', handler('late'))
      return late
    }
    const headers = await bearer(issuer)
    const codes = async (path: string): Promise<unknown> => [
      (await served.call(path, { headers })).code,
      (await served.call(path, { headers })).code,
    ]
    app.use('/late', lateRouter())
    outer.use('/late', lateRouter())
    app.use(handler('behind'))
    expect(await codes('/late/handler')).toEqual([null, null])
    expect(await codes('/late/behind')).toEqual(['route_undeclared', 'route_undeclared'])
    expect(await codes('/outer/late/behind')).toEqual(['route_undeclared', 'route_undeclared'])
    expect(await codes('/outer/late/handler')).toEqual([null, null])
    // Deep down, the first request has come in before anybody knew of the router.
    outer.use('/later', lateRouter())
    expect(await codes('/outer/later/handler')).toEqual(['route_undeclared', null])
  })

  test('a status beyond 32 bits is the status that Node makes of it', async () => {
    app.use(countersign(guard))
    app.use((_request, response) => void response.writeHead(2 ** 32 + 200).end('secret'))
    expect((await served.call('/')).body).not.toContain('secret')
  })

  // Express 4 binds a route when it is made, so nothing can be put around one whose router is called by a function.
  if (name === 'Express 5') {
    test('a route of a router that is called by a function loses its allow, too', async () => {
      app.use(countersign(guard))
      const dynamic = express.Router()
      dynamic.get('/a', unprotected('passes on'), passOn)
      app.use((request, response, next) => void dynamic(request, response, next))
      app.use(handler('behind'))
      expect((await served.call('/a')).code).toBe('route_undeclared')
    })
  }
})

test('a TLS server is not made for an application that does not use its guard', async () => {
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  const { cert, key } = await (await createTestCa()).serverCertificate()
  const [, [, express]] = expressVersions as [unknown, [string, (typeof expressVersions)[number][1]]]
  const app = express()
  app.get('/x', (_request, response) => void response.send('open'))
  expect(() => createTlsServer(app, { cert, key, guard })).toThrow(
    expect.objectContaining({ option: 'guard' }),
  )
  guard.close()
})
