// Cedar as a decider, with the engine itself: strict where Cedar is not.
import { isAuthorized, type AuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import { authenticated, scopes } from '@countersign/core'
import { cedarContext, entity, extension } from '@countersign/policy/cedar'
import { describe, expect, test } from 'vitest'
import { codeOf, requestWith } from '../../core/support/asking.ts'
import { checkout, connectionOf, issuer, reports } from '../guard/support/policy-house.ts'
import { openCedarHouse, service } from './support/cedar-house.ts'

const everybody = '@id("everybody") permit(principal, action, resource);'

describe('a rule that forbids and fails', () => {
  const suspended = '@id("suspended") forbid(principal, action, resource) when { context.suspended };'
  const rules = `${everybody}\n${suspended}`

  test('is left out by Cedar, which allows, and denies here', async () => {
    const call: AuthorizationCall = {
      principal: { type: 'Service', id: checkout.spiffeId },
      action: { type: 'Action', id: 'GET' },
      resource: { type: 'Route', id: 'GET /orders/:id' },
      context: {},
      entities: [],
      policies: { staticPolicies: { everybody, suspended } },
    }
    expect(isAuthorized(call)).toMatchObject({
      type: 'success',
      response: {
        decision: 'allow',
        diagnostics: { reason: ['everybody'], errors: [{ policyId: 'suspended' }] },
      },
    })
    const { ask, why } = openCedarHouse(rules)
    expect(await ask()).toBe('decider_unavailable')
    expect(await why()).toBe('an error in "suspended"')
  })

  test('denies no less where it does not fail', async () => {
    const answering = (is: boolean) => openCedarHouse(rules, { context: () => ({ suspended: is }) })
    expect(await answering(false).ask()).toBe('allow')
    expect(await answering(true).ask()).toBe('decider_forbids')
    expect(await answering(true).why()).toBe('forbid by "suspended"')
  })

  test('takes nothing from another that forbids', async () => {
    const { why } = openCedarHouse(`${rules}\n@id("closed") forbid(principal, action, resource);`)
    expect(await why()).toBe('forbid by "closed"')
  })
})

describe('permits', () => {
  test('whom a rule permits, by what was verified', async () => {
    const rule = `permit(
      principal == ${service}, action == Action::"GET", resource == Route::"GET /orders/:id"
    ) when {
      context.scopes == ["orders:read"] && context.zones == ["shop"] && context.provenBy == ["certificate"]
      && context.params.id == "7" && !(context has user)
    };`
    const { ask } = openCedarHouse(rule)
    expect(await ask({ params: { id: '7' } })).toBe('allow')
    expect(await ask({ params: { id: '8' } })).toBe('decider_forbids')
    expect(await ask({ params: { id: '7' }, route: 'GET /orders' })).toBe('decider_forbids')
    expect(await ask({ params: { id: '7' }, svid: reports })).toBe('decider_forbids')
  })

  test('nobody by itself: a permit of Cedar is one of several', async () => {
    const { ask } = openCedarHouse(everybody)
    expect(await ask()).toBe('allow')
    expect(await ask({ code: scopes('orders:write') })).toBe('scope_missing')
  })

  test('nobody whom no rule names', async () => {
    const { ask, why } = openCedarHouse('permit(principal == Service::"other", action, resource);')
    expect(await ask()).toBe('decider_forbids')
    expect(await why()).toBe('forbid')
  })
})

describe('a user', () => {
  const alice = { sub: 'alice', client_id: 'web', scope: 'orders:read' }
  const user = `User::"${issuer}#sub=alice"`

  test('is the principal where no service is known, and stands in the context', async () => {
    const rule = `permit(principal == ${user}, action, resource) when { context.user == principal };`
    const token = { token: alice, svid: undefined } as object
    expect(await openCedarHouse(rule).ask(token)).toBe('allow')
    expect(await openCedarHouse(rule).ask()).toBe('decider_forbids')
  })

  test('is beside the service that calls for them', async () => {
    const rule = `permit(principal == ${service}, action, resource)
      when { context has user && context.user == ${user} };`
    const { ask } = openCedarHouse(rule)
    expect(await ask({ token: alice })).toBe('allow')
    expect(await ask({ token: { ...alice, sub: 'bob' } })).toBe('decider_forbids')
    expect(await ask()).toBe('decider_forbids')
  })
})

test('a HEAD is a GET unless the route is for HEAD, so that it gets round no rule', async () => {
  const rules = `${everybody}
    @id("no reading") forbid(principal, action == Action::"GET", resource);`
  const { guard } = openCedarHouse(rules)
  const ask = async (method: string, registered: string) => {
    const request = { ...requestWith(undefined, connectionOf(checkout)), method }
    const route = `${method} /orders/:id`
    return codeOf(await guard.open(request).decide(authenticated(), route, false, {}, registered))
  }
  expect(await ask('GET', 'GET /orders/:id')).toBe('decider_forbids')
  expect(await ask('HEAD', 'GET /orders/:id')).toBe('decider_forbids')
  expect(await ask('HEAD', 'HEAD /orders/:id')).toBe('allow')
  expect(await ask('HEAD', '* /orders/:id')).toBe('decider_forbids')
  expect(await ask('POST', '* /orders/:id')).toBe('allow')
})

describe('what is asked can be said otherwise', () => {
  test('principal, action, resource and context', async () => {
    const rule = `permit(principal == Team::"shop", action == Action::"read", resource == Order::"7")
      when { context.scopes.contains("orders:read") && context.ip.isInRange(ip("10.0.0.0/8")) };`
    const { ask } = openCedarHouse(rule, {
      principal: ({ caller }) => entity('Team', caller.zones[0] ?? ''),
      action: () => entity('Action', 'read'),
      resource: ({ params }) => entity('Order', String(params['id'])),
      context: (question) => ({ ...cedarContext(question), ip: extension('ip', '10.1.2.3') }),
    })
    expect(await ask({ params: { id: '7' } })).toBe('allow')
    expect(await ask({ params: { id: '8' } })).toBe('decider_forbids')
  })

  const inShop = 'permit(principal in Team::"shop", action, resource) when { principal.tier == 1 };'
  const uid = { type: 'Service', id: checkout.spiffeId }

  test('entities, the same for all', async () => {
    const entities = [{ uid, attrs: { tier: 1 }, parents: [{ type: 'Team', id: 'shop' }] }]
    expect(await openCedarHouse(inShop, { entities }).ask()).toBe('allow')
    expect(await openCedarHouse(inShop).ask()).toBe('decider_forbids')
  })

  const known = { uid: entity(uid.type, uid.id), attrs: { tier: 1 }, parents: [entity('Team', 'shop')] }

  test('entities of the request', async () => {
    expect(await openCedarHouse(inShop, { entities: () => [known] }).ask()).toBe('allow')
    expect(await openCedarHouse(inShop, { entities: async () => [known] }).ask()).toBe('allow')
    expect(await openCedarHouse(inShop, { entities: () => [] }).ask()).toBe('decider_forbids')
    const failing = openCedarHouse(inShop, { entities: () => Promise.reject(new Error('no')) })
    expect(await failing.ask()).toBe('decider_unavailable')
  })

  test('entities that come late are unavailable', async () => {
    const { promise } = Promise.withResolvers<never>()
    const asked = Promise.withResolvers<void>()
    const entities = () => (asked.resolve(), promise)
    const { ask, clock } = openCedarHouse(everybody, { entities, timeoutMs: 50, name: 'orders.cedar' })
    const answer = ask()
    await asked.promise
    clock.advance(50)
    expect(await answer).toBe('decider_unavailable')
  })
})

test('deciders keep apart, and go on when others are made', async () => {
  const none = openCedarHouse('forbid(principal, action, resource);')
  const all = openCedarHouse(everybody)
  expect([await none.ask(), await all.ask(), await none.ask()]).toEqual([
    'decider_forbids',
    'allow',
    'decider_forbids',
  ])
})

test('rules without an id are called as Cedar counts them', async () => {
  const rules = Array.from(
    { length: 12 },
    (_, i) => `forbid(principal, action, resource) when { ${i} == 10 };`,
  )
  expect(await openCedarHouse(rules.join('\n')).why()).toBe('forbid by "policy10"')
})
