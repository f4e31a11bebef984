import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { parsePolicy, policyDocument, PolicyError } from '@countersign/policy'
import { whole, withLines } from './document.ts'

const policy = parsePolicy(whole)
const caller = (name: string) => policy.callers.find((each) => each.name === name)
const textOf = (route: string) => policy.routes.get(route)?.placement.text

describe('a document says', () => {
  test('whose policy it is', () => {
    expect(policy.service).toBe('orders')
  })

  test.each([
    ['checkout', ['spiffe://prod.example/ns/shop/sa/checkout', 'https://idp.internal#client=checkout']],
    ['reports', ['spiffe://prod.example/ns/shop/sa/reports']],
    ['sweeper', ['https://k8s.internal#sub=system:serviceaccount:shop:sweeper']],
    ['alice', ['https://idp.internal#sub=alice']],
    ['billing', ['x509:partners#dns=billing.partner.example']],
  ])('that %s is %j', (name, ids) => {
    expect(caller(name)?.is.map(({ text }) => text)).toEqual(ids)
    expect(caller(name)?.is.every((pattern, i) => pattern.matches(ids[i] ?? ''))).toBe(true)
  })

  test('what a caller may use, until when, by which credentials, and why', () => {
    expect(caller('checkout')?.grants).toEqual([
      {
        scope: 'orders:read',
        until: undefined,
        via: undefined,
        reason: undefined,
        at: { path: 'callers.checkout.grants[0]', line: 9, column: 14 },
      },
      {
        scope: 'orders:write',
        // The whole day counts.
        until: Date.UTC(2027, 1, 1),
        via: 'both',
        reason: 'OPS-12',
        at: { path: 'callers.checkout.grants[1]', line: 9, column: 27 },
      },
    ])
    expect(caller('billing')?.grants).toEqual([])
  })

  test('in which mode a caller and a route are', () => {
    expect(caller('reports')?.mode).toEqual({ observe: { until: Date.UTC(2027, 0, 31, 11) } })
    expect(caller('sweeper')?.mode).toBe('enforce')
    expect(caller('alice')?.mode).toBeUndefined()
    expect(policy.routes.get('POST /orders')?.mode).toEqual({ observe: { until: Date.UTC(2027, 1, 1) } })
    expect(policy.routes.get('GET /hello')?.mode).toBe('enforce')
  })

  test('which callers are in which zone, and which zones may call which', () => {
    expect(policy.zones).toEqual(
      new Map([
        ['shop', new Set(['checkout', 'orders'])],
        ['back-office', new Set(['reports'])],
      ]),
    )
    expect(policy.calls).toEqual(
      new Map([
        ['shop', new Set(['shop'])],
        ['back-office', new Set(['shop'])],
      ]),
    )
    expect(parsePolicy('version: 1').calls).toBeUndefined()
  })

  test.each([
    ['GET /orders/:id', 'allOf(scopes(orders:read), callerIn(shop))'],
    ['POST /orders', 'allOf(scopes(orders:write), when(resource.params.tenant == caller.claims.tenant))'],
    ['GET /me', 'authenticated()'],
    ['GET /healthz', 'unprotected(liveness probe, returns no data)'],
    ['GET /hello', 'callerOptional(greets by name)'],
  ])('what %s asks', (route, text) => {
    expect(textOf(route)).toBe(text)
  })

  test('everything that one route asks', () => {
    for (const part of [
      'anyOf(callers(alice), allOf(allOf(userScopes(admin:read), not(callers(reports)))))',
      'anyScope(admin:read, admin:write)',
      'provenBy(certificate, dpop)',
      'freshWithin(5m)',
      'authenticatedWith(urn:example:mfa)',
      'claim(tenant, "acme")',
      'claim(realm_access.roles, "clerk", "admin")',
      'claim(level, 3)',
      'claim(staff, true)',
    ]) {
      expect(textOf('* /admin')).toContain(part)
    }
  })

  test('where everything stands', () => {
    expect(caller('alice')?.at).toEqual({ path: 'callers.alice', line: 15, column: 3 })
    expect(policy.routes.get('POST /orders')?.at).toEqual({ path: 'routes[1]', line: 19, column: 5 })
  })
})

describe('a candidate', () => {
  test('is the document with what it changes', () => {
    expect(policy.candidate?.routes.size).toBe(1)
    expect(policy.candidate?.routes.get('GET /orders/:id')?.placement.text).toBe('callers(checkout)')
    expect(policy.candidate?.callers.map(({ name }) => name)).toEqual(policy.callers.map(({ name }) => name))
    expect(policy.candidate?.zones).toEqual(policy.zones)
    expect(policy.candidate?.service).toBe('orders')
    expect(policy.candidate?.candidate).toBeUndefined()
  })

  test('is judged as a whole: what stays may not name what goes', () => {
    const text = withLines(
      'callers: { a: { is: [spiffe://td/a] } }',
      'routes: [{ route: GET /, requires: { callers: [a] } }]',
      'candidate: { callers: { b: { is: [spiffe://td/b] } } }',
    )
    expect(() => parsePolicy(text)).toThrow('3:48 routes[0].requires.callers[0]: there is no caller "a"')
  })
})

describe('JSON', () => {
  const json = JSON.stringify({ version: 1, callers: { a: { is: ['spiffe://td/a'], grants: ['a:read'] } } })

  test.each([
    ['in one line', json],
    ['with spaces', JSON.stringify(JSON.parse(json), undefined, 2)],
    ['with tabs', JSON.stringify(JSON.parse(json), undefined, '\t')],
    ['behind a byte order mark', `\uFEFF${json}`],
  ])('is a document %s', (_, text) => {
    expect(parsePolicy(text).callers[0]?.grants[0]?.scope).toBe('a:read')
  })
})

describe('a policy document as an option', () => {
  const { source, parse } = policyDocument('./countersign.policy.yaml')

  test('has the source that it was made with', () => {
    expect(source).toBe('./countersign.policy.yaml')
    expect(Object.isFrozen(policyDocument('version: 1'))).toBe(true)
  })

  test('reads octets, and calls the document as it is told', () => {
    expect(parse(Buffer.from(whole), 'a.yaml').service).toBe('orders')
    expect(() => parse(Buffer.from('version: 2'), 'https://policies/a.yaml')).toThrow(
      'https://policies/a.yaml:1:10 version: expected `version: 1`',
    )
  })

  test('refuses octets that are no UTF-8', () => {
    const octets = Buffer.concat([Buffer.from('version: 1 # '), Buffer.from([0xff])])
    expect(() => parse(octets, 'a.yaml')).toThrow(PolicyError)
    expect(() => parse(octets, 'a.yaml')).toThrow('a.yaml:1:1 expected text in UTF-8')
  })
})

test('nothing of a policy can be changed afterwards', () => {
  const parts = [
    policy,
    policy.callers,
    caller('checkout'),
    caller('checkout')?.grants[0],
    caller('checkout')?.is,
  ]
  for (const part of [...parts, policy.routes.get('GET /me')]) expect(Object.isFrozen(part)).toBe(true)
})
