import { callerOptional, createGuard, scopes, type Decision } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeOf, present } from './support/asking.ts'
import { issuer } from './support/house.ts'
import { ask, checkout, clock, guardOf, jwks, reports, tokenOf } from './support/parties.ts'

const lab = await createTestCa({ trustDomain: 'lab.example', now: new Date(clock.now()) })

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

describe('a caller', () => {
  test('cannot be changed', async () => {
    const decision = await ask(guardOf({ represents: 'auto' }), { token: tokenOf() })
    const caller = present(decision.outcome === 'allow' ? decision.caller : undefined)
    expect(() => Object.assign(caller, { id: 'admin' })).toThrow(TypeError)
    expect(() => Object.assign(caller.provenBy, { 0: 'certificate' })).toThrow(TypeError)
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

const idOf = (decision: Decision): string | undefined =>
  decision.outcome === 'allow' ? decision.caller?.id : undefined
