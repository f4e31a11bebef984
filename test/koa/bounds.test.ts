import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import {
  authenticated,
  callerOf,
  callerOptional,
  countersign,
  createGuard,
  requireScopes,
  requires,
  sealRoutes,
  scopes,
  unprotected,
  type Guard,
} from '@countersign/koa'
import type { TestIssuer } from '@countersign/testing'
import type { Context, Middleware, Next } from 'koa'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  Served,
  bearer,
  compose,
  koaVersions,
  mount,
  testIssuer,
  wrap,
  type Answer,
  type App,
  type AppRouter,
} from './served-koa.ts'

// What is allowed and asked somewhere holds there, and nowhere else.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(koaVersions)('%s', (_name, Koa, Router) => {
  let app: App
  let router: AppRouter
  let guard: Guard
  const served = new Served()
  let ran: string[]
  const handler = (name: string) => (context: Context) => {
    ran.push(name)
    context.body = name
  }
  const passOn = (_context: Context, next: Next) => next()
  const call = (path: string, options?: Parameters<Served['call']>[2]): Promise<Answer> =>
    served.call(app, path, options)
  const codes = async (path: string, options?: Parameters<Served['call']>[2]): Promise<unknown[]> => {
    const { status, code } = await call(path, options)
    return [status, code]
  }
  const refusedAsUndeclared = [403, 'route_undeclared']

  beforeEach(() => {
    ran = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = new Koa()
    app.use(countersign(guard))
    router = new Router()
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  describe('a floor', () => {
    test('holds for every route of its router, routes only add, and one decision is recorded', async () => {
      router.use(requireScopes('admin:write'))
      router.get('/panel', handler('panel'))
      router.get('/keys', requireScopes('keys:read'), handler('keys'))
      router.get('/open', unprotected('cannot undo the floor'), handler('open'))
      app.use(router.routes())
      expect((await call('/panel', { headers: await bearer(issuer) })).code).toBe('scope_missing')
      expect((await call('/keys', { headers: await bearer(issuer, 'keys:read') })).code).toBe('scope_missing')
      expect((await call('/open')).code).toBe('credential_missing')
      const lacking = await call('/keys', { headers: await bearer(issuer, 'admin:write') })
      expect([lacking.code, lacking.events.length]).toEqual(['scope_missing', 1])
      expect(ran).toEqual([])
      const allowed = await call('/keys', { headers: await bearer(issuer, 'admin:write', 'keys:read') })
      expect(allowed.events.map(({ requirement }) => requirement)).toEqual([
        'allOf(scopes(admin:write), scopes(keys:read))',
      ])
      expect(allowed.body).toBe('keys')
    })

    test('runs before any other middleware behind it does', async () => {
      router.use(requireScopes('admin:write'))
      router.use((_context, next) => {
        ran.push('middleware')
        return next()
      })
      router.get('/panel', handler('panel'))
      app.use(router.routes())
      expect((await call('/panel')).code).toBe('credential_missing')
      expect(ran).toEqual([])
    })

    test('holds for what is behind it in the application, plain handlers among it', async () => {
      router.get('/declared', requireScopes('a:b'), handler('declared'))
      router.get('/undeclared', handler('undeclared'))
      app.use(requires(authenticated())).use(router.routes()).use(handler('plain'))
      for (const path of ['/declared', '/undeclared', '/plain']) {
        expect((await call(path)).code, path).toBe('credential_missing')
      }
      const headers = await bearer(issuer)
      expect((await call('/declared', { headers })).code).toBe('scope_missing')
      expect((await call('/undeclared', { headers })).body).toBe('undeclared')
      const plain = await call('/plain', { headers })
      expect([plain.body, plain.events.map(({ route }) => route)]).toEqual(['plain', ['use /']])
    })

    test('of a router declares nothing of what is behind that router', async () => {
      router.use(requires(authenticated()))
      router.get('/x', unprotected('passes on'), passOn)
      const other = new Router()
      other.get('/x', passOn)
      app.use(router.routes()).use(other.routes()).use(handler('plain'))
      expect(await codes('/x', { headers: await bearer(issuer) })).toEqual(refusedAsUndeclared)
      app = new Koa()
      app.use(countersign(guard)).use(router.routes()).use(handler('plain'))
      expect(await codes('/x', { headers: await bearer(issuer) })).toEqual(refusedAsUndeclared)
    })

    test('is kept by a router that runs one layer only, which leaves its own middlewares out', async () => {
      router = new Router({ exclusive: true })
      router.use(requireScopes('admin:write'))
      router.get('/panel', handler('panel'))
      router.get('/keys', requireScopes('keys:read'), handler('keys'))
      router.get('/open', unprotected('cannot undo the floor'), handler('open'))
      app.use(router.routes())
      const headers = await bearer(issuer, 'keys:read')
      for (const path of ['/panel', '/keys', '/open']) {
        expect((await call(path, { headers })).code, path).toBe('scope_missing')
      }
      expect(ran).toEqual([])
      const all = await bearer(issuer, 'keys:read', 'admin:write')
      expect((await call('/keys', { headers: all })).body).toBe('keys')
    })

    test('T46 asks whatever the case of a path, which a router may tell apart for its `use` alone', async () => {
      router = new Router({ prefix: '/admin' })
      router.use(requireScopes('admin:write'))
      router.get('/panel', requires(authenticated()), handler('panel'))
      const inner = new Router()
      inner.use(requireScopes('deep:read'))
      inner.get('/keys/:id', requires(authenticated()), handler('keys'))
      router.use('/Deep', inner.routes())
      app.use(router.routes())
      const nothing = await bearer(issuer)
      const floor = await bearer(issuer, 'admin:write')
      for (const path of ['/admin/panel', '/ADMIN/panel', '/Admin/Panel/', '/aDMIN/DEEP/keys/7']) {
        expect((await call(path, { headers: nothing })).code, path).toBe('scope_missing')
      }
      for (const path of ['/admin/Deep/keys/7', '/admin/deep/keys/7', '/ADMIN/deep/KEYS/7']) {
        expect((await call(path, { headers: floor })).code, path).toBe('scope_missing')
      }
      expect(ran).toEqual([])
      const all = await bearer(issuer, 'admin:write', 'deep:read')
      for (const path of ['/admin/Deep/keys/7', '/ADMIN/deep/KEYS/7']) {
        expect((await call(path, { headers: all })).body, path).toBe('keys')
      }
      expect((await call('/ADMIN/panel', { headers: floor })).body).toBe('panel')
    })

    test('with handlers speaks for these alone', async () => {
      router.get('/x', unprotected('open'), handler('x'))
      app.use(
        mount(
          '/files',
          requires(scopes('files:read'), (context, next) =>
            context.path === '/a' ? handler('file')(context) : next(),
          ),
        ),
      )
      app.use(router.routes()).use(handler('plain'))
      expect((await call('/files/a')).code).toBe('credential_missing')
      const headers = await bearer(issuer, 'files:read')
      expect((await call('/files/a', { headers })).body).toBe('file')
      expect(await codes('/files/b', { headers })).toEqual(refusedAsUndeclared)
      expect((await call('/x')).body).toBe('x')
    })
  })

  describe('what asks nothing', () => {
    test('speaks for the handlers it has taken, and ends where they pass the request on', async () => {
      router.get('/declared', requireScopes('a:b'), handler('declared'))
      router.get('/undeclared', handler('undeclared'))
      app
        .use(
          unprotected('assets', (context, next) =>
            context.path === '/a.css' ? handler('css')(context) : next(),
          ),
        )
        .use(router.routes())
        .use(handler('plain'))
      const css = await call('/a.css', { headers: { authorization: 'Bearer rubbish' } })
      expect([css.body, css.events.map(({ route, outcome }) => [route, outcome])]).toEqual([
        'css',
        [['use /', 'allow']],
      ])
      expect((await call('/declared')).code).toBe('credential_missing')
      expect(await codes('/undeclared')).toEqual(refusedAsUndeclared)
      expect(ran).toEqual(['css'])
      expect(await codes('/plain')).toEqual(refusedAsUndeclared)
    })

    test('opens nothing alone outside a route, and is found at the start', async () => {
      app.use(unprotected('everything?')).use(handler('plain'))
      await expect(sealRoutes(app)).rejects.toThrow('use /')
      expect(await codes('/x')).toEqual([500, 'declaration_misplaced'])
      const inRouter = new Koa()
      router.use(callerOptional('everything?'))
      router.get('/x', handler('x'))
      inRouter.use(countersign(guard)).use(router.routes())
      await expect(sealRoutes(inRouter)).rejects.toThrow('use /')
      app = inRouter
      expect(await codes('/x')).toEqual([500, 'declaration_misplaced'])
      expect(ran).toEqual([])
    })

    test('does not undo a floor before it', async () => {
      app.use(requires(authenticated())).use(unprotected('assets', handler('asset')))
      expect((await call('/a.css')).code).toBe('credential_missing')
      expect(ran).toEqual([])
    })

    test('covers undeclared routes of the router that it has taken, and refuses bad credentials where a caller is optional', async () => {
      router.get('/undeclared', (context) => {
        context.body = callerOf(context)?.id ?? 'nobody'
      })
      router.get('/declared', requireScopes('a:b'), handler('declared'))
      app.use(callerOptional('a shop', router.routes()))
      expect((await call('/undeclared')).body).toBe('nobody')
      expect((await call('/undeclared', { headers: await bearer(issuer) })).body).toContain('checkout')
      expect((await call('/declared')).code).toBe('credential_missing')
      expect((await call('/undeclared', { headers: { authorization: 'Bearer rubbish' } })).status).toBe(401)
      expect(ran).toEqual([])
    })

    test('takes handlers on a route, too', async () => {
      router.get('/x', unprotected('open', passOn, handler('x')))
      router.get('/y', requireScopes('a:b'), unprotected('undone', handler('y')))
      app.use(router.routes())
      expect((await call('/x')).body).toBe('x')
      expect((await call('/y')).code).toBe('credential_missing')
      expect(ran).toEqual(['x'])
    })
  })

  describe('a handler that passes a request on', () => {
    test('keeps what was allowed for the answer that it made itself, before or after', async () => {
      router.get('/before', unprotected('open'), (context, next) => {
        context.body = 'before'
        return next()
      })
      router.get('/after', unprotected('open'), async (context, next) => {
        await next()
        context.body = 'after'
      })
      router.get('/caller', requireScopes('a:b'), async (context, next) => {
        await next()
        context.body = context.caller.id
      })
      app.use(router.routes())
      expect((await call('/before')).body).toBe('before')
      expect((await call('/after')).body).toBe('after')
      expect((await call('/caller', { headers: await bearer(issuer, 'a:b') })).body).toContain('checkout')
    })

    test('does not let out what an undeclared handler behind it answers', async () => {
      router.get('/empty', unprotected('passes on'), passOn)
      router.get('/before', unprotected('open'), (context, next) => {
        context.body = 'before'
        return next()
      })
      router.get('/after', unprotected('open'), async (context, next) => {
        await next()
        context.body = { wrapped: context.body }
      })
      app.use(router.routes()).use((context) => {
        context.body = 'secret'
      })
      for (const path of ['/empty', '/before', '/after']) {
        const answer = await call(path)
        expect([answer.status, answer.code, answer.body.includes('secret')], path).toEqual([
          403,
          'route_undeclared',
          false,
        ])
      }
    })

    test('does not let out what an undeclared handler before it has answered', async () => {
      router.get('/x', unprotected('passes on'), passOn)
      app
        .use((context, next) => {
          context.body = 'secret'
          return next()
        })
        .use(unprotected('assets', passOn))
        .use(router.routes())
      for (const path of ['/x', '/nothing']) {
        const answer = await call(path)
        expect([answer.status, answer.code, answer.body.includes('secret')], path).toEqual([
          403,
          'route_undeclared',
          false,
        ])
      }
    })

    test('may wrap what a declared route behind it answers, and its own caller comes back', async () => {
      router.get('/x', requireScopes('a:b'), async (context, next) => {
        await next()
        context.body = `${String(context.body)} for ${context.caller.id}`
      })
      router.get('/:any', unprotected('open'), handler('inner'))
      app.use(router.routes())
      expect((await call('/x', { headers: await bearer(issuer, 'a:b') })).body).toContain('inner for https')
    })

    test('cannot pass it on twice', async () => {
      router.get(
        '/x',
        unprotected('open'),
        async (_context, next) => {
          await next()
          await next()
        },
        handler('x'),
      )
      app.use(router.routes())
      expect((await call('/x')).status).toBe(500)
      expect(ran).toEqual(['x'])
    })
  })

  describe('a router that nobody can find', () => {
    const hide = {
      composed: () => compose([passOn, router.routes()]),
      mounted: () => mount('/deep', wrap(router)),
      'in a mounted application': () => {
        const inner = new Koa()
        inner.use(router.routes())
        return mount('/deep', inner)
      },
      wrapped: () => wrap(router),
      'made for each request': (): Middleware => (context, next) => {
        const made = new Router()
        made.use(router.routes())
        return wrap(made)(context, next)
      },
    }

    test.each(Object.entries(hide))('is guarded alike: %s', async (how, hidden) => {
      const at = how.includes('mounted') ? '/deep' : ''
      router.get('/undeclared', handler('undeclared'))
      router.get('/orders/:id', requireScopes('orders:read'), handler('orders'))
      router.get('/open', unprotected('open'), handler('open'))
      router.get('/misplaced', passOn, requireScopes('orders:read'), handler('misplaced'))
      app.use(hidden())
      await expect(sealRoutes(app)).resolves.toBeUndefined()
      const undeclared = await call(`${at}/undeclared`, { headers: await bearer(issuer, 'orders:read') })
      expect([undeclared.code, undeclared.events[0]?.route]).toEqual([
        'route_undeclared',
        'GET /…/undeclared',
      ])
      expect((await call(`${at}/orders/7`)).code).toBe('credential_missing')
      expect((await call(`${at}/misplaced`)).code).toBe('declaration_misplaced')
      expect(ran).toEqual([])
      expect((await call(`${at}/open`)).body).toBe('open')
      expect(guard.census().map(({ method, path, status }) => `${method} ${path} ${status}`)).toContain(
        'GET /…/orders/:id declared',
      )
    })

    test('has the floor of what it is composed with', async () => {
      router.get('/undeclared', handler('undeclared'))
      app.use(compose([requireScopes('a:b'), router.routes()]))
      expect((await call('/undeclared')).code).toBe('credential_missing')
      expect((await call('/undeclared', { headers: await bearer(issuer, 'a:b') })).body).toBe('undeclared')
    })
  })

  test('routers in routers have the floors of all, also where one is mounted twice', async () => {
    const inner = new Router()
    inner.get('/', requireScopes('inner:read'), handler('inner'))
    inner.get('/undeclared', handler('undeclared'))
    router.use('/open', inner.routes())
    router.use('/closed', requireScopes('outer:read'), inner.routes())
    app.use(router.routes())
    const headers = await bearer(issuer, 'inner:read')
    const open = await call('/open', { headers })
    expect([open.body, open.events[0]?.route]).toEqual(['inner', 'GET /open'])
    expect((await call('/closed', { headers })).code).toBe('scope_missing')
    expect((await call('/open/undeclared', { headers })).code).toBe('route_undeclared')
    expect((await call('/closed/undeclared', { headers })).code).toBe('scope_missing')
    const late = new Router()
    late.use('/late', inner.routes())
    app = new Koa()
    app.use(countersign(guard)).use(late.routes())
    expect((await call('/late/undeclared', { headers })).events[0]?.route).toBe('GET /late/undeclared')
    // Its own layers get gates before they are cloned once more.
    app = new Koa()
    app.use(countersign(guard)).use(inner.routes())
    expect((await call('/undeclared', { headers })).events[0]?.route).toBe('GET /undeclared')
    const later = new Router()
    later.use('/later', requireScopes('later:read'), inner.routes())
    app = new Koa()
    app.use(countersign(guard)).use(later.routes())
    const cloned = await call('/later/undeclared', { headers })
    expect([cloned.code, cloned.events[0]?.route]).toEqual(['scope_missing', 'use /…'])
    const both = await bearer(issuer, 'inner:read', 'later:read')
    expect((await call('/later/undeclared', { headers: both })).events[0]?.route).toBe(
      'GET /later/undeclared',
    )
    expect(ran).toEqual(['inner', 'undeclared'])
  })

  test('a loader that is added to a nested router later runs where it would without a guard', async () => {
    const runs = async (guarded: boolean): Promise<readonly string[]> => {
      ran = []
      const inner = new Router()
      inner.get('/:id', unprotected('open'), handler('x'))
      if (!guarded) inner.stack[0]?.stack.shift()
      const outer = new Router()
      outer.use(inner.routes())
      const each = new Koa()
      if (guarded) each.use(countersign(guard))
      each.use(outer.routes())
      await callOf(each)
      inner.param('id', async (_id, _context, next) => {
        ran.push('loader')
        return next()
      })
      await callOf(each)
      return ran
    }
    const callOf = (each: App): Promise<Answer> => served.call(each, '/7')
    expect(await runs(true)).toEqual(await runs(false))
  })

  test('what is added to a route while the service runs is a part of it', async () => {
    router.get('/x', requireScopes('a:b'), passOn)
    app.use(router.routes())
    const headers = await bearer(issuer, 'a:b')
    expect((await call('/x', { headers })).status).toBe(404)
    router.stack[0]?.stack.push(handler('late'))
    expect((await call('/x')).code).toBe('credential_missing')
    expect((await call('/x', { headers })).body).toBe('late')
  })
  describe('the last line of defence', () => {
    test.each([
      ['text', () => 'secret'],
      ['an object', () => ({ secret: true })],
      ['bytes', () => Buffer.from('secret')],
      ['a stream', () => Readable.from(['secret', 'secret'])],
      ['a file', () => createReadStream(import.meta.filename)],
    ])('replaces %s of an undeclared handler', async (_what, body) => {
      app.use((context) => {
        context.set('x-secret', '1')
        context.body = body()
      })
      for (const method of ['GET', 'HEAD', 'POST']) {
        const answer = await call('/x', { method })
        expect([answer.status, answer.code, answer.headers['x-secret']]).toEqual([
          ...refusedAsUndeclared,
          undefined,
        ])
        expect(answer.body).not.toContain('secret')
      }
    })

    test('replaces an empty answer, a redirect, and what is written past Koa', async () => {
      app.use((context) => {
        if (context.path === '/empty') context.status = 204
        else if (context.path === '/null') context.body = null
        else if (context.path === '/redirect') context.redirect('/secret')
        else {
          context.respond = false
          context.res.statusCode = 200
          context.res.end('secret')
        }
      })
      for (const path of ['/empty', '/null', '/redirect', '/raw']) {
        const answer = await call(path)
        expect([answer.status, answer.code, answer.headers.location], path).toEqual([
          ...refusedAsUndeclared,
          undefined,
        ])
      }
    })

    test('leaves streams, bodies and empty answers of declared routes as they are', async () => {
      router.get('/stream', unprotected('open'), (context) => {
        context.body = Readable.from(['a', 'b'])
      })
      router.get('/empty', unprotected('open'), (context) => {
        context.status = 204
      })
      router.post('/echo', unprotected('open'), (context) => {
        context.body = context.req
      })
      router.get('/raw', unprotected('open'), (context) => {
        context.respond = false
        context.res.writeHead(202)
        setImmediate(() => context.res.end('raw'))
      })
      app.use(router.routes())
      expect((await call('/stream')).body).toBe('ab')
      expect((await call('/empty')).status).toBe(204)
      expect((await call('/echo', { method: 'POST', body: 'echo' })).body).toBe('echo')
      expect(await call('/raw')).toMatchObject({ status: 202, body: 'raw' })
    })

    test('leaves the answers of Koa and its router to what does not exist', async () => {
      router.post('/orders', requireScopes('orders:write'), handler('create'))
      app.use(router.routes()).use(router.allowedMethods())
      expect(await call('/nothing')).toMatchObject({ status: 404, body: 'Not Found', events: [] })
      expect(await call('/orders')).toMatchObject({ status: 405, headers: { allow: 'POST' }, events: [] })
      expect(await call('/orders', { method: 'PROPFIND' })).toMatchObject({ status: 501, events: [] })
    })
  })

  describe('OPTIONS', () => {
    const asked = { origin: 'https://shop.test', 'access-control-request-method': 'GET' }
    beforeEach(() => {
      guard.close()
      guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, preflight: 'pass' })
      app = new Koa()
      app.use(countersign(guard))
      router.get('/orders', requireScopes('orders:read'), handler('orders'))
      router.options('/own', (context) => {
        ran.push('own')
        context.set('access-control-allow-origin', '*')
        context.set('x-secret', '1')
        context.body = 'secret'
      })
      router.options('/declared', requireScopes('a:b'), handler('declared'))
      router.all('/all', handler('all'))
      app.use(router.routes())
    })

    test('that is a preflight is answered by the application, and says only what may be called', async () => {
      app.use(router.allowedMethods())
      const own = await call('/own', { method: 'OPTIONS', headers: asked })
      expect([
        own.status,
        own.body,
        own.headers['access-control-allow-origin'],
        own.headers['x-secret'],
      ]).toEqual([200, '', '*', undefined])
      const automatic = await call('/orders', { method: 'OPTIONS', headers: asked })
      expect([automatic.status, automatic.headers.allow]).toEqual([200, 'HEAD, GET'])
      expect((await call('/declared', { method: 'OPTIONS', headers: asked })).code).toBe('credential_missing')
      expect((await call('/all', { method: 'OPTIONS', headers: asked })).code).toBe('route_undeclared')
      expect(ran).toEqual(['own'])
      const covered = new Koa()
      covered.use(countersign(guard)).use(unprotected('public', router.routes()))
      const answer = await served.call(covered, '/own', { method: 'OPTIONS', headers: asked })
      expect([answer.body, answer.events.map(({ route }) => route)]).toEqual(['secret', ['OPTIONS /own']])
    })

    test('that is a preflight does not pass a floor, also where the router leaves its middlewares out', async () => {
      const exclusive = new Router({ exclusive: true })
      exclusive.use(requires(authenticated()))
      exclusive.options('/closed', handler('closed'))
      app.use(exclusive.routes())
      const answer = await call('/closed', { method: 'OPTIONS', headers: asked })
      expect([answer.code, ran]).toEqual(['credential_missing', []])
    })

    test('that is none is a route like any other; what the router answers is declared beside it', async () => {
      expect((await call('/own', { method: 'OPTIONS' })).code).toBe('route_undeclared')
      expect(ran).toEqual([])
      app = new Koa()
      app.use(countersign(guard)).use(router.routes()).use(router.allowedMethods())
      expect((await call('/orders', { method: 'OPTIONS' })).code).toBe('route_undeclared')
      app = new Koa()
      app
        .use(countersign(guard))
        .use(unprotected('says which methods there are', router.allowedMethods()))
        .use(router.routes())
      const answer = await call('/orders', { method: 'OPTIONS' })
      expect([answer.status, answer.headers.allow]).toEqual([200, 'HEAD, GET'])
      expect((await call('/orders')).code).toBe('credential_missing')
    })
  })
})
