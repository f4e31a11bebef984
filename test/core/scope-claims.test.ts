import { scopes, type IssuerOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { readScopes } from '../../packages/core/src/identity/token/scope-claims.ts'
import { callerFor, codeFor } from './support/asking.ts'
import { createHouse, issuer, type House } from './support/house.ts'

type Members = Readonly<Record<string, unknown>>

const houseOf = (issuerOptions: Partial<IssuerOptions>, grants?: Record<string, readonly string[]>): House =>
  createHouse({ issuerOptions, ...(grants === undefined ? {} : { guardOptions: { grants } }) })

const scopesOf = async ({ guard, token }: House, claims: Members) => [
  ...(await callerFor(guard, token(claims))).scopes,
]

describe('scopes that an issuer writes', () => {
  const roles = houseOf({ scopeClaims: ['scp', 'permissions', ['realm_access', 'roles']] })

  test.each<[string, Members, readonly string[]]>([
    ['as text', { scp: 'orders:read orders:write' }, ['orders:read', 'orders:write']],
    ['as a list', { permissions: ['orders:read', 'orders:write'] }, ['orders:read', 'orders:write']],
    ['below another claim', { realm_access: { roles: ['orders:read'] } }, ['orders:read']],
    [
      'in several claims',
      { scp: 'a:b', permissions: ['c:d', 'a:b'], realm_access: { roles: 'e:f' } },
      ['a:b', 'c:d', 'e:f'],
    ],
    ['as nothing', {}, []],
    ['as an empty text or list', { scp: '', permissions: [] }, []],
    ['where the way to them ends early', { realm_access: {} }, []],
    ['where the way leads through text', { realm_access: 'roles' }, []],
    ['where the way leads through a list', { realm_access: [{ roles: ['orders:read'] }] }, []],
    ['in a claim that is not configured', { scope: 'orders:read', roles: ['orders:read'] }, []],
    ['in a claim whose name is written as a way', { 'realm_access.roles': ['orders:read'] }, []],
  ])('%s are read', async (_, claims, expected) => {
    expect(await scopesOf(roles, claims)).toEqual(expected)
  })

  test('are not split where a list holds names with spaces, quotes or nothing in them', async () => {
    const names = [
      'orders:read',
      'Sales Manager',
      'orders:write admin',
      '',
      ' ',
      'a"b',
      'a\\b',
      'caf\u00e9',
      'a\tb',
    ]
    expect(await scopesOf(roles, { permissions: names })).toEqual(['orders:read'])
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['a boolean', true],
    ['an object', { 'orders:read': true }],
    ['a list with a number', ['orders:read', 5]],
    ['a list with null', ['orders:read', null]],
    ['a list of lists', [['orders:read']]],
    ['text with two spaces', 'orders:read  orders:write'],
    ['text that starts with a space', ' orders:read'],
    ['text that ends with a line', 'orders:read\n'],
    ['text separated by commas and quotes', '"orders:read","orders:write"'],
  ])('are never made of %s', async (_, value) => {
    for (const claims of [{ scp: value }, { permissions: value }, { realm_access: { roles: value } }]) {
      expect(await codeFor(roles.guard, roles.token(claims))).toBe('claim_malformed')
    }
  })

  test('are a list on a way whose names only spell `scope` together', async () => {
    const way = houseOf({ scopeClaims: [['s', 'cope']] })
    expect(await scopesOf(way, { s: { cope: ['orders:read'] } })).toEqual(['orders:read'])
  })

  test('are no list in `scope`, which RFC 8693 says is text', async () => {
    const plain = houseOf({})
    expect(await codeFor(plain.guard, plain.token({ scope: ['orders:read'] }))).toBe('claim_malformed')
    const named = houseOf({ scopeClaims: ['scope', 'scp'] })
    expect(await codeFor(named.guard, named.token({ scope: ['orders:read'] }))).toBe('claim_malformed')
  })

  test('are not found on what every object has', async () => {
    const odd = houseOf({ scopeClaims: [['constructor', 'name'], ['__proto__', 'x'], 'toString'] })
    expect(await scopesOf(odd, {})).toEqual([])
    const own = JSON.stringify(odd.claims()).replace('{', '{"__proto__":{"x":"orders:read"},')
    expect([...(await callerFor(odd.guard, odd.jws(odd.header, own))).scopes]).toEqual(['orders:read'])
  })

  test('are not found in lists, in text or in nothing, whose members are no claims', async () => {
    const odd = houseOf({
      scopeClaims: [
        ['roles', '0'],
        ['roles', 'length'],
        ['roles', 'x', 'y'],
      ],
    })
    for (const value of [['orders:read'], 'orders:read', null, 5, { x: null }]) {
      expect(await scopesOf(odd, { roles: value })).toEqual([])
    }
  })

  // More than a signed token has room for, but not more than an introspection endpoint could answer.
  test('are bounded in number', () => {
    const many = (count: number) => ({ scp: Array.from({ length: count }, (_, i) => `a:${i}`) })
    expect(readScopes(many(4096), [['scp']])).toHaveProperty('names.length', 4096)
    expect(readScopes(many(4097), [['scp']])).toMatchObject({ code: 'claim_malformed' })
  })
})

describe('scopes of users and of workloads', () => {
  const split = houseOf({ scopeClaims: { user: ['scp'], workload: ['roles'] } })
  const both = { scp: 'user:scope', roles: ['workload:role'] }

  test('are read from claims of their own', async () => {
    expect(await scopesOf(split, { ...both, sub: 'alice' })).toEqual(['user:scope'])
    expect(await scopesOf(split, { ...both, sub: 'checkout' })).toEqual(['workload:role'])
  })

  test('are those of the subject where somebody acts for it', async () => {
    expect(await scopesOf(split, { ...both, sub: 'alice', act: { sub: 'checkout' } })).toEqual(['user:scope'])
  })

  test('do not depend on what the other claim holds', async () => {
    expect(await codeFor(split.guard, split.token({ scp: 5, roles: ['a:b'] }))).toBe('allow')
    expect(await codeFor(split.guard, split.token({ scp: 'a:b', roles: 5 }))).toBe('claim_malformed')
  })
})

describe('what an issuer may grant', () => {
  const limited = houseOf({ mayGrant: ['orders:*', 'reports:read', 'profile'] })

  test('is all that its tokens ever give', async () => {
    const scope = 'orders:read orders:write reports:read reports:write admin:all profile orders orders:a:b'
    expect(await scopesOf(limited, { scope })).toEqual([
      'orders:read',
      'orders:write',
      'reports:read',
      'profile',
    ])
    const { guard, token } = limited
    expect(await codeFor(guard, token({ scope: 'admin:all' }), scopes('admin:all'))).toBe('scope_missing')
  })

  test('makes no wildcard of what a token says', async () => {
    const { guard, token } = limited
    expect(await codeFor(guard, token({ scope: 'orders:*' }), scopes('orders:read'))).toBe('scope_missing')
  })

  test('may be nothing', async () => {
    expect(await scopesOf(houseOf({ mayGrant: [] }), { scope: 'orders:read' })).toEqual([])
  })

  test('and what policy grants both have to allow', async () => {
    const house = houseOf(
      { mayGrant: ['orders:*'] },
      { [`${issuer}#client=checkout`]: ['orders:read', 'admin:*'] },
    )
    expect(await scopesOf(house, { scope: 'orders:read orders:write admin:all' })).toEqual(['orders:read'])
  })

  test('holds for tokens that carry no scopes too: policy gives their callers no more', async () => {
    const granted = ['orders:*', 'reports:*', 'admin:all', 'profile']
    const house = houseOf(
      { profile: 'id-token', mayGrant: ['orders:*', 'reports:read', 'billing:read'] },
      { [`${issuer}#sub=checkout`]: granted },
    )
    const caller = await callerFor(house.guard, house.token({ client_id: undefined }, { typ: 'JWT' }))
    expect([...caller.scopes].toSorted()).toEqual(['orders:*', 'reports:read'])
    expect(['orders:write', 'reports:read'].every((scope) => caller.scopes.has(scope))).toBe(true)
    expect(['reports:write', 'admin:all', 'billing:read'].some((scope) => caller.scopes.has(scope))).toBe(
      false,
    )
  })

  test('gives nothing by itself to a token that carries no scopes', async () => {
    const house = houseOf({ profile: 'id-token', mayGrant: ['orders:*'] })
    const caller = await callerFor(house.guard, house.token({ client_id: undefined }, { typ: 'JWT' }))
    expect([...caller.scopes]).toEqual([])
    expect(caller.scopes.has('orders:read')).toBe(false)
  })

  test('is said of each issuer by itself', async () => {
    const other = createHouse({ issuer: 'https://other.test' })
    const house = createHouse({
      clock: other.clock,
      issuerOptions: { mayGrant: ['orders:*'] },
      others: [{ issuer: 'https://other.test', jwks: { keys: [other.signer.jwk] } }],
    })
    const theirs = other.jws({ alg: 'ES256', typ: 'at+jwt' }, other.claims({ scope: 'admin:all' }))
    expect([...(await callerFor(house.guard, theirs)).scopes]).toEqual(['admin:all'])
    expect(await scopesOf(house, { scope: 'admin:all' })).toEqual([])
  })
})

describe('a token that only says who its bearer is', () => {
  const sub = '1122'
  const id = `${issuer}#sub=${sub}`
  const claims = { sub, client_id: undefined, scope: 'admin:all', scp: ['admin:all'], roles: ['admin:all'] }
  const scopesBy = async (grants?: Record<string, readonly string[]>) => {
    const { guard, token } = houseOf({ profile: 'id-token' }, grants)
    return [...(await callerFor(guard, token(claims, { typ: 'JWT' }))).scopes]
  }

  test('gives no scopes, whatever it says', async () => {
    expect(await scopesBy()).toEqual([])
    expect(await scopesBy({})).toEqual([])
    expect(await scopesBy({ [`${issuer}#sub=1123`]: ['orders:read'] })).toEqual([])
  })

  test('has what policy grants its bearer, and no more', async () => {
    expect(await scopesBy({ [id]: ['orders:read', 'orders:write'] })).toEqual(['orders:read', 'orders:write'])
  })
})
