import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  allOf,
  anyScope,
  authenticated,
  callerOptional,
  callerIn,
  decisionChannel,
  enforced,
  scopes,
  unprotected,
  type DecisionEvent,
} from '@countersign/core'
import { OtherRequirement } from '@countersign/core/adapter'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { requestWith } from '../../core/support/asking.ts'
import { createHouse } from '../../core/support/house.ts'
import { checkout, issuer, login, openPolicyHouse, reports } from './support/policy-house.ts'

const events: DecisionEvent[] = []
const hear = (event: unknown): void => void events.push(event as DecisionEvent) // what the channel promises
subscribe(decisionChannel, hear)
afterAll(() => void unsubscribe(decisionChannel, hear))
beforeEach(() => void (events.length = 0))

const document = `
version: 1
callers:
  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [orders:read] }
  reports:
    is: [spiffe://prod.example/ns/back/sa/reports, { issuer: ${issuer}, clientId: reports }]
    grants: [orders:read]
`
const until = '2030-01-31'
const observe = { mode: { observe: { until } } } as const
const ended = new Date('2030-02-01T00:00:00Z')

describe('a service that observes', () => {
  test('lets pass what it would refuse, and says so', async () => {
    const { ask, decide, guard, lines } = openPolicyHouse(document, observe)
    const decision = await decide({ svid: checkout, code: scopes('orders:write') })
    expect(decision).toMatchObject({
      outcome: 'allow',
      caller: { id: checkout.spiffeId },
      observed: { code: 'scope_missing' },
    })
    expect(events).toMatchObject([{ outcome: 'allow', mode: 'observe', code: 'scope_missing' }])
    expect(lines.at(-1)).toContain('would have refused GET /orders/:id with scope_missing')
    expect(await ask({ svid: checkout, code: scopes('orders:read') })).toBe('allow')
    expect(guard.observations()).toEqual([
      {
        route: 'GET /orders/:id',
        caller: checkout.spiffeId,
        requirement: 'scopes(orders:write)',
        scopes: ['orders:write'],
        names: [checkout.spiffeId],
        users: null,
        via: 'certificate',
        used: ['orders:read'],
        allowed: 1,
        refused: { scope_missing: 1 },
        firstAt: expect.any(Number),
        lastAt: expect.any(Number),
      },
    ])
  })

  test('makes nobody more than they are: what is invalid stays so, and has no caller', async () => {
    const { decide, guard } = openPolicyHouse(document, observe)
    const decision = await decide({ token: { aud: 'payments' }, code: authenticated() })
    expect(decision).toMatchObject({
      outcome: 'allow',
      caller: undefined,
      observed: { code: 'audience_mismatch' },
    })
    const written = await decide({ svid: checkout, code: scopes('orders:write') })
    expect(written.outcome === 'allow' && written.caller?.scopes.has('orders:write')).toBe(false)
    expect(guard.observations()).toMatchObject([
      { caller: null, allowed: 0, refused: { audience_mismatch: 1 } },
      { caller: checkout.spiffeId },
    ])
  })

  test('lets pass routes that say nothing, and whoever presents nothing', async () => {
    const { ask } = openPolicyHouse(document, observe)
    expect(await ask({ route: 'GET /new' })).toBe('allow')
    expect(await ask({ code: authenticated() })).toBe('allow')
    expect(events).toMatchObject([{ code: 'route_undeclared' }, { code: 'credential_missing' }])
  })

  test('records which of the scopes decided', async () => {
    const { ask, guard } = openPolicyHouse(document, observe)
    expect(await ask({ svid: checkout, code: anyScope('orders:admin', 'orders:read') })).toBe('allow')
    expect(guard.observations()).toMatchObject([
      { scopes: ['orders:admin', 'orders:read'], used: ['orders:read'] },
    ])
  })

  test('tells apart who called with what, and for whom', async () => {
    const { ask, guard } = openPolicyHouse(document, observe)
    const reading = { code: scopes('orders:read') }
    const own = { client_id: 'reports', sub: 'reports', scope: 'orders:read' }
    await ask({ ...reading, svid: reports })
    await ask({ ...reading, token: own })
    await ask({ ...reading, token: own, svid: reports })
    await ask({ ...reading, token: { ...own, sub: 'alice' } })
    await ask({ ...reading, token: { ...own, sub: 'alice' }, svid: reports })
    const [client, users] = [`${issuer}#client=reports`, `${issuer}#sub=*`]
    expect(
      guard.observations().map(({ caller, names, users: of, via, used }) => [caller, names, of, via, used]),
    ).toEqual([
      [reports.spiffeId, [reports.spiffeId], null, 'certificate', ['orders:read']],
      [client, [client], null, 'token', ['orders:read']],
      [client, [client, reports.spiffeId], null, 'both', ['orders:read']],
      [`${issuer}#sub=alice`, [client], users, 'token', []],
      [reports.spiffeId, [reports.spiffeId], users, 'both', []],
    ])
  })

  test('records who calls routes that say nothing, and refuses them for that alone', async () => {
    const { ask, decide, guard } = openPolicyHouse(document, observe)
    const decision = await decide({ route: 'GET /new', svid: checkout })
    expect(decision).toMatchObject({ outcome: 'allow', observed: { code: 'route_undeclared' } })
    expect(await ask({ route: 'GET /new', token: { aud: 'payments' } })).toBe('allow')
    expect(await ask({ route: 'GET /new' })).toBe('allow')
    expect(guard.observations()).toMatchObject([
      { caller: checkout.spiffeId, requirement: null, allowed: 0, refused: { route_undeclared: 1 } },
      { caller: null, requirement: null, allowed: 0, refused: { route_undeclared: 2 } },
    ])
  })

  test('does not, when it has ended, read credentials for routes that say nothing', async () => {
    const { ask, clock, decide } = openPolicyHouse(document, observe)
    clock.set(ended)
    expect(await ask({ route: 'GET /new', svid: checkout })).toBe('route_undeclared')
    const decision = await decide({ route: 'GET /new', svid: checkout })
    expect(events.map(({ caller }) => caller)).toEqual([null, null])
    expect(decision.outcome).toBe('deny')
  })

  test('refuses undeclared routes to a caller that is enforced', async () => {
    const held = document.replace('grants: [orders:read] }\n', 'grants: [orders:read], mode: enforce }\n')
    const { ask } = openPolicyHouse(held, observe)
    expect(await ask({ route: 'GET /new', svid: checkout })).toBe('route_undeclared')
    expect(await ask({ route: 'GET /new', svid: reports })).toBe('allow')
  })

  test('records what is open, too, as allowed', async () => {
    const { ask } = openPolicyHouse(document, observe)
    expect(await ask({ code: unprotected('probe') })).toBe('allow')
    expect(events).toMatchObject([{ mode: 'enforce', code: null }])
  })

  test('needs no policy document', async () => {
    const { guard, token, clock } = createHouse({
      guardOptions: { mode: { observe: { until: '2099-01-01' } } },
    })
    const decision = await guard.decide(requestWith(`Bearer ${token()}`), scopes('orders:write'))
    expect(decision).toMatchObject({ outcome: 'allow', observed: { code: 'scope_missing' } })
    clock.set(new Date('2099-01-02T00:00:00Z'))
    expect(await guard.decide(requestWith(`Bearer ${token()}`), scopes('orders:write'))).toMatchObject({
      refusal: { code: 'scope_missing' },
    })
    expect(guard.observations()).toHaveLength(1)
  })

  test('lets pass whoever presents nothing, or is a user alone, also where wildcards name callers', async () => {
    const { ask } = openPolicyHouse(document.replace('sa/reports', 'sa/*'), observe)
    expect(await ask({ code: authenticated() })).toBe('allow')
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('allow')
    const alone = { iss: login, sub: 'alice', client_id: undefined, scope: 'orders:read' }
    expect(await ask({ token: alone, code: scopes('orders:write') })).toBe('allow')
    expect(events.map(({ code }) => code)).toEqual(['credential_missing', 'scope_missing', 'scope_missing'])
  })

  test('records 10,000 callers and routes at most, and goes on counting those', () => {
    const { guard, clock } = openPolicyHouse(document, observe)
    const probe = unprotected('probe')
    for (let i = 0; i <= 10_000; i += 1) void guard.decide(requestWith(), probe, `GET /${i}`)
    clock.advance(1)
    void guard.decide(requestWith(), probe, 'GET /0')
    const seen = guard.observations()
    expect(seen).toHaveLength(10_000)
    expect(seen[0]).toMatchObject({ route: 'GET /0', allowed: 2, lastAt: clock.now() })
  })

  test('refuses from its last day on', async () => {
    const { ask, clock, guard } = openPolicyHouse(document, observe)
    clock.set(new Date(ended.getTime() - 1))
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('allow')
    clock.set(ended)
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('scope_missing')
    expect(guard.observations()).toMatchObject([{ refused: { scope_missing: 1 } }])
  })

  test('is loud when it starts', () => {
    const { lines } = openPolicyHouse(document, observe)
    expect(lines.join()).toContain('refuses nobody until 2030-02-01T00:00:00.000Z')
  })

  test('refuses what is enforced', async () => {
    const { ask } = openPolicyHouse(document, observe)
    const admin = enforced(scopes('orders:admin'))
    expect(await ask({ svid: checkout, code: admin })).toBe('scope_missing')
    expect(await ask({ code: admin })).toBe('credential_missing')
    const both = allOf(enforced(scopes('orders:read')), scopes('orders:write'))
    expect(await ask({ svid: checkout, code: both })).toBe('allow')
    expect(await ask({ token: { scope: 'x:y' }, code: both })).toBe('scope_missing')
    const each = allOf(enforced(scopes('orders:read')), enforced(scopes('orders:write')))
    expect(await ask({ svid: checkout, code: each })).toBe('scope_missing')
  })

  test('refuses what the document enforces, on a route and for a caller', async () => {
    const { ask } = openPolicyHouse(
      `${document}  orders: { is: [spiffe://prod.example/x] }\nroutes:\n  - { route: GET /pay, requires: { scopes: [pay:all] }, mode: enforce }\n`.replace(
        'sa/checkout], grants',
        'sa/checkout], mode: enforce, grants',
      ),
      observe,
    )
    expect(await ask({ svid: reports, route: 'GET /pay' })).toBe('scope_missing')
    expect(await ask({ svid: reports, code: scopes('orders:write') })).toBe('allow')
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('scope_missing')
  })
})

