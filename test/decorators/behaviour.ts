// What controllers do in an application, the same in both dialects and on both majors of Express.
import { countersign, createGuard, type Guard } from '@countersign/express'
import { mount } from '@countersign/decorators'
import type { TestIssuer } from '@countersign/testing'
import type { ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServedApp, bearer, expressVersions, testIssuer, type Answer } from '../express/served-app.ts'

/** Runs the behaviour of one dialect's controllers. */
export function describeControllers(controllers: () => readonly object[]): void {
  describe.each(expressVersions)('on %s', (_name, express) => {
    let issuer: TestIssuer
    let guard: Guard
    let served: ServedApp
    /** Errors that reached the error handler of the application during a call. */
    let errors: unknown[]

    beforeAll(async () => {
      issuer = await testIssuer()
      guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
      const app = express()
      app.use(countersign(guard))
      for (const controller of controllers()) mount(app, controller)
      // An error that came a second time would reach the second.
      app.use(reporting((error) => errors.push(error)))
      app.use(reporting((error) => errors.push(error)))
      served = await ServedApp.start(app)
    })
    afterAll(async () => {
      await served.close()
      guard.close()
    })

    async function call(route: string, ...scopes: string[]): Promise<Answer> {
      errors = []
      const [method = '', path = ''] = route.split(' ')
      return served.call(path, { method, headers: await bearer(issuer, ...scopes) })
    }

    test('gives a method the arguments of Express, its own `this` and the caller', async () => {
      expect(await call('GET /orders/7', 'orders:read')).toMatchObject({
        status: 200,
        body: 'corner shop 7 https://issuer.test#client=checkout',
      })
    })

    test('refuses a caller without credentials', async () => {
      expect(await served.call('/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
    })

    test.each([
      ['GET /orders/7', []],
      ['POST /orders', ['orders:write']],
      ['DELETE /orders/7', ['orders:write']],
      ['GET /private-reports/kept', ['reports:read', 'reports:kept']],
    ])('holds every method to the floor of its class: %s with %j', async (route, scopes) => {
      expect(await call(route, ...scopes)).toMatchObject({ status: 403, code: 'scope_missing' })
    })

    test('holds a method to what it adds to the floor', async () => {
      expect(await call('POST /orders', 'orders:read')).toMatchObject({ status: 403, code: 'scope_missing' })
      expect(await call('POST /orders', 'orders:read', 'orders:write')).toMatchObject({ status: 200 })
    })

    test('holds a method to each of several requirements', async () => {
      const scopes = ['orders:read', 'orders:write']
      expect(await call('DELETE /orders/7', ...scopes)).toMatchObject({
        status: 403,
        code: 'caller_not_allowed',
      })
      const headers = await issuer.headersFor('backoffice', { scopes })
      expect(await served.call('/orders/7', { method: 'DELETE', headers })).toMatchObject({ status: 200 })
    })

    test.each(['get', 'post', 'put', 'patch', 'delete', 'head', 'options'])(
      'answers %s by the method declared for it',
      async (verb) => {
        const route = `${verb.toUpperCase()} /verbs`
        expect(await call(route, 'verbs:none')).toMatchObject({ status: 403, code: 'scope_missing' })
        expect(await call(route, `verbs:${verb}`)).toMatchObject({
          status: 200,
          body: verb === 'head' ? '' : verb,
        })
      },
    )

    test.each(['GET', 'POST', 'DELETE'])('answers %s where a method is declared for all', async (verb) => {
      expect(await call(`${verb} /verbs/all`)).toMatchObject({ status: 403, code: 'scope_missing' })
      expect(await call(`${verb} /verbs/all`, 'verbs:all')).toMatchObject({ body: verb.toLowerCase() })
    })

    test.each(['GET /verbs/one', 'PUT /verbs/other'])(
      'makes a route of each verb of a method: %s',
      async (route) => {
        expect(await call(route)).toMatchObject({ status: 403, code: 'scope_missing' })
        expect(await call(route, 'verbs:both')).toMatchObject({ status: 200, body: route.split(' ')[1] })
      },
    )

    describe.each([
      ['a method that is inherited', 'kept', ['reports:kept'], 'of the base class'],
      ['an override that declares nothing', 'overridden', ['reports:overridden'], 'of the subclass'],
      [
        'an override that declares the same route',
        'added',
        ['reports:base', 'reports:own'],
        'of the subclass',
      ],
      ['an override that declares another route', 'more', ['reports:base', 'reports:own'], 'of the subclass'],
      ['an override that makes a route of it', 'template', ['reports:template'], 'of the subclass'],
    ])('%s', (_case, path, own, body) => {
      test('needs all that its class and the base class ask, and no more', async () => {
        const needed = ['reports:read', ...own]
        expect(await call(`GET /reports/${path}`, ...needed)).toMatchObject({ status: 200, body })
        for (const missing of needed) {
          const rest = needed.filter((scope) => scope !== missing)
          expect(await call(`GET /reports/${path}`, ...rest)).toMatchObject({
            status: 403,
            code: 'scope_missing',
          })
        }
      })

      test('needs more in a subclass that raises the floor', async () => {
        const needed = ['reports:read', ...own]
        expect(await call(`GET /private-reports/${path}`, ...needed)).toMatchObject({
          status: 403,
          code: 'scope_missing',
        })
        const answer = await call(`GET /private-reports/${path}`, ...needed, 'reports:private')
        expect(answer).toMatchObject({ status: 200, body })
      })
    })

    test('lets everybody call an unprotected method, and reads no credential', async () => {
      expect(await served.call('/probes/live')).toMatchObject({ status: 200, body: 'nobody' })
      expect(await call('GET /probes/live')).toMatchObject({ status: 200, body: 'nobody', code: null })
    })

    test('lets who presents nothing call a method with an optional caller, and refuses a bad credential', async () => {
      expect(await served.call('/probes/greeting')).toMatchObject({ status: 200, body: 'nobody' })
      expect(await call('GET /probes/greeting')).toMatchObject({
        status: 200,
        body: 'https://issuer.test#client=checkout',
      })
      const authorization = `Bearer ${await issuer.broken('expired', 'checkout')}`
      expect(await served.call('/probes/greeting', { headers: { authorization } })).toMatchObject({
        status: 401,
        code: 'token_expired',
      })
    })

    test('leaves a method that declares nothing to the guard, which refuses', async () => {
      expect(await call('GET /probes/undeclared', 'orders:read')).toMatchObject({
        status: 403,
        code: 'route_undeclared',
      })
    })

    test.each([
      '/wrapped/outside',
      '/wrapped/between',
      '/wrapped/inside',
      '/wrapped/bound',
      '/wrapped/symbol',
      '/extended-outside',
      '/extended-between',
      '/extended-inside',
      '/proxied',
      '/instance-proxy',
      '/instance-proxy/own',
    ])('loses nothing to the decorators of others: %s', async (path) => {
      expect(await call(`GET ${path}`)).toMatchObject({ status: 403, code: 'scope_missing' })
      expect(await call(`GET ${path}`, 'wrapped:read')).toMatchObject({ status: 200, body: 'kept' })
    })

    test.each([
      ['thrown', 'thrown'],
      ['rejected', 'rejected'],
      ['passed-on', 'passed on'],
      ['nothing', 'a handler rejected with something that is no error'],
      ['route', 'a handler rejected with something that is no error'],
    ])('takes a failure to the error handler, once: %s', async (path, message) => {
      expect(await call(`GET /failing/${path}`, 'failing:call')).toMatchObject({
        status: 500,
        body: 'failed',
      })
      expect(errors).toMatchObject([{ message }])
    })

    test('shows every route in the census, with all that it asks', async () => {
      const entries = guard.census()
      expect(entries).toContainEqual({
        method: 'POST',
        path: '/orders',
        requirement: 'allOf(scopes(orders:read), scopes(orders:write))',
        scopes: ['orders:read', 'orders:write'],
        status: 'declared',
        declaredAt: null,
      })
      expect(entries).toContainEqual({
        method: 'GET',
        path: '/probes/live',
        requirement: 'unprotected(liveness probe, returns no data)',
        scopes: [],
        status: 'declared',
        declaredAt: null,
      })
      expect(entries).toContainEqual({
        method: 'GET',
        path: '/probes/undeclared',
        requirement: null,
        scopes: [],
        status: 'undeclared',
        declaredAt: null,
      })
      expect(entries.filter(({ path }) => path.startsWith('/reports/')).map(({ path }) => path)).toEqual([
        '/reports/kept',
        '/reports/overridden',
        '/reports/added',
        '/reports/more',
        '/reports/template',
      ])
    })
  })
}

const reporting =
  (report: (error: unknown) => void): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    report(error)
    response.status(500).send('failed')
  }
