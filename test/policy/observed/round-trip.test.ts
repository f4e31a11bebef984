// A policy made of what was observed allows that, and nothing else of it: the same requests, before a guard that enforces.
import {
  allOf,
  anyScope,
  authenticated,
  callerIs,
  callerOptional,
  claim,
  createGuard,
  scopes,
  unprotected,
  userScopes,
  type Guard,
  type GuardOptions,
  type Placement,
} from '@countersign/core'
import { parsePolicy, policyDocument, policyFromObservations } from '@countersign/policy'
import { createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { connectionOf, requestWith } from '../../core/support/asking.ts'

const clock = createTestClock()
const idp = await createTestIssuer({ clock })
const start = new Date(clock.now())
const ca = await createTestCa({ trustDomain: 'prod.example', now: start })
const cart = await ca.svid('/ns/shop/sa/cart')
const reports = await ca.svid('/ns/back/sa/reports')
const spiffe = ({ spiffeId }: { readonly spiffeId: string }) => spiffeId

const free = { audience: 'orders', issuers: [idp], log: false } satisfies GuardOptions
const options = {
  ...free,
  certificates: { trustDomains: { 'prod.example': ca.bundle } },
} satisfies GuardOptions
// Says which names are one workload's, as a token and a certificate in one request need it.
const names = `
version: 1
callers:
  cart: { is: [${spiffe(cart)}, { issuer: ${idp.issuer}, clientId: cart }], grants: ['orders:*', 'stock:read'] }
  reports: { is: [${spiffe(reports)}], grants: [orders:read] }
  others: { is: [{ issuer: ${idp.issuer}, clientId: checkout }, { issuer: ${idp.issuer}, clientId: web }], grants: ['orders:*', 'stock:*'] }
  users: { is: [{ issuer: ${idp.issuer}, subject: '*' }], grants: ['orders:*'] }
`

interface Call {
  readonly route: string
  readonly subject?: string | undefined
  readonly user?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly svid?: typeof cart | undefined
  readonly audience?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>>
}

const routes: Readonly<Record<string, Placement | undefined>> = {
  'GET /orders': scopes('orders:read'),
  'POST /orders': scopes('orders:read', 'orders:write'),
  'GET /stock': anyScope('stock:read', 'orders:read'),
  'GET /mine': userScopes('orders:read'),
  'GET /tenants': allOf(authenticated(), claim('tenant', 'acme')),
  'GET /named': callerIs(`${idp.issuer}#client=checkout`, spiffe(cart)),
  'GET /me': authenticated(),
  'GET /page': callerOptional('a page for everybody: "all", of them'),
  'GET /healthz': unprotected('liveness probe, returns no data'),
  'GET /new': undefined,
  'DELETE /new/:id': undefined,
}

async function call(guard: Guard, { route, subject, svid, ...token }: Call) {
  const { user, claims, audience, scopes: held } = token
  const said = {
    ...(user === undefined ? {} : { user }),
    ...(claims === undefined ? {} : { claims }),
    ...(audience === undefined ? {} : { audience }),
    ...(held === undefined ? {} : { scopes: held }),
  }
  const authorization = subject === undefined ? undefined : `Bearer ${await idp.token(subject, said)}`
  const socket = svid === undefined ? {} : connectionOf(svid)
  return guard.open(requestWith(authorization, socket)).decide(routes[route], route)
}

/** What came of calls to a service that observes, and what comes of them under the policy that was made of it. */
async function replay(calls: readonly Call[], given: GuardOptions) {
  const observing = createGuard({ ...given, mode: { observe: { until: '2099-12-31' } } }, { clock })
  const before: boolean[] = []
  let seen = 0
  for (const each of calls) {
    const decision = await call(observing, each)
    if (decision.outcome === 'deny') throw new Error('refused while it observes')
    const known = seenOfKnown(observing)
    const isUndeclared = decision.observed?.code === 'route_undeclared'
    before.push(decision.observed === undefined || (isUndeclared && known > seen))
    seen = known
  }
  const text = policyFromObservations(observing.observations(), { service: 'orders' })
  const enforcing = createGuard({ ...given, policy: policyDocument(text) }, { clock })
  const after: boolean[] = []
  for (const each of calls) {
    after.push((await call(enforcing, each)).outcome === 'allow')
  }
  return { text, before, after }
}

/** How many requests came with a valid credential. */
const seenOfKnown = (guard: Guard): number =>
  guard
    .observations()
    .filter(({ caller }) => caller !== null)
    .map(({ allowed, refused }) => Object.values(refused).reduce((sum, times) => sum + times, allowed))
    .reduce((sum, times) => sum + times, 0)

const read = { subject: 'checkout', scopes: ['orders:read'] }

describe('a service without any policy', () => {
  test('has one that allows what was allowed, and nobody else what is new', async () => {
    const calls: Call[] = [
      { ...read, route: 'GET /orders' },
      { ...read, route: 'POST /orders' },
      { ...read, route: 'GET /new' },
      { subject: 'web', scopes: ['stock:read'], route: 'GET /stock' },
      { subject: 'web', user: 'alice', scopes: ['orders:read'], route: 'GET /mine' },
      { subject: 'web', user: 'alice', route: 'DELETE /new/:id' },
      { subject: 'web', audience: 'payments', route: 'DELETE /new/:id' },
      { route: 'GET /new' },
      { route: 'GET /healthz' },
      { route: 'GET /page' },
      { subject: 'web', audience: 'payments', route: 'GET /me' },
    ]
    const { text, before, after } = await replay(calls, free)
    expect(before).toEqual([true, false, true, true, true, true, false, false, true, true, false])
    expect(after).toEqual(before)
    expect(text).toMatchInlineSnapshot(`
      "# Made of what was observed from 2030-01-01T00:00:00.000Z to 2030-01-01T00:00:00.000Z.
      # Read it before it decides: who called while nothing was refused stands here, whether or not they should.
      version: 1
      service: orders
      callers:
        checkout:
          is: ["https://issuer.test#client=checkout"]
          grants:
            - { scope: orders:read, via: token }
        users-of-issuer.test:
          is: ["https://issuer.test#sub=*"]
          grants:
            - { scope: orders:read, via: token }
        web:
          is: ["https://issuer.test#client=web"]
          grants:
            - { scope: orders:read, via: token }
            - { scope: stock:read, via: token }
      routes:
        # Said nothing. These have called it:
        - { route: DELETE /new/:id, requires: { callers: [users-of-issuer.test] } }
        # Asked unprotected(liveness probe, returns no data).
        - { route: GET /healthz, unprotected: "liveness probe, returns no data" }
        # Asked authenticated().
        - { route: GET /me, requires: { authenticated: true } }
        # Asked userScopes(orders:read).
        - { route: GET /mine, requires: { callers: [users-of-issuer.test] } }
        # Said nothing. These have called it:
        - { route: GET /new, requires: { callers: [checkout] } }
        # Asked scopes(orders:read).
        - { route: GET /orders, requires: { scopes: [orders:read] } }
        # Asked callerOptional(a page for everybody: "all", of them).
        - { route: GET /page, callerOptional: "a page for everybody: \\"all\\", of them" }
        # Asked anyScope(stock:read, orders:read).
        - { route: GET /stock, requires: { callers: [web] } }
        # Asked scopes(orders:read, orders:write).
        - { route: POST /orders, requires: { scopes: [orders:read, orders:write] } }

      # Would have been refused. A grant, or a change of the caller, is for you to decide:
      #   https://issuer.test#client=checkout on POST /orders, which asks scopes(orders:read, orders:write): scope_missing 1 time

      # Came without a valid credential, and has no part in this policy:
      #   DELETE /new/:id: route_undeclared 1 time
      #   GET /me, which asks authenticated(): audience_mismatch 1 time
      #   GET /new: route_undeclared 1 time
      "
    `)
    const guard = createGuard({ ...free, policy: policyDocument(text) }, { clock })
    expect((await call(guard, { subject: 'stranger', route: 'GET /new' })).outcome).toBe('deny')
    expect((await call(guard, { ...read, subject: 'stranger', route: 'GET /orders' })).outcome).toBe('deny')
  })
})

describe('a grant is for the credentials that it was used by', () => {
  test('a token that comes without its certificate has less', async () => {
    const own = { subject: 'cart', scopes: ['orders:read'], route: 'GET /orders' }
    const given = { ...options, policy: policyDocument(names) }
    const { text, after } = await replay([{ ...own, svid: cart }], given)
    expect(after).toEqual([true])
    const [caller] = parsePolicy(text).callers
    expect(caller).toMatchObject({ name: 'cart', grants: [{ scope: 'orders:read', via: 'both' }] })
    expect(caller?.is.map(({ text: name }) => name)).toEqual([`${idp.issuer}#client=cart`, cart.spiffeId])
    const guard = createGuard({ ...options, policy: policyDocument(text) }, { clock })
    expect((await call(guard, own)).outcome).toBe('deny')
    expect((await call(guard, { route: 'GET /orders', svid: cart })).outcome).toBe('deny')
    expect((await call(guard, { ...own, svid: cart })).outcome).toBe('allow')
  })
})

const aScope = fc.constantFrom('orders:read', 'orders:write', 'stock:read', 'stock:write')
const aToken = fc.record({
  subject: fc.constantFrom('checkout', 'web', 'cart', undefined),
  user: fc.constantFrom(undefined, undefined, 'alice', 'bob'),
  scopes: fc.uniqueArray(aScope),
  audience: fc.constantFrom(undefined, undefined, undefined, 'payments'),
  claims: fc.constantFrom({}, { tenant: 'acme' }),
})
const aCall = fc.record({ route: fc.constantFrom(...Object.keys(routes)), token: aToken })
const flat = ({ route, token }: { readonly route: string; readonly token: Omit<Call, 'route'> }): Call =>
  token.subject === undefined ? { route } : { route, ...token }

test('whatever is called by tokens, the same is allowed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aCall, { maxLength: 12 }), async (calls) => {
      const { before, after } = await replay(calls.map(flat), free)
      expect(after).toEqual(before)
    }),
    { numRuns: 40 },
  )
})

test('whatever is called by tokens and certificates under a policy, the same is allowed', async () => {
  const withCertificate = fc.record({ call: aCall, svid: fc.constantFrom(undefined, cart, reports) })
  await fc.assert(
    fc.asyncProperty(fc.array(withCertificate, { maxLength: 12 }), async (calls) => {
      const given = { ...options, policy: policyDocument(names) }
      const all = calls.map(({ call: each, svid }) => ({ ...flat(each), svid }))
      const { before, after } = await replay(all, given)
      expect(after).toEqual(before)
    }),
    { numRuns: 40 },
  )
})
