import {
  authenticated,
  callerOptional,
  createGuard,
  scopes,
  type Decision,
  type Guard,
} from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf, connectionOf, present, requestWith } from './support/asking.ts'
import { claimsAt, issuer } from './support/house.ts'
import { createRawSigner } from './support/raw-signer.ts'

const clock = createTestClock()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
const lab = await createTestCa({ trustDomain: 'lab.example', now: new Date(clock.now()) })
const checkout = await ca.svid('/ns/shop/sa/checkout')
const reports = await ca.svid('/ns/back/sa/reports')
const signer = createRawSigner()
const jwks = { keys: [signer.jwk] }

type Credentials = { readonly token?: string; readonly svid?: { readonly der: Uint8Array } }

describe('a token of a workload beside a certificate', () => {
  const guard = guardOf({ represents: 'workload' })
  const named = (spiffeId: unknown) => tokenOf({ spiffe_id: spiffeId })

  test('of the same workload is one caller, proven twice', async () => {
    const decision = await ask(guard, { token: named(checkout.spiffeId), svid: checkout })
    expect(decision).toMatchObject({
      outcome: 'allow',
      caller: {
        id: checkout.spiffeId,
        service: { id: checkout.spiffeId, spiffeId: checkout.spiffeId, issuer, clientId: 'checkout' },
        provenBy: ['token', 'certificate'],
      },
    })
  })

  test.each([
    ['another workload', 'spiffe://prod.example/ns/back/sa/reports'],
    ['a workload whose name only begins alike', 'spiffe://prod.example/ns/shop/sa/checkout2'],
    ['the parent of the workload', 'spiffe://prod.example/ns/shop/sa'],
    ['the workload in another case', 'spiffe://prod.example/ns/shop/sa/Checkout'],
    ['no workload by that claim', undefined],
  ])('of %s is a mismatch', async (_, spiffeId) => {
    expect(codeOf(await ask(guard, { token: named(spiffeId), svid: checkout }))).toBe('identity_mismatch')
  })

  test('of another workload is a mismatch on a route that may have no caller, too', async () => {
    const credentials = { token: named(reports.spiffeId), svid: checkout }
    expect(codeOf(await ask(guard, credentials, callerOptional('prices')))).toBe('identity_mismatch')
  })

  test('of another workload is a mismatch also where the token is remembered', async () => {
    const token = named(reports.spiffeId)
    expect(codeOf(await ask(guard, { token, svid: reports }))).toBe('allow')
    expect(codeOf(await ask(guard, { token, svid: checkout }))).toBe('identity_mismatch')
    expect(codeOf(await ask(guard, { token }))).toBe('allow')
    expect(codeOf(await ask(guard, { token, svid: checkout }))).toBe('identity_mismatch')
  })
})

describe('the claim that names a workload', () => {
  const guard = guardOf({ represents: 'workload' })

  test.each([
    ['a workload of a trust domain that the issuer was not given', 'spiffe://lab.example/tester'],
    ['a trust domain that only ends alike', 'spiffe://evil-prod.example/checkout'],
    ['a trust domain that only begins alike', 'spiffe://prod.example.evil/checkout'],
    ['a trust domain in upper case', 'spiffe://PROD.example/checkout'],
    ['a whole trust domain', 'spiffe://prod.example'],
    ['a path with dots', 'spiffe://prod.example/ns/../sa/checkout'],
    ['a path with percent signs', 'spiffe://prod.example/ns%2Fshop'],
    ['a final slash', 'spiffe://prod.example/checkout/'],
    ['something that is no SPIFFE ID', 'checkout'],
    ['an empty name', ''],
    ['a list', ['spiffe://prod.example/checkout']],
    ['null', null],
    ['an object', { id: 'spiffe://prod.example/checkout' }],
  ])('must not hold %s', async (_, spiffeId) => {
    expect(codeOf(await ask(guard, { token: tokenOf({ spiffe_id: spiffeId }) }))).toBe(
      'workload_not_assertable',
    )
  })

  test('may be absent: the caller is then known by its issuer', async () => {
    expect(await ask(guard, { token: tokenOf() })).toMatchObject({
      caller: { id: `${issuer}#client=checkout`, service: { spiffeId: undefined } },
    })
  })

  test('yields nothing where no issuer was told to use it', async () => {
    const plain = createGuard({ audience: 'orders', issuers: [{ issuer, jwks }], log: false }, { clock })
    const token = tokenOf({
      spiffe_id: checkout.spiffeId,
      sub: checkout.spiffeId,
      client_id: checkout.spiffeId,
    })
    expect(await ask(plain, { token })).toMatchObject({
      caller: { id: `${issuer}#client=${checkout.spiffeId}` },
    })
  })
})

