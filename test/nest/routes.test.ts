import { createGuard } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { CountersignModule, authenticated, requires, resourceMetadata, scopes } from '@countersign/nest'
import {
  Catch,
  Module,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { beforeEach, describe, expect, test } from 'vitest'
import { bearerOf, callerIdOf, guardWith, issuer } from '../conformance/house.ts'
import { createApp, platforms, rootWith, serving } from './nest-app.ts'
import { Orders, ran } from './orders.ts'

// Such as an application has, to answer everything in a form of its own.
@Catch()
class AnsweringAll implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    ran.push('filter')
    const response: { status(code: number): { send(body: object): void } } = host.switchToHttp().getResponse()
    response.status(200).send({ fine: true })
  }
}

beforeEach(() => {
  ran.length = 0
})

describe.each(platforms)('on %s', (_platform, adapter) => {
  const open = (
    options: Parameters<typeof guardWith>[0] = {},
    prepare: (app: INestApplication) => unknown = () => undefined,
  ): Promise<INestApplication> =>
    createApp(rootWith(guardWith(options), { controllers: [Orders] }), adapter(), { prepare })

  describe('a route', () => {
    test('without a credential is refused as its guard says, before pipes, interceptors and handler', async () => {
      await serving(await open(), async (call) => {
        const answer = await call('/orders/7')
        expect(answer).toMatchObject({ status: 401, code: 'credential_missing' })
        expect(answer.headers).toMatchObject({
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          'content-length': String(answer.body.length),
        })
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer /)
        expect(JSON.parse(answer.body)).toMatchObject({ status: 401, decision: answer.events[0]?.id })
        expect(answer.events.map(({ route }) => route)).toEqual(['GET /orders/:id'])
        expect(ran).toEqual([])
      })
    })

    test('that is refused stays refused, whatever a filter would answer', async () => {
      const app = await open({}, (each) => each.useGlobalFilters(new AnsweringAll()))
      await serving(app, async (call) => {
        const headers = await bearerOf('checkout', 'orders:list')
        // The first time its key is fetched, then everything is at hand.
        for (let i = 0; i < 2; i += 1) {
          expect(await call('/orders/7', { headers })).toMatchObject({ status: 403, code: 'scope_missing' })
        }
        expect(await call('/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
        expect(await call('/orders/silent')).toMatchObject({ status: 403, code: 'route_undeclared' })
        expect(ran).toEqual([])
      })
    })

    test('of which nobody says who may call it is refused to everybody, before its handler', async () => {
      await serving(await open(), async (call) => {
        for (const headers of [{}, await bearerOf('checkout', 'orders:read')]) {
          expect(await call('/orders/silent', { headers })).toMatchObject({
            status: 403,
            code: 'route_undeclared',
          })
        }
        expect(ran).toEqual([])
      })
    })

    test("is refused to whoever is asked nothing but has no caller, where the handler wants one: that is the handler's error", async () => {
      await serving(await open(), async (call) => {
        expect(await call('/orders/nobody')).toMatchObject({ status: 500, code: null })
      })
    })

    test('runs for who may call it, and knows its caller everywhere', async () => {
      await serving(await open(), async (call) => {
        const answer = await call('/orders/7', { headers: await bearerOf('checkout', 'orders:read') })
        const caller = callerIdOf('checkout')
        expect(answer).toMatchObject({ status: 200, code: null })
        expect(JSON.parse(answer.body)).toEqual({ id: '7', caller, decided: 'allow', again: caller })
        expect(ran).toEqual([`interceptor, for ${caller}`, 'pipe', 'pipe', 'find'])
        expect(await call('/orders/health')).toMatchObject({ status: 200, body: 'ok' })
      })
    })

    test('answers its own errors by the filters of the application', async () => {
      const app = await open({}, (each) => each.useGlobalFilters(new AnsweringAll()))
      await serving(app, async (call) => {
        const headers = await bearerOf('checkout', 'orders:read')
        expect(await call('/orders/fails', { headers })).toMatchObject({ status: 200, body: '{"fine":true}' })
      })
    })

    test('for HEAD is held to what GET declares', async () => {
      await serving(await open(), async (call) => {
        const refused = await call('/orders/7', { method: 'HEAD' })
        expect(refused).toMatchObject({ status: 401, body: '', code: 'credential_missing' })
        expect(refused.events[0]?.route).toBe('HEAD /orders/:id')
        const headers = await bearerOf('checkout', 'orders:read')
        expect(await call('/orders/7', { method: 'HEAD', headers })).toMatchObject({ status: 200, body: '' })
      })
    })

    test('is only observed where the guard only observes', async () => {
      const mode = { observe: { until: '2999-01-01' } }
      await serving(await open({ mode }), async (call) => {
        const answer = await call('/orders/silent')
        expect(answer).toMatchObject({ status: 200, body: 'secret' })
        expect(answer.events.at(-1)).toMatchObject({ outcome: 'allow' })
      })
    })

    test('is held to the policy document by its spelling, which reads its parameters', async () => {
      const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { when: 'resource.params.id == "7"' } }
  - { route: GET /orders/silent, requires: { callers: [checkout] } }
`)
      await serving(await open({ policy }), async (call) => {
        const headers = await bearerOf('checkout', 'orders:read')
        expect(await call('/orders/7', { headers })).toMatchObject({ status: 200 })
        for (const method of ['GET', 'HEAD']) {
          expect(await call('/orders/8', { method, headers })).toMatchObject({ code: 'requirement_unmet' })
        }
        expect(await call('/orders/silent', { headers })).toMatchObject({ status: 200 })
        expect(await call('/orders/silent')).toMatchObject({ code: 'credential_missing' })
      })
    })
  })

  describe('what is no handler of Nest', () => {
    const secret = (_request: IncomingMessage, response: ServerResponse): void => {
      response.setHeader('x-secret', 'yes')
      response.end('a secret')
    }

    test('answers nobody', async () => {
      const app = await open({}, (each) => each.use('/stray', secret))
      await serving(app, async (call) => {
        const answer = await call('/stray', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ status: 403, code: 'route_undeclared' })
        expect(answer.headers['x-secret']).toBeUndefined()
        expect(answer.body).not.toContain('secret')
      })
    })

    test('answers who meets what is asked of everything below its path', async () => {
      const app = await open({}, (each) =>
        each.use('/stray', requires(authenticated())).use('/stray', secret),
      )
      await serving(app, async (call) => {
        expect(await call('/stray')).toMatchObject({ status: 401, code: 'credential_missing' })
        const headers = await bearerOf('checkout')
        expect(await call('/stray', { headers })).toMatchObject({ status: 200, body: 'a secret' })
      })
    })

    test('does not declare a handler of Nest that is below its path', async () => {
      const app = await open({}, (each) => each.use('/orders', requires(authenticated())))
      await serving(app, async (call) => {
        const headers = await bearerOf('checkout', 'orders:list')
        expect(await call('/orders/silent', { headers })).toMatchObject({ code: 'route_undeclared' })
        expect(await call('/orders/7', { headers })).toMatchObject({ code: 'scope_missing' })
        expect(await call('/orders/health')).toMatchObject({ code: 'credential_missing' })
      })
    })

    test('T46 is asked by its path, and no other spelling of that comes past to a handler of Nest', async () => {
      const app = await open({}, (each) => each.use('/orders', requires(scopes('orders:use'))))
      await serving(app, async (call) => {
        const headers = await bearerOf('checkout', 'orders:read')
        const both = await bearerOf('checkout', 'orders:read', 'orders:use')
        for (const path of [
          '/orders/7',
          '/%6frders/7',
          '/order%73/7',
          '/%6F%72ders/health',
          'http://orders.internal/orders/7',
          'http://attacker.test/orders/7',
          '//orders/7',
          '/orders//7',
          '/orders;x/7',
          '/./orders/7',
          '/orders%2f7',
        ]) {
          const answer = await call(path, { headers })
          expect([path, answer.status >= 400, ran]).toEqual([path, true, []])
        }
        expect(await call('/orders/7?x=%6f//', { headers: both })).toMatchObject({ status: 200, code: null })
        expect(await call('/orders/%C3%A4%20', { headers: both })).toMatchObject({ status: 200, code: null })
      })
    })

    test("is Nest's own 404, with no decision", async () => {
      await serving(await open(), async (call) => {
        expect(await call('/nowhere')).toMatchObject({ status: 404, events: [] })
        expect(await call('/orders/7', { method: 'DELETE' })).toMatchObject({ status: 404, events: [] })
      })
    })

    test('is refused where a filter makes an answer of a 404', async () => {
      const app = await open({}, (each) => each.useGlobalFilters(new AnsweringAll()))
      await serving(app, async (call) => {
        expect(await call('/nowhere')).toMatchObject({ status: 403, code: 'route_undeclared' })
      })
    })

    test('sees no header that could pass for an identity', async () => {
      const app = await open({}, (each) =>
        each
          .use('/seen', requires(authenticated()))
          .use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
            if (request.url?.startsWith('/orders') === true) next()
            else response.end(JSON.stringify([request.headers, request.rawHeaders, request.headersDistinct]))
          }),
      )
      await serving(app, async (call) => {
        const headers = {
          ...(await bearerOf('checkout')),
          'X-Forwarded-Client-Cert': 'Hash=1;URI=spiffe://test.example/admin',
          'x-other': 'stays',
        }
        const { body } = await call('/seen', { headers })
        expect(body).toContain('x-other')
        expect(body.toLowerCase()).not.toContain('x-forwarded-client-cert')
      })
    })

    test('may be a preflight, which the application answers, and says no more than that', async () => {
      const app = await open({ preflight: 'pass' }, (each) =>
        each.enableCors({ origin: 'https://app.example' }),
      )
      await serving(app, async (call) => {
        const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
        const answer = await call('/orders/7', { method: 'OPTIONS', headers })
        expect(answer).toMatchObject({ status: 204, body: '' })
        expect(answer.headers['access-control-allow-origin']).toBe('https://app.example')
        // Without them, a browser could not read the refusal.
        const refused = await call('/orders/7', { headers: { origin: 'https://app.example' } })
        expect(refused).toMatchObject({ status: 401, code: 'credential_missing' })
        expect(refused.headers['access-control-allow-origin']).toBe('https://app.example')
      })
    })
  })

  test('what the service says of itself can be read by everybody', async () => {
    const resource = 'https://orders.example'
    const app = await open({ resource }, (each) => each.use(resourceMetadata()))
    await serving(app, async (call) => {
      const answer = await call('/.well-known/oauth-protected-resource')
      expect(answer).toMatchObject({ status: 200, code: null })
      expect(JSON.parse(answer.body)).toMatchObject({
        resource,
        scopes_supported: ['orders:read', 'orders:write'],
      })
      expect(await call('/orders/7')).toMatchObject({ status: 401 })
    })
    const without = await open({}, (each) => each.use(resourceMetadata()))
    await serving(without, async (call) => {
      expect(await call('/orders/health')).toMatchObject({ status: 500 })
    })
  })

  test('two guards are a mistake, and the same one twice is none', async () => {
    const guard = guardWith()
    const again = (other: Parameters<typeof CountersignModule.forRoot>[0]): unknown => {
      class Again {}
      Module({ imports: [CountersignModule.forRoot(other)], controllers: [Orders] })(Again)
      return Again
    }
    const same = await createApp(rootWith(guard, { imports: [again(guard) as never] }), adapter())
    await serving(same, async (call) => {
      expect(await call('/orders/health')).toMatchObject({ status: 200 })
      const answer = await call('/orders/7', { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer).toMatchObject({ status: 200 })
    })
    const another = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    await expect(
      createApp(rootWith(guard, { imports: [again(another) as never] }), adapter()),
    ).rejects.toThrow(/two guards/)
  })
})
