import {
  authenticated,
  countersign,
  createGuard,
  requireScopes,
  requires,
  sealRoutes,
  unprotected,
  type Guard,
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import methodOverride from 'method-override'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { prototypesOf } from '../../packages/express/src/framework.ts'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

// What is put in the wrong order is found at the start, or harmless.

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
  type Handler = (request: Request, response: Response, next: NextFunction) => unknown

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

  test('a route before the guard is guarded from the very first request on, once the application is sealed', async () => {
    app.get('/undeclared', handler('undeclared'))
    app.get('/declared', requireScopes('orders:read'), handler('declared'))
    const router = express.Router()
    router.get('/x', handler('x'))
    app.use('/router', router)
    app.use(countersign(guard))
    await sealRoutes(app)
    expect((await served.call('/undeclared')).code).toBe('route_undeclared')
    expect((await served.call('/declared')).code).toBe('credential_missing')
    expect((await served.call('/router/x')).code).toBe('route_undeclared')
    expect(ran).toEqual([])
  })

  test('a declaration before the guard never lets anybody by, sealed or not', async () => {
    app.get('/declared', requireScopes('orders:read'), handler('declared'))
    app.use('/use', requireScopes('orders:read'), handler('use'))
    app.use(countersign(guard))
    const headers = await bearer(issuer, 'orders:read')
    expect((await served.call('/declared', { headers })).status).toBe(500)
    expect((await served.call('/use', { headers })).status).toBe(500)
    expect(ran).toEqual([])
  })

  test('a middleware that answers errors does not answer a refusal: a refusal is none', async () => {
    app.use(countersign(guard))
    app.get('/x', requireScopes('orders:read'), handler('x'))
    app.use('/floor', requireScopes('orders:read'), express.Router().get('/x', handler('x')))
    app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      ran.push('error handler')
      response.status(200).send('swallowed')
    })
    expect((await served.call('/x')).status).toBe(401)
    expect((await served.call('/floor/x')).status).toBe(401)
    expect(ran).toEqual([])
  })

  test('a middleware that swallows the error of a missing guard reaches no handler', async () => {
    const swallow = (_error: unknown, _request: Request, _response: Response, next: NextFunction): void =>
      next()
    app.get('/x', requireScopes('orders:read'), handler('x'), swallow)
    app.use(swallow)
    expect((await served.call('/x')).status).toBe(404)
    expect(ran).toEqual([])
  })

  test('an error handler that goes on as if nothing were wrong opens nothing behind it', async () => {
    app.use(countersign(guard))
    app.get('/x', unprotected('fails'), () => {
      throw new Error('broken')
    })
    app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
    app.get('/x', handler('route behind'))
    app.use(handler('use behind'))
    const answer = await served.call('/x')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(ran).toEqual([])
  })

  test('a body parser before the guard, behind it, or on the route behind its declaration is no mistake', async () => {
    app.use('/before', express.json())
    app.use(countersign(guard))
    app.use('/behind', express.json())
    const echo: Handler = (request, response) => void response.json(request.body)
    app.post('/before', requireScopes('a:b'), echo)
    app.post('/behind', requireScopes('a:b'), echo)
    app.post('/route', requireScopes('a:b'), express.json(), echo)
    const headers = { 'content-type': 'application/json', ...(await bearer(issuer, 'a:b')) }
    for (const path of ['/before', '/behind', '/route']) {
      const body = '{"a":1}'
      expect((await served.call(path, { method: 'POST', headers, body })).body, path).toBe(body)
      const broken = await served.call(path, { method: 'POST', headers, body: '{' })
      expect(broken.status, path).toBe(400)
    }
    const answer = await served.call('/route', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    })
    expect(answer.code).toBe('credential_missing')
  })

  test('a body parser before the declaration of its route is found at the start, and runs nothing', async () => {
    app.use(countersign(guard))
    app.post('/x', express.json(), requireScopes('a:b'), handler('x'))
    await expect(sealRoutes(app)).rejects.toThrow('POST /x')
    expect((await served.call('/x', { method: 'POST', headers: await bearer(issuer, 'a:b') })).code).toBe(
      'declaration_misplaced',
    )
    expect(ran).toEqual([])
  })

  test.each(['route', 'router'] as const)('next(%j) leaves what was allowed behind', async (where) => {
    app.use(countersign(guard))
    const router = express.Router()
    router.get('/x', unprotected('passes on'), (_request, _response, next) => next(where))
    router.get('/x', handler('same router'))
    app.use(router)
    app.get('/x', requireScopes('orders:read'), handler('declared behind'))
    const answer = await served.call('/x')
    expect(answer.code).toBe(where === 'route' ? 'route_undeclared' : 'credential_missing')
    expect(ran).toEqual([])
  })

  test('next("router") in a router with a floor asks for what is behind it anew', async () => {
    app.use(countersign(guard))
    const router = express.Router()
    router.use(requires(authenticated()))
    router.use((_request, _response, next) => next('router'))
    app.use(router)
    app.use(handler('behind'))
    const answer = await served.call('/x', { headers: await bearer(issuer) })
    expect(answer.code).toBe('route_undeclared')
    expect(answer.body).not.toContain('behind"')
  })

  test('handlers in arrays, however deep, are the handlers of their route', async () => {
    app.use(countersign(guard))
    const pass: Handler = (_request, _response, next) => next()
    const nested = (...handlers: unknown[]) => handlers as RequestHandler[] // as deep as one likes, which the types do not say
    app.get('/declared', nested([requireScopes('a:b')], [pass, [pass]]), [handler('declared')])
    app.get('/undeclared', nested(pass, [handler('undeclared')]))
    app.get('/misplaced', nested(pass, [requireScopes('a:b')]), handler('misplaced'))
    app.use('/use', nested(requireScopes('a:b'), [pass, handler('use')]))
    const headers = await bearer(issuer, 'a:b')
    expect((await served.call('/declared')).code).toBe('credential_missing')
    expect((await served.call('/undeclared', { headers })).code).toBe('route_undeclared')
    expect((await served.call('/misplaced', { headers })).code).toBe('declaration_misplaced')
    expect((await served.call('/use')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    expect((await served.call('/declared', { headers })).body).toBe('declared')
    expect((await served.call('/use', { headers })).body).toBe('use')
  })

  test('an error in an async handler ends what was allowed, and starts no answer', async () => {
    app.use(countersign(guard))
    app.get('/x', unprotected('fails'), async (_request, _response, next) => {
      await Promise.resolve()
      // Express 4 leaves it to the handler.
      next(new Error('secret detail'))
    })
    app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
    app.use(handler('behind'))
    const answer = await served.call('/x')
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    expect(answer.body).not.toContain('behind"')
  })

  if (name === 'Express 5') {
    test('a promise that is rejected ends what was allowed, too', async () => {
      app.use(countersign(guard))
      app.get('/x', unprotected('fails'), () => Promise.reject(new Error('secret detail')))
      app.use('/use', unprotected('fails'), () => Promise.reject(new Error('secret detail')))
      app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
      app.use(handler('behind'))
      expect((await served.call('/x')).code).toBe('route_undeclared')
      expect((await served.call('/use')).code).toBe('route_undeclared')
    })
  }

  test.each(['before', 'behind'] as const)(
    'method-override %s the guard chooses a route, and is held to it',
    async (place) => {
      if (place === 'before') app.use(methodOverride())
      app.use(countersign(guard))
      if (place === 'behind') app.use(methodOverride())
      app.post('/x', unprotected('open'), handler('post'))
      app.delete('/x', requireScopes('x:delete'), handler('delete'))
      const override = (method: string) => ({ method: 'POST', headers: { 'x-http-method-override': method } })
      expect(await served.call('/x', override('DELETE'))).toMatchObject({ status: 401 })
      expect((await served.call('/x', override('delete'))).events[0]?.route).toBe('DELETE /x')
      expect((await served.call('/x', override('PATCH'))).status).toBe(404)
      expect(ran).toEqual([])
      expect((await served.call('/x', override('NONSENSE'))).body).toBe('post')
    },
  )

  test('a method that a middleware makes up is no name in events', async () => {
    app.use(countersign(guard))
    app.use((request: Request, _response: Response, next: NextFunction) => {
      request.method = request.get('x-method') ?? request.method
      next()
    })
    const router = express.Router()
    router.all('/x', requireScopes('a:b'), handler('x'))
    app.use(router)
    for (let i = 0; i < 200; i += 1) {
      const answer = await served.call('/x', { headers: { 'x-method': `attacker-${i}` } })
      expect(answer.events.map(({ route, code }) => [route, code])).toEqual([['* /x', 'credential_missing']])
    }
    expect((await served.call('/x')).events[0]?.route).toBe('GET /x')
    expect(ran).toEqual([])
  })

  test('a parameter callback that changes the method is held to what then runs', async () => {
    app.use(countersign(guard))
    app.param('id', (request, _response, next) => {
      request.method = 'DELETE'
      next()
    })
    app
      .route('/x/:id')
      .get(unprotected('open'), handler('get'))
      .delete(requireScopes('x:delete'), handler('delete'))
    expect((await served.call('/x/1')).code).toBe('credential_missing')
    expect(ran).toEqual([])
  })

  test('parameters of an outer router reach requirements of an inner one, and no other route’s do', async () => {
    app.use(countersign(guard))
    const tenant = express.Router({ mergeParams: true })
    tenant.get(
      '/orders/:id',
      requires(authenticated()),
      (request, response) => void response.json(request.params),
    )
    app.use('/tenants/:tenant', tenant)
    const { body } = await served.call('/tenants/a/orders/7', { headers: await bearer(issuer) })
    expect(JSON.parse(body)).toEqual({ tenant: 'a', id: '7' })
  })

  test('a handler beside a declaration that throws leaves what was allowed behind', async () => {
    app.use(countersign(guard))
    app.use('/x', unprotected('fails'), () => {
      throw new Error('broken')
    })
    app.use((_error: unknown, _request: Request, _response: Response, next: NextFunction) => next())
    app.use(handler('behind'))
    expect((await served.call('/x')).code).toBe('route_undeclared')
  })

  test.each(['route', 'router'] as const)(
    'next(%j) is no failure that an error handler could answer for',
    async (where) => {
      app.use(countersign(guard))
      const router = express.Router()
      router.get('/x', unprotected('passes on'), (_request, _response, next) => next(where))
      app.use(router)
      app.use('/x', (_request: Request, _response: Response, next: NextFunction) => next(new Error('broken')))
      app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        response.status(200).send('answered')
      })
      const answer = await served.call('/x')
      expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
    },
  )

  test('a floor that was a declaration of the route before is asked again, and added', async () => {
    app.use(countersign(guard))
    const shared = requireScopes('a:b')
    app.get('/x', shared, (_request, _response, next) => next())
    const router = express.Router()
    router.use(shared)
    router.get('/x', requires(authenticated()), handler('x'))
    app.use(router)
    const answer = await served.call('/x', { headers: await bearer(issuer, 'a:b') })
    expect(answer.events.at(-1)?.requirement).toBe('allOf(scopes(a:b), authenticated())')
  })

  test('a declared handler may send its headers first, and its body when it has it', async () => {
    app.use(countersign(guard))
    let finish = (): void => undefined
    app.get('/x', unprotected('open'), (_request, response) => {
      response.setHeader('x-first', '1')
      response.flushHeaders()
      finish = () => void response.end('body')
      setImmediate(() => {
        expect(response.headersSent).toBe(true)
        expect(response.write('some ')).toBeTypeOf('boolean')
        finish()
      })
    })
    const answer = await served.call('/x')
    expect([answer.headers['x-first'], answer.body, answer.events.length]).toEqual(['1', 'some body', 1])
  })

  test('a route without handlers gains none by a request for it', async () => {
    app.use(countersign(guard))
    const route = app.route('/x')
    expect((await served.call('/x', { method: 'HEAD' })).status).toBe(404)
    expect([route.stack, Object.keys(Reflect.get(route, 'methods') as object)]).toEqual([[], []])
  })

  test('what is put on a request may be put over by a library behind, or by another copy of this one', async () => {
    app.use(countersign(guard))
    const route = { path: 'another' }
    app.use((request: Request, _response: Response, next: NextFunction) => {
      for (const [key, value] of Object.entries({ caller: 'another', route })) {
        Object.defineProperty(request, key, { configurable: true, get: () => value, set: () => {} })
      }
      next()
    })
    app.use(unprotected('open'), (request, response) => void response.json([request.caller, request.route]))
    expect(JSON.parse((await served.call('/x')).body)).toEqual(['another', route])
    const onAll = Object.getOwnPropertyDescriptor(prototypesOf(app).request, 'route')
    expect(onAll?.configurable).toBe(true)
  })

  test('the route that was chosen is there for its handlers to see', async () => {
    app.use(countersign(guard))
    app.get('/x/:id', unprotected('open'), (request, response) => void response.send(request.route.path))
    expect((await served.call('/x/1')).body).toBe('/x/:id')
  })

  test('static files are declared beside their handler, which passes on what it does not have', async () => {
    app.use(countersign(guard))
    app.use('/assets', unprotected('public'), express.static(import.meta.dirname))
    app.use('/private', requireScopes('files:read'), express.static(import.meta.dirname))
    app.use('/undeclared', express.static(import.meta.dirname))
    const file = '/mistakes.test.ts'
    expect((await served.call(`/assets${file}`)).body).toContain('static files')
    expect((await served.call('/assets/nothing')).status).toBe(404)
    expect((await served.call(`/private${file}`)).code).toBe('credential_missing')
    expect((await served.call('/private/nothing')).code).toBe('credential_missing')
    expect(
      (await served.call(`/private${file}`, { headers: await bearer(issuer, 'files:read') })).body,
    ).toContain('static files')
    const undeclared = await served.call(`/undeclared${file}`)
    expect([undeclared.code, undeclared.body.includes('static files')]).toEqual(['route_undeclared', false])
    expect((await served.call(`/assets${file}`, { method: 'HEAD' })).status).toBe(200)
    expect((await served.call(`/undeclared${file}`, { method: 'HEAD' })).status).toBe(403)
  })
})