describe('a token of a user', () => {
  const guard = guardOf({ represents: 'auto' })
  const token = tokenOf({ sub: 'alice' })

  test('alone is the user, and no service', async () => {
    expect(await ask(guard, { token })).toMatchObject({
      caller: {
        id: `${issuer}#sub=alice`,
        service: undefined,
        user: { subject: 'alice', issuer },
        provenBy: ['token'],
      },
    })
  })

  test('beside a certificate is the user in the hands of that service', async () => {
    expect(await ask(guard, { token, svid: checkout })).toMatchObject({
      caller: {
        id: checkout.spiffeId,
        service: { id: checkout.spiffeId },
        user: { id: `${issuer}#sub=alice` },
      },
    })
  })

  test('names no workload, even by the claim that would', async () => {
    const posing = tokenOf({ sub: 'alice', spiffe_id: checkout.spiffeId })
    expect(await ask(guard, { token: posing })).toMatchObject({ caller: { id: `${issuer}#sub=alice` } })
  })
})

describe('an issuer whose tokens represent', () => {
  test.each([
    ['auto', 'checkout', `${issuer}#client=checkout`],
    ['auto', 'alice', `${issuer}#sub=alice`],
    ['workload', 'checkout', `${issuer}#client=checkout`],
    ['workload', 'alice', `${issuer}#client=checkout`],
    ['user', 'checkout', `${issuer}#sub=checkout`],
    ['user', 'alice', `${issuer}#sub=alice`],
  ] as const)('`%s` makes the subject %s the caller %s', async (represents, sub, id) => {
    expect(await ask(guardOf({ represents }), { token: tokenOf({ sub }) })).toMatchObject({ caller: { id } })
  })

  test('a user and a client of one name are two callers', async () => {
    const service = await ask(guardOf({ represents: 'workload' }), {
      token: tokenOf({ sub: 'x', client_id: 'x' }),
    })
    const user = await ask(guardOf({ represents: 'user' }), { token: tokenOf({ sub: 'x', client_id: 'x' }) })
    expect(idOf(service)).not.toBe(idOf(user))
  })
})

describe('one name from two issuers', () => {
  test('is two callers', async () => {
    const other = 'https://other-issuer.test'
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [
          { issuer, jwks },
          { issuer: other, jwks },
        ],
        grants: { [`${issuer}#client=checkout`]: ['orders:read'] },
        log: false,
      },
      { clock },
    )
    const read = scopes('orders:read')
    expect(codeOf(await ask(guard, { token: tokenOf({ scope: 'orders:read' }) }, read))).toBe('allow')
    expect(codeOf(await ask(guard, { token: tokenOf({ scope: 'orders:read', iss: other }) }, read))).toBe(
      'scope_missing',
    )
  })
})

test('the caller ends with the first of its credentials', async () => {
  const guard = guardOf({ represents: 'user' })
  const long = tokenOf({ sub: 'alice', exp: clock.now() / 1000 + 80_000 })
  const short = tokenOf({ sub: 'alice', exp: clock.now() / 1000 + 10 })
  expect(await ask(guard, { token: short, svid: checkout })).toMatchObject({
    caller: { expiresAt: clock.now() + 10_000 },
  })
  expect(await ask(guard, { token: long, svid: checkout })).toMatchObject({
    caller: { expiresAt: clock.now() + 3_600_000 },
  })
})

describe('scopes without grants', () => {
  const guard = guardOf({ represents: 'auto' })

  test('are those of the token, exactly', async () => {
    expect(await scopesOf(guard, { token: tokenOf({ scope: 'orders:read orders:write' }) })).toEqual([
      'orders:read',
      'orders:write',
    ])
  })

  test('are none for a certificate', async () => {
    expect(await scopesOf(guard, { svid: checkout })).toEqual([])
  })

  test.each([
    'orders:*',
    '*',
    '*:*',
    'orders',
    'orders:',
    'orders:read2',
    'ORDERS:READ',
    'orders:read:x',
    'order',
  ])('of a token that says %s do not give orders:read', async (scope) => {
    expect(codeOf(await ask(guard, { token: tokenOf({ scope }) }, scopes('orders:read')))).toBe(
      'scope_missing',
    )
  })
})