describe('a document that observes', () => {
  const route = (mode: string): string =>
    `${document}routes:\n  - { route: GET /orders/:id, requires: { scopes: [orders:write] }, mode: ${mode} }\n`
  const observed = route(`{ observe: { until: ${until} } }`)

  test('a route lets pass what the document alone would refuse there', async () => {
    const { ask, guard, clock } = openPolicyHouse(observed)
    expect(await ask({ svid: checkout, code: scopes('orders:read') })).toBe('allow')
    expect(await ask({ svid: checkout })).toBe('allow')
    expect(guard.observations()).toMatchObject([{ refused: { scope_missing: 2 } }])
    clock.set(ended)
    expect(await ask({ svid: checkout })).toBe('scope_missing')
  })

  test('loosens nothing that code asks', async () => {
    const { ask, guard } = openPolicyHouse(observed)
    expect(await ask({ svid: checkout, code: scopes('orders:admin') })).toBe('scope_missing')
    expect(await ask({ code: authenticated() })).toBe('credential_missing')
    expect(await ask({ token: { aud: 'payments' }, code: authenticated() })).toBe('audience_mismatch')
    expect(await ask({ svid: checkout, route: 'GET /other' })).toBe('route_undeclared')
    expect(guard.observations().map(({ route: seen }) => seen)).not.toContain('GET /other')
  })

  test('a route lets pass whoever code lets by without a credential', async () => {
    const { ask } = openPolicyHouse(observed)
    expect(await ask({ code: callerOptional('greets') })).toBe('allow')
    expect(await ask({ code: unprotected('probe') })).toBe('allow')
    expect(events).toMatchObject([{ code: 'credential_missing' }, { code: 'credential_missing' }])
  })

  test('does not know that code lets by whom code cannot tell about', async () => {
    const { ask } = openPolicyHouse(observed)
    const broken = new OtherRequirement({
      text: 'broken()',
      check: () => {
        throw new Error('broken')
      },
    })
    expect(await ask({ svid: checkout, code: broken })).toBe('scope_missing')
  })

  test('loosens nothing where the service says enforce', async () => {
    const { ask } = openPolicyHouse(observed, { mode: 'enforce' })
    expect(await ask({ svid: checkout })).toBe('scope_missing')
  })

  test('a caller lets pass what its token may and its new grants do not', async () => {
    const caller = document.replace(
      'grants: [orders:read]\n',
      `grants: [orders:read]\n    mode: { observe: { until: ${until} } }\n`,
    )
    const { ask, scopesOf } = openPolicyHouse(caller)
    const token = { sub: 'reports', client_id: 'reports', scope: 'orders:read orders:write' }
    expect(await ask({ token, code: scopes('orders:write') })).toBe('allow')
    expect(await scopesOf({ token, code: scopes('orders:write') })).toEqual(['orders:read'])
    expect(await ask({ token, code: scopes('orders:admin') })).toBe('scope_missing')
    expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('scope_missing')
    expect(await ask({ token, code: callerIn('shop') })).toBe('caller_not_allowed')
  })
})

test('a client that the document enforces is held to it for its users, too', async () => {
  const { ask } = openPolicyHouse(
    document.replace('clientId: reports }]', 'clientId: reports }]\n    mode: enforce'),
    observe,
  )
  const token = { sub: 'alice', client_id: 'reports', scope: 'orders:read' }
  expect(await ask({ token, code: scopes('orders:write') })).toBe('scope_missing')
})
