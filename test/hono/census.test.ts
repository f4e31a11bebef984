// What is known of routes before any request, and what stops a start.
import {
  authenticated,
  ConfigurationError,
  callerOptional,
  countersign,
  createGuard,
  formatCensus,
  requireScopes,
  sealRoutes,
  unprotected,
  type CensusEntry,
  type Guard,
  type GuardOptions,
} from '@countersign/hono'
import type { Source, SourceListener } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import type { TestIssuer } from '@countersign/testing'
import fc from 'fast-check'
import type { Context, Hono as App, Next } from 'hono'
import { UnsupportedPathError, type Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { TrieRouter } from 'hono/router/trie-router'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { covers } from '../../packages/hono/src/covers.ts'
import { fetched, honoVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(honoVersions)('%s', (_name, Hono) => {
  let app: App
  let told: string[]
  const guards: Guard[] = []
  const handler = (c: Context): Response => c.text('answered')
  const passing = (_c: Context, next: Next): Promise<void> => next()

  beforeEach(() => {
    app = new Hono()
    told = []
  })
  afterEach(() => {
    for (const guard of guards.splice(0)) guard.close()
  })

  function guardWith(undeclared: GuardOptions['undeclared']): Guard {
    const guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (message) => void told.push(message) },
      ...(undeclared === undefined ? {} : { undeclared }),
    })
    guards.push(guard)
    return guard
  }

  const failing = async (sealing: Promise<void>): Promise<ConfigurationError> => {
    const error: unknown = await sealing.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ConfigurationError)) throw new Error('expected a ConfigurationError')
    return error
  }

  const lines = (entries: readonly CensusEntry[]): readonly string[] =>
    entries.map(({ method, path, requirement, status }) => `${method} ${path} ${requirement} ${status}`)

  test('lists every route with all that is asked on the way, as policy documents spell it', async () => {
    const guard = guardWith(undefined)
    app.use(countersign(guard))
    app.use(passing)
    const admin = new Hono().onError((_error, c) => c.text('failed', 500))
    admin.use(requireScopes('admin:write'))
    admin.get('/panel', handler)
    admin.get('/keys/:id{[0-9]+}', requireScopes('keys:read'), passing, handler)
    admin.get('/open/:page?', unprotected('cannot undo the floor'), handler)
    app.route('/admin', admin)
    app.get('/orders/*', requireScopes('orders:list'))
    app.on(['GET', 'PURGE'], ['/orders/:id', '/bills/:id'], requireScopes('orders:read'), handler)
    app.all('/any', callerOptional('shows more to some'), handler)
    app.get('/any', handler)
    app.all('/asked', requireScopes('a:b'), handler)
    app.post('/asked', handler)
    app.all('/every/*', handler)
    app.use('/static/*', unprotected('assets'), passing)
    app.get('/forgotten', passing)
    app.get('/late', handler, requireScopes('a:b'))
    app.get('/own', countersign(guard), requireScopes('own:read'), handler)
    await expect(sealRoutes(app)).rejects.toThrow('GET /late')
    expect(lines(guard.census())).toEqual([
      'GET /admin/panel scopes(admin:write) declared',
      'GET /admin/keys/:id{[0-9]+} allOf(scopes(admin:write), scopes(keys:read)) declared',
      'GET /admin/open/:page? scopes(admin:write) declared',
      'GET /orders/:id allOf(scopes(orders:list), scopes(orders:read)) declared',
      'PURGE /orders/:id scopes(orders:read) declared',
      'GET /bills/:id scopes(orders:read) declared',
      'PURGE /bills/:id scopes(orders:read) declared',
      '* /any callerOptional(shows more to some) declared',
      'GET /any null undeclared',
      '* /asked scopes(a:b) declared',
      'POST /asked null undeclared',
      '* /every/* null undeclared',
      'GET /forgotten null undeclared',
      'GET /late scopes(a:b) misplaced',
      'GET /own scopes(own:read) declared',
    ])
    expect(formatCensus(guard.census())).toContain('test/hono/census.test.ts:')
  })

  test('is known once an application was sealed, once, and follows what is added then', async () => {
    const guard = guardWith(undefined)
    app.use(countersign(guard))
    app.get('/orders', requireScopes('a:b'), handler)
    expect(guard.census()).toEqual([])
    await sealRoutes(app)
    await sealRoutes(app)
    expect(lines(guard.census())).toEqual(['GET /orders scopes(a:b) declared'])
    app.get('/more', handler)
    expect(lines(guard.census())).toContain('GET /more null undeclared')
  })

  test('shows what a policy document says as soon as it was replaced', async () => {
    const listeners: SourceListener[] = []
    const document = (asked: string): string =>
      `version: 1\nroutes:\n  - { route: GET /orders, requires: { scopes: [${asked}] } }\n`
    const source: Source = { follow: (listener) => (listeners.push(listener), () => undefined) }
    const guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      policy: policyDocument(source),
      log: false,
    })
    guards.push(guard)
    app.use(countersign(guard))
    app.get('/orders', handler)
    for (const scope of ['orders:read', 'orders:list']) {
      for (const listener of listeners) listener.replace(document(scope))
      await sealRoutes(app)
      expect(lines(guard.census())).toEqual([`GET /orders scopes(${scope}) declared`])
    }
  })

  test('tells routes that no guard stands before, and what another guard protects', async () => {
    const guard = guardWith(undefined)
    const other = guardWith(undefined)
    app.get('/before', unprotected('x'), handler)
    app.use('/api/*', countersign(guard))
    app.use('/other/*', countersign(other))
    app.get('/api/x', unprotected('x'), handler)
    app.get('/other/x', unprotected('x'), handler)
    await sealRoutes(app)
    // Both guards know of it: nobody can say whose it was meant to be.
    const before = 'GET /before unprotected(x) unguarded'
    expect(lines(guard.census())).toEqual([before, 'GET /api/x unprotected(x) declared'])
    expect(lines(other.census())).toEqual([before, 'GET /other/x unprotected(x) declared'])
    expect(told.join()).toContain('no guard stands before `GET /before`')
  })

  test('stops the start with every route of which nobody says who may call it', async () => {
    app.use(countersign(guardWith('fail-start')))
    app.get('/a', handler)
    app.get('/fine', unprotected('open'), handler)
    app.use('/floor/*', requireScopes('a:b'))
    app.get('/floor/b', handler)
    app.all('/c', handler)
    const error = await failing(sealRoutes(app))
    expect(error.option).toBe('undeclared')
    expect(error.message).toBe(
      "`undeclared`: nobody says who may call `GET /a`, `* /c`: put requireScopes('…') first on each, or unprotected('why') if everybody may call it",
    )
    expect(told).toEqual([])
  })

  test('stops the start for routes that no guard stands before', async () => {
    app.get('/before', handler)
    app.use('/api/*', countersign(guardWith('fail-start')))
    app.get('/api/x', unprotected('open'), handler)
    const { message } = await failing(sealRoutes(app))
    expect(message).toBe(
      '`undeclared`: no guard stands before `GET /before`: put app.use(countersign(guard)) before every route',
    )
  })

  test('stops every start for declarations that come too late, or stand beside no handler', async () => {
    app.use(countersign(guardWith(authenticated())))
    app.get('/late', handler, requireScopes('a:b'))
    app.use('/alone/*', unprotected('opens nothing'))
    const { message } = await failing(sealRoutes(app))
    expect(message).toContain('`GET /late`, `use /alone/*`')
  })

  test('refuses an application without a guard, and one with two on one way', async () => {
    app.get('/orders', handler)
    expect((await failing(sealRoutes(app))).message).toContain('does not use it')
    app.use('*', countersign(guardWith(undefined)))
    app.use('/api/*', countersign(guardWith(undefined)))
    expect((await failing(sealRoutes(app))).message).toContain('two guards')
  })

  test('tells the operator which routes are refused, and what sealing would have stopped', async () => {
    const guard = guardWith('fail-start')
    app.use(countersign(guard))
    app.get('/orders', unprotected('x'), handler)
    await fetched(app, '/orders')
    await fetched(app, '/orders')
    expect(told).toEqual([expect.stringContaining('await sealRoutes(app)')])
    const other = new Hono()
    other.use(countersign(guardWith(undefined)))
    other.get('/forgotten', handler)
    told.length = 0
    await sealRoutes(other)
    await fetched(other, '/nothing')
    expect(told).toEqual([expect.stringContaining('`GET /forgotten`')])
    told.length = 0
    const sealed = new Hono()
    sealed.use(countersign(guardWith('fail-start')))
    sealed.get('/orders', unprotected('x'), handler)
    await sealRoutes(sealed)
    await fetched(sealed, '/orders')
    expect(told).toEqual([])
  })
})

