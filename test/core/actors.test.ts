import { callerIs, scopes, type IssuerOptions } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor, connectionOf } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'

const { guard, token, clock } = createHouse()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
const checkout = await ca.svid('/ns/shop/sa/checkout')
const reports = await ca.svid('/ns/back/sa/reports')
const speaksFor: Partial<IssuerOptions> = { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] }
const certificates = { trustDomains: { 'prod.example': ca.bundle } }
const naming = createHouse({ clock, issuerOptions: speaksFor, guardOptions: { certificates } })

const client = (name: string): string => `${issuer}#client=${name}`
/** A token of the user alice in which these act, the one who acts now first. */
const chainOf = (...actors: readonly object[]): object | undefined =>
  actors.reduceRight<object | undefined>((act, actor) => ({ ...actor, ...(act && { act }) }), undefined)
const acting = (...actors: readonly object[]) => ({ sub: 'alice', client_id: 'web', act: chainOf(...actors) })

describe('a token that somebody acts with', () => {
  test('names the user, the service that acts now, and everybody before it in order', async () => {
    const caller = await callerFor(
      guard,
      token(acting({ sub: 'orders', client_id: 'orders' }, { sub: 'checkout' }, { sub: 'web', iss: issuer })),
    )
    expect(caller).toMatchObject({
      id: client('orders'),
      user: { id: `${issuer}#sub=alice`, subject: 'alice', issuer },
      service: { id: client('orders'), clientId: 'orders', issuer, spiffeId: undefined },
    })
    expect(caller.actors.map(({ id, subject, clientId }) => [id, subject, clientId])).toEqual([
      [`${issuer}#sub=orders`, 'orders', 'orders'],
      [`${issuer}#sub=checkout`, 'checkout', undefined],
      [`${issuer}#sub=web`, 'web', undefined],
    ])
  })

  test('shows actors that cannot be changed', async () => {
    const { actors } = await callerFor(guard, token(acting({ sub: 'orders', email: 'o@x.test' })))
    expect(Object.isFrozen(actors) && Object.isFrozen(actors[0]) && Object.isFrozen(actors[0]?.claims)).toBe(
      true,
    )
    expect(actors[0]?.claims).toEqual({ sub: 'orders', email: 'o@x.test' })
  })

  test('is the user’s where nobody acts', async () => {
    const caller = await callerFor(guard, token({ sub: 'alice' }))
    expect(caller).toMatchObject({ id: `${issuer}#sub=alice`, service: undefined, actors: [] })
  })

  test('names no service by a subject alone, unless that is the client it was issued to', async () => {
    expect((await callerFor(guard, token(acting({ sub: 'orders' })))).service).toBeUndefined()
    expect((await callerFor(guard, token(acting({ sub: 'web' })))).service?.id).toBe(client('web'))
  })

  test('that was a workload’s own is the workload’s on whose behalf another calls', async () => {
    const caller = await callerFor(guard, token({ act: { sub: 'orders', client_id: 'orders' } }))
    expect(caller).toMatchObject({ id: client('orders'), user: { id: `${issuer}#sub=checkout` } })
  })

  test.each([
    ['no object', 'orders'],
    ['null', null],
    ['a list', [{ sub: 'orders' }]],
    ['without a subject', { client_id: 'orders' }],
    ['with an empty subject', { sub: '' }],
    ['with a subject that is no text', { sub: ['orders'] }],
    ['with an issuer that is no text', { sub: 'orders', iss: [issuer] }],
    ['with a client that is no text', { sub: 'orders', client_id: 5 }],
    ['with a second one that is null', { sub: 'orders', act: null }],
    ['with a second one without a subject', { sub: 'orders', act: {} }],
  ])('has no actor that is %s', async (_, act) => {
    expect(await codeFor(guard, token({ sub: 'alice', act }))).toBe('claim_malformed')
  })

  test('has five actors at most', async () => {
    const actors = (count: number) => Array.from({ length: count }, (_, i) => ({ sub: `a${i}` }))
    expect((await callerFor(guard, token(acting(...actors(5))))).actors).toHaveLength(5)
    expect(await codeFor(guard, token(acting(...actors(6))))).toBe('actor_chain_too_deep')
    expect(await codeFor(guard, token(acting(...actors(60))))).toBe('actor_chain_too_deep')
  })

  test('is not ended, delayed or addressed by what its actors say', async () => {
    const actor = { sub: 'orders', exp: 1, nbf: 4_102_444_800, aud: 'billing', iat: 'x', cnf: {} }
    expect(await codeFor(guard, token(acting(actor)))).toBe('allow')
  })
})

