import { authenticated, scopes, unprotected } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { bearerOf, guardWith } from '../house.ts'
import type { Answer } from '../served.ts'
import type { Service, ServiceRoute, Subject } from '../subject.ts'
import { feature, routeOf, withService } from './with-service.ts'

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
    telling('GET', '/newest', scopes('orders:read')),
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
        expect(await served.call('/newest', { headers })).toMatchObject({ body: 'GET /newest' })
        const listed = await served.call('/orders', { headers })
        expect(listed).toMatchObject({ outcome: 'forbidden', code: 'scope_missing' })
        expect(listed.events[0]?.route).toBe(routeOf(subject, 'GET', '/orders'))
      })
    })

    feature(subject, 'methods of HTTP', 'is one of its method and its path together', async () => {
      await withService(subject, service, async (served) => {
        const headers = await bearerOf('checkout', 'orders:list')
        expect(await served.call('/orders', { headers })).toMatchObject({ body: 'GET /orders' })
        ran.length = 0
        const written = await served.call('/orders', { method: 'POST', headers })
        expect(written.outcome).not.toBe('handled')
        expect(ran).toEqual([])
        if (subject.wire !== 'HTTP') return
        expect(written.code).toBe('scope_missing')
        expect(written.events[0]?.route).toBe('POST /orders')
      })
    })

    feature(subject, 'paths with parameters', 'takes every path that fits it', async () => {
      await withService(subject, service, async (served) => {
        const headers = await bearerOf('checkout', 'orders:read')
        const answer = await served.call('/orders/7', { headers })
        expect(answer).toMatchObject({ body: 'GET /orders/:id' })
        expect(answer.events[0]?.route).toBe('GET /orders/:id')
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
            expect(answer).toMatchObject({ outcome: 'forbidden', code: 'route_undeclared' })
            expect(answer.events[0]?.route).toBe(routeOf(subject, 'GET', '/silent'))
          }
          expect(ran).toEqual([])
          const undeclared = guard.census().filter(({ status }) => status === 'undeclared')
          expect(undeclared.map(({ method, path }) => `${method} ${path}`)).toEqual([
            routeOf(subject, 'GET', '/silent'),
            routeOf(subject, 'GET', '/admin/silent'),
          ])
        })
      },
    )

    test('that says nothing is held to what the guard asks of such routes', async () => {
      await withService(
        subject,
        service,
        async (served) => {
          expect(await served.call('/silent')).toMatchObject({
            outcome: 'unauthenticated',
            code: 'credential_missing',
          })
          const headers = await bearerOf('checkout')
          expect(await served.call('/silent', { headers })).toMatchObject({
            outcome: 'handled',
            code: null,
          })
        },
        { undeclared: authenticated() },
      )
    })

    feature(
      subject,
      'undeclared routes are refused before their handler',
      "that says nothing stops the start under 'fail-start', and is named",
      async () => {
        const guard = guardWith({ undeclared: 'fail-start' })
        const two = [telling('GET', '/newest', scopes('orders:read')), telling('GET', '/silent')]
        const name = routeOf(subject, 'GET', '/silent')
        await expect(subject.start(guard, { routes: two })).rejects.toThrow(name)
        guard.close()
      },
    )

    feature(
      subject,
      'undeclared routes are named at once',
      'that says nothing is named together with all that are like it',
      async () => {
        const guard = guardWith({ undeclared: 'fail-start' })
        const names = ['/silent', '/admin/silent'].map((path) => routeOf(subject, 'GET', path))
        await expect(subject.start(guard, service)).rejects.toThrow(new RegExp(names.join('.*')))
        guard.close()
      },
    )

    test('is listed by the spelling that it was registered with', async () => {
      await withService(subject, service, async (_served, guard) => {
        const lines = guard
          .census()
          .map(({ method, path, requirement }) => `${method} ${path}: ${requirement}`)
        expect(lines).toContain(`${routeOf(subject, 'GET', '/orders/:id')}: scopes(orders:read)`)
        expect(lines).toContain(`${routeOf(subject, 'GET', '/orders')}: scopes(orders:list)`)
        expect(lines).toContain(`${routeOf(subject, 'GET', '/healthz')}: unprotected(liveness probe)`)
        for (const line of lines) expect(lines.filter((other) => other === line)).toHaveLength(1)
      })
    })

    test('is held to the policy document by that spelling', async () => {
      const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
  reports: { is: [{ issuer: https://issuer.test, clientId: reports }], grants: [orders:read] }
routes:
  - { route: '${routeOf(subject, 'GET', '/newest')}', requires: { callers: [checkout] } }
  - { route: '${routeOf(subject, 'GET', '/silent')}', requires: { callers: [checkout] } }
`)
      await withService(
        subject,
        service,
        async (served) => {
          const headers = await bearerOf('checkout', 'orders:read')
          const other = await bearerOf('reports', 'orders:read')
          const poor = await bearerOf('checkout', 'orders:list')
          for (const path of ['/newest', '/silent']) {
            expect(await served.call(path, { headers })).toMatchObject({ outcome: 'handled' })
            expect(await served.call(path, { headers: other })).toMatchObject({ code: 'caller_not_allowed' })
            expect(await served.call(path)).toMatchObject({ code: 'credential_missing' })
          }
          expect(await served.call('/newest', { headers: poor })).toMatchObject({ code: 'scope_missing' })
          expect(await served.call('/admin/silent', { headers })).toMatchObject({ code: 'route_undeclared' })
        },
        { policy },
      )
    })

    feature(
      subject,
      'paths with parameters',
      'is held to a policy document that reads what its path says',
      async () => {
        const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: GET /orders/:id, requires: { when: 'resource.params.id == "7"' } }
`)
        await withService(
          subject,
          service,
          async (served) => {
            const headers = await bearerOf('checkout', 'orders:read')
            expect(await served.call('/orders/7', { headers })).toMatchObject({ outcome: 'handled' })
            expect(await served.call('/orders/8', { headers })).toMatchObject({ code: 'requirement_unmet' })
            if (subject.wire !== 'HTTP') return
            expect(await served.call('/orders/8', { method: 'HEAD', headers })).toMatchObject({
              code: 'requirement_unmet',
            })
          },
          { policy },
        )
      },
    )

    feature(subject, 'routers with a floor', 'below a floor adds to it and never takes from it', async () => {
      await withService(subject, withFloor, async (served, guard) => {
        const floor = { headers: await bearerOf('checkout', 'admin:use') }
        const both = { headers: await bearerOf('checkout', 'admin:use', 'panel:read') }
        const own = { headers: await bearerOf('checkout', 'panel:read') }
        expect(await served.call('/admin/panel', both)).toMatchObject({ outcome: 'handled' })
        expect(await served.call('/admin/panel', floor)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/panel', own)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/silent', floor)).toMatchObject({ outcome: 'handled' })
        expect(await served.call('/admin/silent', own)).toMatchObject({ code: 'scope_missing' })
        expect(await served.call('/admin/open', floor)).toMatchObject({ outcome: 'handled' })
        expect(await served.call('/admin/open')).toMatchObject({ code: 'credential_missing' })
        expect(await served.call('/healthz')).toMatchObject({ outcome: 'handled' })
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
          expect(answer).toMatchObject({ outcome: 'forbidden', code: 'route_undeclared' })
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
        const late = await subject.misplaced?.(guard, '/late', scopes('orders:read'))
        if (late === undefined) throw new Error(`${subject.name} does not say how it builds such a route`)
        await expect(late.seal()).rejects.toThrow(/\/late/)
        const served = await late.serve()
        const answer = await served.call('/late', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ outcome: 'set up wrongly', code: 'declaration_misplaced' })
        await served.close()
        guard.close()
      },
    )
  })

  describe('a request', () => {
    feature(
      subject,
      'HEAD and OPTIONS',
      'for HEAD is held to what GET declares, and gets no body',
      async () => {
        await withService(subject, service, async (served) => {
          const refused = await served.call('/orders/7', { method: 'HEAD' })
          expect(refused).toMatchObject({ status: 401, code: 'credential_missing', body: '' })
          const headers = await bearerOf('checkout', 'orders:read')
          const answer = await served.call('/orders/7', { method: 'HEAD', headers })
          expect(answer).toMatchObject({ status: 200, code: null, body: '' })
        })
      },
    )

    test("for no route gets the framework's own answer for such, and no decision", async () => {
      await withService(subject, service, async (served) => {
        for (const headers of [{}, { authorization: 'Bearer junk' }]) {
          const answer = await served.call('/nowhere', { headers })
          expect(answer).toMatchObject({ outcome: 'unknown', events: [] })
        }
      })
    })

    feature(
      subject,
      'HEAD and OPTIONS',
      'for OPTIONS tells nothing that a route would have answered',
      async () => {
        await withService(subject, service, async (served) => {
          ran.length = 0
          const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
          for (const headers of [{}, preflight]) {
            const answer = await served.call('/orders/7', { method: 'OPTIONS', headers })
            expect(ran).toEqual([])
            if (answer.status < 400) expect(answer.body).not.toMatch(/orders:|secret/)
          }
        })
      },
    )

    feature(subject, 'methods of HTTP', 'with a method that no route has runs no handler', async () => {
      await withService(subject, service, async (served) => {
        const headers = await bearerOf('checkout', 'orders:read', 'orders:write', 'orders:list')
        for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'orders']) {
          ran.length = 0
          let answer: Answer | undefined
          try {
            answer = await served.call('/orders', { method, headers })
          } catch {
            // Node itself hangs up on what is no method.
          }
          expect(ran, method).toEqual([])
          expect(answer?.outcome, method).not.toBe('handled')
        }
      })
    })

    test('shows its handler no header that claims an identity, and every other', async () => {
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
        for (const name of [
          'X-Forwarded-Client-Cert',
          'Client-Cert',
          'Client_Cert',
          'SSL_Client_Verify',
          'X-SSL-Client-DN',
          'X-Client-Certificate',
          'X-Client-Cert.Hash',
          'X-Amzn-Mtls-Clientcert-Leaf',
        ]) {
          const headers = { [name]: 'Hash=1;URI=spiffe://test.example/admin', 'x-other': 'stays' }
          const { body } = await served.call('/headers', { headers })
          expect(body).toContain('x-other')
          expect(body).not.toContain(name.toLowerCase())
        }
      })
    })
  })
}
