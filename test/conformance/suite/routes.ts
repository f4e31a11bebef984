import { authenticated, scopes, unprotected } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { bearerOf, guardWith } from '../house.ts'
import { Served, type Answer } from '../served.ts'
import type { Service, ServiceRoute, Subject } from '../subject.ts'
import { feature, withService } from './with-service.ts'

const ran: string[] = []
const telling = (
  method: ServiceRoute['method'],
  path: string,
  placement?: ServiceRoute['placement'],
): ServiceRoute => ({
  method,
  path,
  ...(placement === undefined ? {} : { placement }),
  handle: () => {
    ran.push(`${method} ${path}`)
    return { body: `${method} ${path}` }
  },
})

const service: Service = {
  routes: [
    telling('GET', '/orders', scopes('orders:list')),
    telling('POST', '/orders', scopes('orders:write')),
    telling('GET', '/orders/:id', scopes('orders:read')),
    telling('GET', '/silent'),
    telling('GET', '/admin/silent'),
    telling('GET', '/admin/panel', scopes('panel:read')),
    telling('GET', '/admin/open', unprotected('is not, below a floor')),
    telling('GET', '/healthz', unprotected('liveness probe')),
  ],
}
const withFloor: Service = { ...service, floor: { prefix: '/admin', requirement: scopes('admin:use') } }