describe('scopes with grants', () => {
  const guard = guardOf(
    { represents: 'auto' },
    {
      [checkout.spiffeId]: ['orders:read', 'orders:write', 'invoices:*'],
      [`${issuer}#sub=alice`]: ['orders:read', 'profile:read', 'invoices:read'],
      [`${issuer}#client=checkout`]: ['orders:*'],
    },
  )

  test.each([
    ['the token of a service', tokenOf({ scope: 'orders:read billing:read' }), undefined, ['orders:read']],
    [
      'the token of a user',
      tokenOf({ sub: 'alice', scope: 'orders:read orders:write' }),
      undefined,
      ['orders:read'],
    ],
    [
      'a certificate and the token of a user',
      tokenOf({ sub: 'alice', scope: 'orders:read orders:write profile:read invoices:read' }),
      checkout,
      ['orders:read', 'invoices:read'],
    ],
    [
      'a certificate and a token of the same service',
      tokenOf({ spiffe_id: checkout.spiffeId, scope: 'orders:read billing:read' }),
      checkout,
      ['orders:read'],
    ],
    [
      'the token of a user who is granted nothing',
      tokenOf({ sub: 'bob', scope: 'orders:read' }),
      undefined,
      [],
    ],
    ['a certificate of a service that is granted nothing', undefined, reports, []],
  ])('of %s are what all of its parties may do', async (_, token, svid, expected) => {
    expect(await scopesOf(guard, { ...(token && { token }), ...(svid && { svid }) })).toEqual(expected)
  })

  test.each([
    ['orders:read', 'allow'],
    ['invoices:read', 'allow'],
    ['invoices:anything', 'allow'],
    ['invoices', 'scope_missing'],
    ['invoices:a:b', 'scope_missing'],
    ['invoices:', 'scope_missing'],
    ['invoicesx:read', 'scope_missing'],
    ['orders:delete', 'scope_missing'],
  ])('of a certificate cover %s as %s', async (scope, code) => {
    expect(codeOf(await ask(guard, { svid: checkout }, scopes(scope)))).toBe(code)
  })

  test('do not make a wildcard of what a token says, though policy grants that wildcard', async () => {
    const token = tokenOf({ scope: 'orders:*' })
    expect(codeOf(await ask(guard, { token }, scopes('orders:read')))).toBe('scope_missing')
  })

  test('by patterns give what any of them gives', async () => {
    const patterns = guardOf(
      { represents: 'auto' },
      {
        'spiffe://prod.example/ns/*/sa/checkout': ['orders:read'],
        'spiffe://prod.example/ns/shop/sa/*': ['orders:write'],
        'spiffe://prod.example/ns/*': ['never:this'],
        'spiffe://prod.example/*/*/*/*/*': ['never:that'],
      },
    )
    expect(await scopesOf(patterns, { svid: checkout })).toEqual(['orders:read', 'orders:write'])
    expect(await scopesOf(patterns, { svid: reports })).toEqual([])
  })
})

describe('for any grants and scopes', () => {
  const alice = `${issuer}#sub=alice`
  const resources = ['orders', 'invoices']
  const actions = ['read', 'write', 'delete']
  const asked = resources.flatMap((resource) => actions.map((action) => `${resource}:${action}`))
  const scope = fc.constantFrom(...asked)
  const grant = fc.constantFrom(...asked, ...resources.map((resource) => `${resource}:*`))
  const world = fc.record({
    token: fc.uniqueArray(scope),
    service: fc.uniqueArray(grant),
    user: fc.uniqueArray(grant),
    client: fc.uniqueArray(grant),
  })
  type World = typeof world extends fc.Arbitrary<infer W> ? W : never

  const guardFor = ({ service, user, client }: World): Guard =>
    guardOf(
      { represents: 'auto' },
      { [checkout.spiffeId]: service, [alice]: user, [`${issuer}#client=checkout`]: client },
    )
  const userToken = ({ token }: World): string => tokenOf({ sub: 'alice', scope: token.join(' ') })
  const ownToken = ({ token }: World): string =>
    tokenOf({ spiffe_id: checkout.spiffeId, scope: token.join(' ') })

  /** What passes `scopes(…)`, of all that can be asked. */
  async function allowed(guard: Guard, credentials: Credentials): Promise<readonly string[]> {
    const decisions = await Promise.all(
      asked.map(async (name) => [name, codeOf(await ask(guard, credentials, scopes(name)))] as const),
    )
    return decisions.filter(([, code]) => code === 'allow').map(([name]) => name)
  }

  const expectNoMore = (less: readonly string[], more: readonly string[]): void => {
    expect(less.filter((name) => !more.includes(name))).toEqual([])
  }

  const holds = (check: (world: World) => Promise<void>) =>
    fc.assert(fc.asyncProperty(world, check), { numRuns: 60 })

  test('a token never gives what it does not say, nor what policy does not grant', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const covers = (grants: readonly string[], name: string): boolean =>
        grants.includes(name) || grants.includes(`${name.split(':')[0]}:*`)
      const both = random.token.filter((name) => covers(random.service, name) && covers(random.user, name))
      expect(new Set(await allowed(guard, { token: userToken(random), svid: checkout }))).toEqual(
        new Set(both),
      )
      const own = random.token.filter((name) => covers(random.service, name))
      expect(new Set(await allowed(guard, { token: ownToken(random) }))).toEqual(new Set(own))
      const users = random.token.filter((name) => covers(random.user, name) && covers(random.client, name))
      expect(new Set(await allowed(guard, { token: userToken(random) }))).toEqual(new Set(users))
    })
  })

  test('what two credentials give is never added up', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const both = await allowed(guard, { token: userToken(random), svid: checkout })
      expectNoMore(both, random.token)
      expectNoMore(both, await allowed(guard, { svid: checkout }))
    })
  })

  test('leaving out the certificate beside a token of the same service never yields more', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const token = ownToken(random)
      expectNoMore(await allowed(guard, { token }), await allowed(guard, { token, svid: checkout }))
    })
  })

  test('a user’s token without a certificate gives nothing that its client is not granted', async () => {
    await holds(async (random) => {
      const guard = guardFor({ ...random, client: [] })
      expect(await allowed(guard, { token: userToken(random) })).toEqual([])
    })
  })

  test('a certificate alone gives what policy grants its service, and nothing of what it grants a user', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const granted = asked.filter(
        (name) => random.service.includes(name) || random.service.includes(`${name.split(':')[0]}:*`),
      )
      expect(new Set(await allowed(guard, { svid: checkout }))).toEqual(new Set(granted))
    })
  })

  test('leaving out every credential yields nothing', async () => {
    await holds(async (random) => {
      expect(await allowed(guardFor(random), {})).toEqual([])
    })
  })

  test('a user to whom policy grants nothing has nothing, whatever the token says and whoever carries it', async () => {
    await holds(async (random) => {
      const guard = guardFor({ ...random, user: [] })
      expect(await allowed(guard, { token: userToken(random) })).toEqual([])
      expect(await allowed(guard, { token: userToken(random), svid: checkout })).toEqual([])
    })
  })
})

