import { scopes } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { callerFor, codeOf, present } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { ask, checkout, guardOf, reports, scopesOf, tokenOf } from './support/parties.ts'

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
    [
      'the token of a user whose client is granted less',
      tokenOf({ sub: 'alice', scope: 'orders:read invoices:read' }),
      undefined,
      ['orders:read'],
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

  test('of a token that names no client are those of its user alone', async () => {
    const { guard: ofUsers, token } = createHouse({
      issuerOptions: { profile: 'oauth', isAccessToken: () => true, represents: 'user' },
      guardOptions: { grants: { [`${issuer}#sub=alice`]: ['orders:read'] } },
    })
    const said = token({ sub: 'alice', client_id: undefined, scope: 'orders:read orders:write' })
    expect([...(await callerFor(ofUsers, said)).scopes]).toEqual(['orders:read'])
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

describe('the scopes of a caller', () => {
  test('cannot be changed, and write themselves down as a list', async () => {
    const decision = await ask(guardOf({ represents: 'auto' }), { token: tokenOf({ scope: 'b:c a:b' }) })
    const caller = present(decision.outcome === 'allow' ? decision.caller : undefined)
    expect(JSON.stringify(caller.scopes)).toBe('["b:c","a:b"]')
    expect(() => Object.assign(caller.scopes, { has: () => true })).toThrow(TypeError)
  })
})
