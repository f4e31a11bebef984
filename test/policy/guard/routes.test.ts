import { authenticated, callerIn, callerOptional, scopes, unprotected } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { checkout, openPolicyHouse, reports } from './support/policy-house.ts'

const callers = `
version: 1
service: orders
callers:
  orders: { is: [spiffe://prod.example/ns/shop/sa/orders] }
  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [orders:read] }
  reports: { is: [spiffe://prod.example/ns/back/sa/reports], grants: [orders:read, orders:write] }
zones: { shop: [orders, checkout], back-office: [reports] }
`
const document = `${callers}
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read], zones: [shop] } }
  - { route: '* /all', requires: { callers: [reports] } }
  - { route: GET /healthz, unprotected: liveness }
  - { route: GET /hello, callerOptional: greets }
  - { route: GET /owned/:tenant, requires: { when: 'resource.params.tenant == "a" && caller.id.startsWith("spiffe://")' } }
`

describe('a route of the document', () => {
  const { ask } = openPolicyHouse(document)

  test('declares a route that code says nothing of', async () => {
    expect(await ask({ svid: checkout })).toBe('allow')
    expect(await ask({ svid: reports })).toBe('caller_not_allowed')
    expect(await ask({})).toBe('credential_missing')
    expect(await ask({ svid: checkout, route: 'GET /other' })).toBe('route_undeclared')
  })

  test('is asked beside what code says: both have to allow', async () => {
    expect(await ask({ svid: checkout, code: scopes('orders:read') })).toBe('allow')
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('scope_missing')
    expect(await ask({ svid: reports, code: scopes('orders:write') })).toBe('caller_not_allowed')
  })

  test.each([unprotected('open'), callerOptional('greets')])(
    'is not undone by code that asks nothing: $text',
    async (code) => {
      expect(await ask({ code })).toBe('credential_missing')
      expect(await ask({ svid: reports, code })).toBe('caller_not_allowed')
      expect(await ask({ svid: checkout, code })).toBe('allow')
    },
  )

  test('undoes nothing that code asks', async () => {
    expect(await ask({ route: 'GET /healthz', code: authenticated() })).toBe('credential_missing')
    expect(await ask({ route: 'GET /hello', code: authenticated() })).toBe('credential_missing')
    expect(await ask({ route: 'GET /healthz' })).toBe('allow')
    expect(await ask({ route: 'GET /hello' })).toBe('allow')
  })

  test('holds for HEAD, which the route for GET answers', async () => {
    const head = { asked: 'HEAD /orders/:id' }
    expect(await ask({ ...head, svid: reports })).toBe('caller_not_allowed')
    expect(await ask({ ...head, svid: checkout })).toBe('allow')
  })

  test('for all methods holds for each, and one for a method within a route for all methods', async () => {
    expect(await ask({ route: 'POST /all', svid: checkout })).toBe('caller_not_allowed')
    expect(await ask({ route: '* /all', asked: 'PUT /all', svid: checkout })).toBe('caller_not_allowed')
    expect(await ask({ route: '* /orders/:id', asked: 'GET /orders/:id', svid: reports })).toBe(
      'caller_not_allowed',
    )
    expect(await ask({ route: '* /orders/:id', asked: 'PUT /orders/:id', svid: reports })).toBe(
      'route_undeclared',
    )
  })

  test.each([
    ['requires: { scopes: [orders:write] }', 'requires: { callers: [reports] }', 'scope_missing', 'allow'],
    ['callerOptional: greets', 'requires: { callers: [reports] }', 'caller_not_allowed', 'allow'],
    ['requires: { callers: [reports] }', 'unprotected: probe', 'caller_not_allowed', 'allow'],
  ])('asks all that its spellings do: %s and %s', async (one, all, ofCheckout, ofReports) => {
    const { ask: askBoth } = openPolicyHouse(
      `${callers}routes:\n  - { route: GET /both, ${one} }\n  - { route: '* /both', ${all} }\n`,
    )
    expect(await askBoth({ svid: checkout, route: 'GET /both' })).toBe(ofCheckout)
    expect(await askBoth({ svid: reports, route: 'GET /both' })).toBe(ofReports)
  })

  test('knows an optional caller where another spelling asks for none at all', async () => {
    const { decide } = openPolicyHouse(
      `${callers}routes:\n  - { route: GET /both, unprotected: probe }\n  - { route: '* /both', callerOptional: greets }\n`,
    )
    expect(await decide({ svid: checkout, route: 'GET /both' })).toMatchObject({
      caller: { id: checkout.spiffeId },
    })
  })

  test('reads what the path says', async () => {
    const route = 'GET /owned/:tenant'
    expect(await ask({ route, params: { tenant: 'a' }, svid: checkout })).toBe('allow')
    expect(await ask({ route, params: { tenant: 'b' }, svid: checkout })).toBe('requirement_unmet')
    expect(await ask({ route, params: {}, svid: checkout })).toBe('condition_failed')
  })
})