describe('whether one path covers another', () => {
  test.each([
    ['/*', '/orders', true],
    ['/*', '/', true],
    ['/admin/*', '/admin', true],
    ['/admin/*', '/admin/*', true],
    ['/admin/*', '/admin/:id/x', true],
    ['/:a/*', '/admin/x', true],
    ['/:a', '/:b', true],
    ['/:a?', '/b', true],
    ['/a/*/c', '/a/:b/c', true],
    ['/a/:id{[0-9]+}', '/a/:id{[0-9]+}', true],
    ['/admin/*', '/administration', false],
    ['/admin/*', '/*', false],
    ['/admin/*', '/:a/x', false],
    ['/a/:id{[0-9]+}', '/a/:id', false],
    ['/a/b', '/a/:b?', false],
    ['/a/b', '/a/b/c', false],
    ['/a/b/*', '/a/*', false],
    ['/:a', '/*', false],
  ])('%s and %s: %s', (pattern, path, expected) => expect(covers(pattern, path)).toBe(expected))

  const segment = fc.constantFrom('a', 'b', ':x', ':y', ':n{[0-9]+}', '*')
  const pathOf = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
  const request = fc
    .array(fc.constantFrom('a', 'b', '7', 'c'), { minLength: 0, maxLength: 5 })
    .map((parts) => `/${parts.join('/')}`)

  test.each([
    ['TrieRouter', () => new TrieRouter<string>()],
    ['RegExpRouter', () => new RegExpRouter<string>()],
  ])('says so only where the %s would lead whoever comes to the one by the other', (_name, routerOf) => {
    fc.assert(
      fc.property(pathOf, pathOf, request, (pattern, path, asked) => {
        fc.pre(covers(pattern, path))
        const found = matchedBy(routerOf(), [pattern, path], asked)
        // What one router cannot do, Hono gives to the other.
        fc.pre(found !== undefined)
        return !found.includes(path) || found.includes(pattern)
      }),
      { numRuns: 2000 },
    )
  })
})

function matchedBy(
  router: Router<string>,
  paths: readonly string[],
  asked: string,
): readonly string[] | undefined {
  try {
    for (const path of paths) router.add('GET', path, path)
    return router.match('GET', asked)[0].map(([name]) => name)
  } catch (error) {
    if (error instanceof UnsupportedPathError) return undefined
    throw error
  }
}