describe('an actor never decides', () => {
  const asks = callerIs(client('orders'), 'spiffe://prod.example/ns/shop/sa/checkout')

  test.each<[string, readonly object[]]>([
    ['where it acted before', [{ sub: 'web' }, { sub: 'orders', client_id: 'orders' }]],
    ['where it acted before, by a SPIFFE ID', [{ sub: 'web' }, { sub: checkout.spiffeId }]],
    [
      'where it acted before, by the claim of workloads',
      [{ sub: 'web' }, { sub: 'x', spiffe_id: checkout.spiffeId }],
    ],
    ['where it is another issuer’s', [{ sub: 'orders', client_id: 'orders', iss: 'https://other.test' }]],
    ['where it is another issuer’s SPIFFE ID', [{ sub: checkout.spiffeId, iss: 'https://other.test' }]],
    ['where its issuer is spelled differently', [{ sub: 'orders', client_id: 'orders', iss: `${issuer}/` }]],
    ['where its issuer is empty', [{ sub: 'orders', client_id: 'orders', iss: '' }]],
  ])('%s', async (_, actors) => {
    for (const house of [createHouse({ clock }), naming]) {
      expect(await codeFor(house.guard, house.token(acting(...actors)), asks)).toBe('caller_not_allowed')
    }
  })

  test('over what another actor is granted', async () => {
    const grants = { [client('orders')]: ['orders:read'], [`${issuer}#sub=alice`]: ['orders:read'] }
    const house = createHouse({ clock, guardOptions: { grants } })
    const ask = (...actors: readonly object[]) =>
      codeFor(house.guard, house.token({ ...acting(...actors), scope: 'orders:read' }), scopes('orders:read'))
    const orders = { sub: 'orders', client_id: 'orders' }
    expect(await ask(orders)).toBe('allow')
    expect(await ask({ sub: 'x', client_id: 'x' }, orders)).toBe('scope_missing')
    expect(await ask({ ...orders, iss: 'https://other.test' })).toBe('scope_missing')
  })
})

describe('an actor that is named by SPIFFE ID', () => {
  test.each<[string, object]>([
    ['in its subject', { sub: checkout.spiffeId }],
    ['in the claim of workloads', { sub: 'x', spiffe_id: checkout.spiffeId }],
  ])('%s is that workload', async (_, actor) => {
    const caller = await callerFor(naming.guard, naming.token(acting(actor)))
    expect(caller).toMatchObject({ id: checkout.spiffeId, service: { spiffeId: checkout.spiffeId, issuer } })
  })

  test.each<[string, object]>([
    ['in another trust domain', { sub: 'spiffe://lab.example/checkout' }],
    ['in another trust domain, by the claim', { sub: 'x', spiffe_id: 'spiffe://lab.example/checkout' }],
    ['without a path', { sub: 'spiffe://prod.example' }],
    ['with dots', { sub: 'spiffe://prod.example/a/../checkout' }],
    ['by a claim that is no text', { sub: 'x', spiffe_id: [checkout.spiffeId] }],
  ])('%s is refused', async (_, actor) => {
    expect(await codeFor(naming.guard, naming.token(acting(actor)))).toBe('workload_not_assertable')
  })

  test('is none where its issuer speaks for no trust domain', async () => {
    expect((await callerFor(guard, token(acting({ sub: checkout.spiffeId })))).service).toBeUndefined()
  })
})

describe('a token that somebody acts with, beside a certificate', () => {
  const on = (svid: { readonly der: Uint8Array }, ...actors: readonly object[]) =>
    [naming.guard, naming.token(acting(...actors)), connectionOf(svid)] as const
  const ask = async (svid: { readonly der: Uint8Array }, ...actors: readonly object[]) => {
    const [one, text, socket] = on(svid, ...actors)
    return codeFor(one, text, undefined, socket)
  }

  test('names one service: the certificate’s, which the actor confirms', async () => {
    const caller = await callerFor(...on(checkout, { sub: checkout.spiffeId }))
    expect(caller).toMatchObject({
      id: checkout.spiffeId,
      user: { subject: 'alice' },
      provenBy: ['token', 'certificate'],
    })
  })

  test('is refused where the actor is another workload', async () => {
    expect(await ask(reports, { sub: checkout.spiffeId })).toBe('identity_mismatch')
    expect(await ask(reports, { sub: 'x', spiffe_id: checkout.spiffeId })).toBe('identity_mismatch')
  })

  test('is the certificate’s call where the actor has another kind of name, or only acted before', async () => {
    for (const actors of [
      [{ sub: 'orders', client_id: 'orders' }],
      [{ sub: 'x' }, { sub: reports.spiffeId }],
    ]) {
      expect((await callerFor(...on(checkout, ...actors))).id).toBe(checkout.spiffeId)
    }
  })
})