test('the floor of a router is asked beside the document, and declares nothing for it', async () => {
  const { guard } = openPolicyHouse(document)
  const context = guard.open({ method: 'GET', url: '/', headers: {}, rawHeaders: [], socket: {} })
  expect(await context.enter(authenticated(), 'use /')).toMatchObject({ outcome: 'deny' })
  expect(await context.decide(undefined, 'GET /healthz')).toMatchObject({
    refusal: { code: 'credential_missing' },
  })
})

describe('zones that say which may call which', () => {
  const limited = (calls: string): string =>
    `${callers}calls: ${calls}\nroutes:\n  - { route: GET /x, callerOptional: greets }\n`

  test('refuse who is in no zone that may call this one, whatever else is asked', async () => {
    const { ask } = openPolicyHouse(limited('{ shop: [shop], back-office: [back-office] }'))
    expect(await ask({ svid: checkout, code: authenticated() })).toBe('allow')
    expect(await ask({ svid: reports, code: scopes('orders:write') })).toBe('caller_not_allowed')
  })

  test('let by who may, and callers in no zone are outside of all', async () => {
    const { ask } = openPolicyHouse(limited('{ back-office: [shop] }'))
    expect(await ask({ svid: reports, code: scopes('orders:write') })).toBe('allow')
    expect(await ask({ svid: checkout, code: authenticated() })).toBe('caller_not_allowed')
    const { ask: askOther } = openPolicyHouse(
      limited('{ back-office: [shop] }').replace('back-office: [reports]', 'back-office: [orders]'),
    )
    expect(await askOther({ svid: reports, code: authenticated() })).toBe('caller_not_allowed')
  })

  test.each([
    [
      '{ back-office: [shop], other: [shop] }',
      'a caller in zone back-office or other',
      `"${checkout.spiffeId}" in shop, second`,
      'calls(back-office, other → shop, second)',
    ],
    [
      '{ back-office: [other] }',
      'nobody: no zone may call this one',
      `"${checkout.spiffeId}" in shop, second`,
      'calls( → shop, second)',
    ],
  ])('say who may call, and where the caller is: %s', async (calls, expected, actual, text) => {
    const { decide, guard } = openPolicyHouse(
      limited(calls).replace(
        'back-office: [reports]',
        'second: [checkout, orders], back-office: [reports], other: [reports]',
      ),
    )
    const decision = await decide({ svid: checkout, code: authenticated() })
    expect(decision).toMatchObject({ refusal: { detail: { expected, actual } } })
    expect(guard.explain(decision)?.rules).toContain(`policy: ${text}`)
  })

  test('say of a caller in no zone that it is in none', async () => {
    const { decide } = openPolicyHouse(limited('{ shop: [shop] }').replace(', back-office: [reports]', ''))
    expect(await decide({ svid: reports, code: authenticated() })).toMatchObject({
      refusal: { detail: { actual: `"${reports.spiffeId}" in no zone` } },
    })
  })

  test('do not refuse with a credential who may call without one', async () => {
    const { ask } = openPolicyHouse(limited('{ shop: [shop] }'))
    expect(await ask({ route: 'GET /x' })).toBe('allow')
    expect(await ask({ route: 'GET /x', svid: reports })).toBe('allow')
  })

  test('are what callerIn asks for', async () => {
    const { ask } = openPolicyHouse(callers)
    expect(await ask({ svid: checkout, code: callerIn('shop') })).toBe('allow')
    expect(await ask({ svid: reports, code: callerIn('shop') })).toBe('caller_not_allowed')
  })
})

test('routes of the document that no application has are told apart from those that one has', () => {
  const { guard } = openPolicyHouse(
    `${callers}routes:\n${[
      'GET /a',
      'HEAD /a',
      'HEAD /b',
      '* /b',
      'POST /a',
      'GET /c',
      '* /d',
      'PUT /e',
      'HEAD /e',
    ]
      .map((route) => `  - { route: '${route}', requires: { callers: [reports] } }\n`)
      .join('')}`,
  )
  const entries = [
    ['GET', '/a'],
    ['HEAD', '/b'],
    ['*', '/e'],
  ].map(([method = '', path = '']) => ({ method, path }))
  expect(guard.unknownRoutes(entries as never)).toEqual(['POST /a', 'GET /c', '* /d']) // of entries, method and path are read
})