describe('a caller', () => {
  test('cannot be changed', async () => {
    const decision = await ask(guardOf({ represents: 'auto' }), { token: tokenOf() })
    const caller = present(decision.outcome === 'allow' ? decision.caller : undefined)
    expect(() => Object.assign(caller, { id: 'admin' })).toThrow(TypeError)
    expect(() => Object.assign(caller.provenBy, { 0: 'certificate' })).toThrow(TypeError)
    expect(() => Object.assign(caller.scopes, { has: () => true })).toThrow(TypeError)
  })

  test('names a service and a user that cannot be changed for the requests after it', async () => {
    const credentials = { token: tokenOf({ sub: 'alice' }), svid: checkout }
    const decision = await ask(guardOf({ represents: 'auto' }), credentials)
    const caller = present(decision.outcome === 'allow' ? decision.caller : undefined)
    expect(() => Object.assign(present(caller.service), { id: 'admin' })).toThrow(TypeError)
    expect(() => Object.assign(present(caller.user), { id: 'admin' })).toThrow(TypeError)
  })

  test('of a foreign trust domain is unknown, whatever its token says', async () => {
    const tester = await lab.svid('/tester')
    const token = tokenOf({ sub: 'alice' })
    expect(codeOf(await ask(guardOf({ represents: 'auto' }), { token, svid: tester }))).toBe(
      'trust_domain_unknown',
    )
  })
})

function guardOf(
  { represents }: { represents: 'auto' | 'workload' | 'user' },
  grants?: Record<string, readonly string[]>,
): Guard {
  return createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer, jwks, represents, workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] }],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      ...(grants === undefined ? {} : { grants }),
      log: false,
    },
    { clock },
  )
}

function tokenOf(changes: Record<string, unknown> = {}): string {
  return signer.jws({ alg: 'ES256', typ: 'at+jwt' }, { ...claimsAt(clock), ...changes })
}

async function ask(
  guard: Guard,
  { token, svid }: Credentials,
  placement: Parameters<Guard['decide']>[1] = authenticated(),
): Promise<Decision> {
  const socket = svid === undefined ? {} : connectionOf(svid)
  return guard.decide(requestWith(token === undefined ? undefined : `Bearer ${token}`, socket), placement)
}

async function scopesOf(guard: Guard, credentials: Credentials): Promise<readonly string[]> {
  const decision = await ask(guard, credentials)
  if (decision.outcome === 'deny') throw new Error(`expected a caller, got ${decision.refusal.code}`)
  return [...present(decision.caller).scopes]
}

const idOf = (decision: Decision): string | undefined =>
  decision.outcome === 'allow' ? decision.caller?.id : undefined
