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
  sealRoutes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/koa'
import type { TestIssuer } from '@countersign/testing'
import type { Context, Next } from 'koa'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  Served,
  bearer,
  koaVersions,
  testIssuer,
  type Answer,
  type App,
  type AppRouter,
} from './served-koa.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(koaVersions)('%s', (_name, Koa, Router) => {
  let app: App
  let router: AppRouter
  let guard: Guard
  const served = new Served()
  const guards: Guard[] = []
  /** Handlers that ran, in order: a refusal must come before any of them. */
  let ran: string[]
  const handler = (name: string) => (context: Context) => {
    ran.push(name)
    context.body = name
  }
  const passOn = (name: string) => (_context: Context, next: Next) => {
    ran.push(name)
    return next()
  }

  const guardWith = (options: Partial<GuardOptions> = {}): Guard => {
    const made = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: false,
      ...options,
    })
    guards.push(made)
    return made
  }
  const call = (path: string, options?: Parameters<Served['call']>[2]): Promise<Answer> =>
    served.call(app, path, options)

  beforeEach(() => {
    ran = []
    guard = guardWith()
    app = new Koa()
    router = new Router()
    app.use(countersign(guard)).use(router.routes()).use(router.allowedMethods())
  })
  afterEach(async () => {
    await served.close()
    for (const each of guards.splice(0)) each.close()
  })

  test('lets a caller with the scope through, and tells the handler who it is', async () => {
    router.get('/orders/:id', requireScopes('orders:read'), (context) => {
      context.body = {
        id: context.caller.id,
        same: callerOf(context) === context.caller,
        order: context.params['id'],
      }
    })
    const answer = await call('/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      id: 'https://issuer.test#client=checkout',
      same: true,
      order: '7',
    })
    expect(answer.events.map(({ route, outcome, code }) => [route, outcome, code])).toEqual([
      ['GET /orders/:id', 'allow', null],
    ])
  })

  test('refuses who presents nothing exactly as the decision says, before any handler', async () => {
    app.middleware.unshift(async (context: Context, next: Next) => {
      await next()
      // What comes after a refusal cannot change it.
      context.body = 'something else'
      context.status = 200
      context.set('x-late', '1')
    })
    router.get('/orders', requireScopes('orders:read'), handler('orders'))
    const answer = await call('/orders')
    expect([answer.status, answer.code]).toEqual([401, 'credential_missing'])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign", scope="orders:read"')
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['x-late']).toBeUndefined()
    expect(JSON.parse(answer.body)).toEqual({
      title: 'Unauthorized',
      status: 401,
      detail: 'a credential is required',
      decision: answer.events[0]?.id,
    })
    expect(ran).toEqual([])
  })

  test('refuses a caller without the scope, and a repeated Authorization field', async () => {
    router.get('/orders', requireScopes('orders:read', 'orders:list'), handler('orders'))
    const headers = await bearer(issuer, 'orders:read')
    const lacking = await call('/orders', { headers })
    expect([lacking.status, lacking.code]).toEqual([403, 'scope_missing'])
    const twice = await call('/orders', {
      headers: { authorization: [headers.authorization, headers.authorization] },
    })
    expect([twice.status, twice.code]).toEqual([400, 'credential_duplicated'])
    expect(ran).toEqual([])
  })

  test('refuses a route that says nothing, before its handler runs', async () => {
    router.get('/orders', handler('orders'))
    const answer = await call('/orders', { headers: await bearer(issuer, 'orders:read') })
    expect([answer.status, answer.code, answer.events[0]?.route]).toEqual([
      403,
      'route_undeclared',
      'GET /orders',
    ])
    expect(ran).toEqual([])
  })

  test('holds undeclared routes to the requirement that the guard has for them', async () => {
    app = new Koa()
    app.use(countersign(guardWith({ undeclared: authenticated() }))).use(router.routes())
    router.get('/orders', handler('orders'))
    expect((await call('/orders')).code).toBe('credential_missing')
    expect((await call('/orders', { headers: await bearer(issuer) })).body).toBe('orders')
  })

  test('refuses a route that is registered while the service runs', async () => {
    router.get('/orders', unprotected('for this test'), handler('orders'))
    await call('/orders')
    router.get('/late', handler('late'))
    router.get('/declared', requireScopes('a:b'), handler('declared'))
    expect((await call('/late')).code).toBe('route_undeclared')
    expect((await call('/declared')).code).toBe('credential_missing')
    expect(ran).toEqual(['orders'])
  })

  test('guards a router before the guard, from the first request on where the application is sealed', async () => {
    app = new Koa()
    app.use(router.routes()).use(countersign(guard))
    router.get('/early', handler('early'))
    router.get('/declared', requireScopes('a:b'), handler('declared'))
    await sealRoutes(app)
    expect((await call('/early')).code).toBe('route_undeclared')
    expect((await call('/declared')).code).toBe('credential_missing')
    expect(ran).toEqual([])
  })

  test('a declaration before the guard never lets anybody by, sealed or not', async () => {
    router.get('/declared', requireScopes('a:b'), handler('declared'))
    app = new Koa()
    app
      .use(router.routes())
      .use((context, next) => (context.path === '/use' ? requireScopes('a:b')(context, next) : next()))
      .use(countersign(guard))
      .use(handler('use'))
    const headers = await bearer(issuer, 'a:b')
    expect((await call('/declared', { headers })).status).toBe(500)
    expect((await call('/use', { headers })).status).toBe(500)
    expect(ran).toEqual([])
  })

  test('lets everybody call an unprotected route, reads no credential there, and has no caller', async () => {
    router.get('/healthz', unprotected('liveness probe'), (context) => {
      expect(callerOf(context)).toBeUndefined()
      expect(decisionOf(context)?.outcome).toBe('allow')
      expect(() => context.caller).toThrow(expect.objectContaining({ code: 'caller_unavailable' }))
      context.body = 'ok'
    })
    const answer = await call('/healthz', { headers: { authorization: 'Bearer rubbish' } })
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
  })

  test('verifies what is presented where a caller is optional, and never takes an invalid one for nobody', async () => {
    router.get('/shop', callerOptional('prices differ'), (context) => {
      context.body = callerOf(context)?.id ?? 'nobody'
    })
    expect((await call('/shop')).body).toBe('nobody')
    expect((await call('/shop', { headers: await bearer(issuer) })).body).toBe(
      'https://issuer.test#client=checkout',
    )
    const broken = await issuer.broken('forged-signature', 'checkout', { audience: 'orders' })
    const answer = await call('/shop', { headers: { authorization: `Bearer ${broken}` } })
    expect([answer.status, answer.code]).toEqual([401, 'signature_invalid'])
  })

  test('takes away headers that could pass for an identity, wherever Node shows them', async () => {
    router.get('/headers', unprotected('open'), (context) => {
      context.body = JSON.stringify([context.headers, context.req.headersDistinct, context.req.rawHeaders])
    })
    const { body } = await call('/headers', {
      headers: {
        'x-forwarded-client-cert': 'forged',
        'x-amzn-mtls-clientcert': 'forged',
        'x-other': 'stays',
      },
    })
    expect(body).not.toContain('forged')
    expect(body).toContain('stays')
  })

  test('answers HEAD by what GET declares, and names the method of the request', async () => {
    router.get('/orders', requireScopes('orders:read'), handler('orders'))
    const refused = await call('/orders', { method: 'HEAD' })
    expect([refused.status, refused.body, refused.events[0]?.route]).toEqual([401, '', 'HEAD /orders'])
    const allowed = await call('/orders', { method: 'HEAD', headers: await bearer(issuer, 'orders:read') })
    expect([allowed.status, allowed.headers['content-length'], allowed.body]).toEqual([200, '6', ''])
  })

  test('keeps the methods of one path apart', async () => {
    router.get('/orders', unprotected('a public list'), handler('list'))
    router.post('/orders', requireScopes('orders:write'), handler('create'))
    router.put('/orders', handler('undeclared'))
    expect((await call('/orders')).body).toBe('list')
    expect((await call('/orders', { method: 'POST' })).code).toBe('credential_missing')
    expect((await call('/orders', { method: 'PUT' })).code).toBe('route_undeclared')
    expect(ran).toEqual(['list'])
  })

  test('adds up all declarations of a route, however they are mixed', async () => {
    router.all(
      '/both',
      unprotected('undone by its neighbour'),
      requireScopes('a:b'),
      requires(callerIs('https://issuer.test#client=*')),
      handler('both'),
    )
    expect((await call('/both', { method: 'DELETE' })).code).toBe('credential_missing')
    expect((await call('/both', { headers: await bearer(issuer) })).code).toBe('scope_missing')
    const answer = await call('/both', { headers: await bearer(issuer, 'a:b') })
    expect(answer.body).toBe('both')
    expect(answer.events[0]?.route).toBe('GET /both')
  })

  test('a handler before the declaration is found at the start, and runs nothing', async () => {
    router.post('/x', passOn('parser'), requireScopes('a:b'), handler('x'))
    await expect(sealRoutes(app)).rejects.toThrow('POST /x')
    const answer = await call('/x', { method: 'POST', headers: await bearer(issuer, 'a:b') })
    expect([answer.status, answer.code]).toEqual([500, 'declaration_misplaced'])
    expect(ran).toEqual([])
  })

  test('the loader of a parameter runs behind the decision, also one that is added while the service runs', async () => {
    router.param('id', async (id, _context, next) => {
      ran.push(`early ${id}`)
      return next()
    })
    router.get('/orders/:id', requireScopes('orders:read'), handler('order'))
    await expect(sealRoutes(app)).resolves.toBeUndefined()
    expect((await call('/orders/7')).code).toBe('credential_missing')
    router.param('id', async (id, _context, next) => {
      ran.push(`late ${id}`)
      return next()
    })
    expect((await call('/orders/7')).code).toBe('credential_missing')
    expect(ran).toEqual([])
    expect((await call('/orders/7', { headers: await bearer(issuer, 'orders:read') })).body).toBe('order')
    expect(ran.toSorted()).toEqual(['early 7', 'late 7', 'order'])
  })

  test('several routes that match one path are decided one by one', async () => {
    router.get('/orders/:id', unprotected('passes on'), passOn('first'))
    router.get('/orders/:other', requireScopes('orders:read'), handler('second'))
    router.get('/undeclared/:id', unprotected('passes on'), passOn('first'))
    router.get('/undeclared/:other', handler('second'))
    expect((await call('/orders/7')).code).toBe('credential_missing')
    expect((await call('/undeclared/7')).code).toBe('route_undeclared')
    expect(ran).toEqual(['first', 'first'])
    const allowed = await call('/orders/7', { headers: await bearer(issuer, 'orders:read') })
    expect([allowed.body, allowed.events.length]).toEqual(['second', 2])
  })

  test('an error of a handler stays the application’s, and tells nothing', async () => {
    router.get('/x', unprotected('fails'), () => {
      throw new Error('secret detail')
    })
    const answer = await call('/x')
    expect([answer.status, answer.body]).toEqual([500, 'Internal Server Error'])
  })

  test('an error handler may answer for a route that was allowed and fails', async () => {
    app.middleware.splice(1, 0, async (context: Context, next: Next) => {
      try {
        await next()
      } catch {
        context.body = 'handled'
      }
    })
    router.get('/allowed', unprotected('fails'), () => Promise.reject(new Error('broken')))
    router.get('/behind', unprotected('passes on'), passOn('first'))
    app.use(() => Promise.reject(new Error('broken')))
    expect((await call('/allowed')).body).toBe('handled')
    expect((await call('/behind')).code).toBe('route_undeclared')
  })

  test('two guards on one request are a mistake, one guard twice is none', async () => {
    const again = new Koa()
    again.use(countersign(guard)).use(countersign(guard)).use(router.routes())
    const both = new Koa()
    both.use(countersign(guard)).use(countersign(guardWith())).use(router.routes())
    router.get('/x', unprotected('open'), handler('x'))
    expect((await served.call(again, '/x')).body).toBe('x')
    expect((await served.call(both, '/x')).status).toBe(500)
    await expect(sealRoutes(both)).rejects.toThrow('two guards')
    expect(ran).toEqual(['x'])
  })

  test('lets pass and records while it only observes, also what nobody declared', async () => {
    app = new Koa()
    app
      .use(countersign(guardWith({ mode: { observe: { until: '2999-01-01' } } })))
      .use(router.routes())
      .use(handler('plain'))
    router.get('/orders', requireScopes('orders:read'), (context) => {
      context.body = callerOf(context)?.id ?? 'nobody'
    })
    router.get('/undeclared', handler('undeclared'))
    const observed = await call('/orders')
    expect([observed.body, observed.events[0]?.code]).toEqual(['nobody', 'credential_missing'])
    expect((await call('/undeclared')).body).toBe('undeclared')
    expect((await call('/elsewhere')).body).toBe('plain')
  })

  test('decides without leaving the call stack where the caller is known', async () => {
    const order: string[] = []
    app = new Koa()
    app.use(countersign(guard)).use((_context, next) => {
      const done = next()
      order.push('after')
      return done
    })
    app.use(router.routes())
    router.get('/orders', requireScopes('orders:read'), (context) => {
      order.push('handler')
      context.body = 'orders'
    })
    const headers = await bearer(issuer, 'orders:read')
    await call('/orders', { headers })
    order.length = 0
    await call('/orders', { headers })
    expect(order).toEqual(['handler', 'after'])
  })

  test('tells many callers at once apart', async () => {
    router.get('/me', requires(authenticated()), async (context) => {
      await new Promise((resolve) => void setImmediate(resolve))
      context.body = context.caller.id
    })
    const names = Array.from({ length: 40 }, (_each, i) => `caller-${i}`)
    const answers = await Promise.all(
      names.map(async (name) => call('/me', { headers: await issuer.headersFor(name, {}) })),
    )
    expect(answers.map(({ body }) => body)).toEqual(names.map((name) => `https://issuer.test#client=${name}`))
  })
})