export function routes(subject: Subject): void {
  describe('a route', () => {
    test('is held to what it declares itself, and to nothing that another one does', async () => {
      await withService(subject, service, async (served) => {
        const headers = await bearerOf('checkout', 'orders:read')
        expect(await served.call('/orders/7', { headers })).toMatchObject({ body: 'GET /orders/:id' })
        expect(await served.call('/orders', { headers })).toMatchObject({
          status: 403,
          code: 'scope_missing',
        })
        const written = await served.call('/orders', { method: 'POST', headers })
        expect(written).toMatchObject({ status: 403, code: 'scope_missing' })
        expect(written.events[0]?.route).toBe('POST /orders')
      })
    })

    feature(
      subject,
      'undeclared routes are refused before their handler',
      'that says nothing is refused whoever asks, before its handler, and listed',
      async () => {
        await withService(subject, service, async (served, guard) => {
          ran.length = 0
          const headers = await bearerOf('checkout', 'orders:read')
          for (const call of [{}, { headers }]) {
            const answer = await served.call('/silent', call)
            expect(answer).toMatchObject({ status: 403, code: 'route_undeclared' })
            expect(answer.events[0]?.route).toBe('GET /silent')
          }
          expect(ran).toEqual([])
          const undeclared = guard.census().filter(({ status }) => status === 'undeclared')
          expect(undeclared.map(({ method, path }) => `${method} ${path}`)).toEqual([
            'GET /silent',
            'GET /admin/silent',
          ])
        })
      },
    )

    test('that says nothing is held to what the guard asks of such routes', async () => {
      await withService(
        subject,
        service,
        async (served) => {
          expect(await served.call('/silent')).toMatchObject({ status: 401, code: 'credential_missing' })
          const headers = await bearerOf('checkout')
          expect(await served.call('/silent', { headers })).toMatchObject({ status: 200, code: null })
        },
        { undeclared: authenticated() },
      )
    })

    feature(
      subject,
      'undeclared routes are refused before their handler',
      "that says nothing stops the start under 'fail-start'",
      async () => {
        const guard = guardWith({ undeclared: 'fail-start' })
        const sealing = subject.build(guard, service).then((built) => built.seal())
        await expect(sealing).rejects.toThrow(/GET \/silent.*GET \/admin\/silent/)
        guard.close()
      },
    )

    test('is listed by the spelling that it was registered with', async () => {
      await withService(subject, service, async (_served, guard) => {
        const lines = guard
          .census()
          .map(({ method, path, requirement }) => `${method} ${path}: ${requirement}`)
        expect(lines).toContain('GET /orders/:id: scopes(orders:read)')
        expect(lines).toContain('POST /orders: scopes(orders:write)')
        expect(lines).toContain('GET /healthz: unprotected(liveness probe)')
        for (const line of lines) expect(lines.filter((other) => other === line)).toHaveLength(1)
      })
    })

    test('is held to the policy document by that spelling, which reads what the path says', async () => {
      const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { when: 'resource.params.id == "7"' } }
  - { route: GET /silent, requires: { callers: [checkout] } }
`)
      await withService(
        subject,
        service,
        async (served) => {
          const headers = await bearerOf('checkout', 'orders:read')
          expect(await served.call('/orders/7', { headers })).toMatchObject({ status: 200 })
          expect(await served.call('/orders/8', { headers })).toMatchObject({ code: 'requirement_unmet' })
          expect(await served.call('/orders/8', { method: 'HEAD', headers })).toMatchObject({
            code: 'requirement_unmet',
          })
          expect(await served.call('/silent', { headers })).toMatchObject({ status: 200 })
          expect(await served.call('/silent')).toMatchObject({ code: 'credential_missing' })
        },
        { policy },
      )
    })

    feature(subject, 'routers with a floor', 'below a floor adds to it and never takes from it', async () => {
      await withService(subject, withFloor, async (served, guard) => {
        const floor = { headers: await bearerOf('checkout', 'admin:use') }
        const both = { headers: await bearerOf('checkout', 'admin:use', 'panel:read') }
        const own = { headers: await bearerOf('checkout', 'panel:read') }
        expect(await served.call('/admin/panel', both)).toMatchObject({ status: 200 })
        expect(await served.call('/admin/panel', floor)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/panel', own)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/silent', floor)).toMatchObject({ status: 200 })
        expect(await served.call('/admin/silent', own)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/open', floor)).toMatchObject({ status: 200 })
        expect(await served.call('/admin/open')).toMatchObject({ code: 'credential_missing' })
        expect(await served.call('/healthz')).toMatchObject({ status: 200 })
        const lines = guard.census().map(({ path, requirement }) => `${path}: ${requirement}`)
        expect(lines).toContain('/admin/panel: allOf(scopes(admin:use), scopes(panel:read))')
        expect(lines).toContain('/admin/silent: scopes(admin:use)')
      })
    })

    feature(
      subject,
      'answers outside routes are replaced',
      'that is none: a handler beside all routes gives nothing away',
      async () => {
        const stray = { path: '/stray', handle: () => ({ body: 'a secret', headers: { 'x-secret': 'yes' } }) }
        await withService(subject, { ...service, stray }, async (served) => {
          const answer = await served.call('/stray', { headers: await bearerOf('checkout', 'orders:read') })
          expect(answer).toMatchObject({ status: 403, code: 'route_undeclared' })
          expect(answer.body).not.toContain('secret')
          expect(answer.headers['x-secret']).toBeUndefined()
        })
      },
    )

    feature(
      subject,
      'declarations behind a handler are refused',
      'whose declaration comes behind a handler stops the start, or answers 500',
      async () => {
        const guard = guardWith()
        const built = await subject.buildMisplaced?.(guard, '/late', scopes('orders:read'))
        if (built === undefined) throw new Error(`${subject.name} does not say how it builds such a route`)
        await expect(built.seal()).rejects.toThrow(/\/late/)
        const served = await Served.start(built, guard)
        const answer = await served.call('/late', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ status: 500, code: 'declaration_misplaced' })
        await served.close()
        guard.close()
      },
    )
  })

  describe('a request', () => {
    test('for HEAD is held to what GET declares, and gets no body', async () => {
      await withService(subject, service, async (served) => {
        const refused = await served.call('/orders/7', { method: 'HEAD' })
        expect(refused).toMatchObject({ status: 401, code: 'credential_missing', body: '' })
        const headers = await bearerOf('checkout', 'orders:read')
        const answer = await served.call('/orders/7', { method: 'HEAD', headers })
        expect(answer).toMatchObject({ status: 200, code: null, body: '' })
      })
    })

    test("for no route gets the framework's own 404, and no decision", async () => {
      await withService(subject, service, async (served) => {
        for (const headers of [{}, { authorization: 'Bearer junk' }]) {
          const answer = await served.call('/nowhere', { headers })
          expect(answer).toMatchObject({ status: 404, events: [] })
        }
      })
    })

    test('for OPTIONS tells nothing that a route would have answered', async () => {
      await withService(subject, service, async (served) => {
        ran.length = 0
        const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
        for (const headers of [{}, preflight]) {
          const answer = await served.call('/orders/7', { method: 'OPTIONS', headers })
          expect(ran).toEqual([])
          if (answer.status < 400) expect(answer.body).not.toMatch(/orders:|secret/)
        }
      })
    })

    test.each(['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'orders'])(
      'with the method %s that no route has runs no handler',
      async (method) => {
        await withService(subject, service, async (served) => {
          ran.length = 0
          const headers = await bearerOf('checkout', 'orders:read', 'orders:write', 'orders:list')
          let answer: Answer | undefined
          try {
            answer = await served.call('/orders', { method, headers })
          } catch {
            // Node itself hangs up on what is no method.
          }
          expect(ran).toEqual([])
          if (answer !== undefined) expect(answer.status).toBeGreaterThanOrEqual(400)
        })
      },
    )

    test.each([
      'X-Forwarded-Client-Cert',
      'Client-Cert',
      'SSL_Client_Verify',
      'X-Client-Certificate',
      'X-Amzn-Mtls-Clientcert-Leaf',
    ])('has no %s by the time that a handler sees it', async (name) => {
      const echoing: Service = {
        routes: [
          {
            method: 'GET',
            path: '/headers',
            placement: unprotected('tells which headers came'),
            handle: ({ headerNames }) => ({ body: headerNames.join() }),
          },
        ],
      }
      await withService(subject, echoing, async (served) => {
        const headers = { [name]: 'Hash=1;URI=spiffe://test.example/admin', 'x-other': 'stays' }
        const { body } = await served.call('/headers', { headers })
        expect(body).toContain('x-other')
        expect(body).not.toContain(name.toLowerCase())
      })
    })
  })
}
