// What can be written about an issuer and cannot be meant: each mistake is an error at start-up that names the option.
import { ConfigurationError, createGuard, scopes, type Algorithm, type GuardOptions } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { createRawSigner } from './support/raw-signer.ts'

const { signer } = createHouse()
const ca = await createTestCa()
const svidKey = { kid: 'key-1', ...signer.jwk, use: 'jwt-svid' }
const usual = { issuer, jwks: { keys: [signer.jwk] } }

type Members = Readonly<Record<string, unknown>>

const make = (changes: Members, more: Members = {}) =>
  createGuard({
    audience: 'orders',
    issuers: [{ ...usual, ...changes }],
    log: false,
    ...more,
  } as unknown as GuardOptions)

function mistakeIn(changes: Members, more?: Members): unknown {
  try {
    return make(changes, more).close()
  } catch (error) {
    return error
  }
}

/** What is wrong, what was written, and what the message says. The option is the one that was written. */
type Mistake = readonly [string, unknown, RegExp]

const mistakes: Readonly<Record<string, readonly Mistake[]>> = {
  profile: [
    ['another name', 'jwt', /'at\+jwt', 'oauth', 'id-token', 'kubernetes', 'jwt-svid'/],
    ['another case', 'AT+JWT', /'at\+jwt'/],
    ['null', null, /'at\+jwt'/],
    ['a list', ['oauth', 'at+jwt'], /'at\+jwt'/],
    ['what every object has', 'toString', /'at\+jwt'/],
    ['an empty text', '', /'at\+jwt'/],
  ],
  algorithms: [
    ['null', null, /some of RS256/],
    ['empty', [], /some of RS256/],
    ['with an empty one', ['ES256', ''], /array of strings/],
    ['with one that is unknown', ['ES256', 'ES256K'], /some of RS256/],
    ['with one in another case', ['es256'], /some of RS256/],
    ['with none', ['ES256', 'none'], /not to be had/],
    ['symmetric', ['HS256'], /`secret`/],
    ['with one for encryption', ['RSA-OAEP'], /some of RS256/],
    ['with what every object has', ['constructor'], /some of RS256/],
  ],
  maxLifetimeSeconds: [
    ['nothing', 0, /from 1/],
    ['less than nothing', -1, /from 1/],
    ['endless', Infinity, /from 1/],
    ['no number', Number.NaN, /from 1/],
    ['more than ten years', 315_360_001, /from 1/],
    ['a text', '3600', /got a string/],
    ['null', null, /got null/],
  ],
  represents: [
    ['another word', 'service', /'auto', 'workload' or 'user'/],
    ['a list', ['user'], /'auto'/],
    ['null', null, /'auto'/],
    ['an object', { user: true }, /'auto'/],
  ],
  subjects: [
    ['empty', [], /at least one subject/],
    ['with an empty one', ['a', ''], /array of strings/],
    ['a text', 'checkout', /array of strings/],
    ['an expression', [/checkout/], /array of strings/],
    ['null', null, /array of strings/],
    ['granted, where nothing is', 'granted', /name who may call/],
  ],
  mayGrant: [
    ['a text', 'orders:read', /array of strings/],
    ['null', null, /array of strings/],
    ['an expression', [/orders/], /array of strings/],
  ],
  requiredClaims: [
    ['an object', { tid: 'x' }, /an array such as/],
    ['null', null, /an array such as/],
    ['a text', 'tid', /an array such as/],
  ],
  isAccessToken: [
    ['a claim', 'client_id', /expected a function/],
    ['a switch', true, /expected a function/],
    ['for a profile that tells by itself', () => true, /profile 'oauth'/],
  ],
  scopeClaims: [
    ['a text', 'scp', /expected an object/],
    ['null', null, /got null/],
    ['a number', 5, /expected an object/],
  ],
}

describe.each(Object.entries(mistakes))('`%s` that is', (name, list) => {
  test.each(list)('%s', (_, value, message) => {
    const mistake = mistakeIn({ [name]: value })
    expect(mistake).toBeInstanceOf(ConfigurationError)
    expect(mistake).toMatchObject({ option: `issuers[0].${name}`, message: expect.stringMatching(message) })
  })
})

describe('deeper down, the very place is named:', () => {
  test.each<[Members, string]>([
    [{ mayGrant: ['orders:read', 'a b'] }, 'mayGrant[1]'],
    [{ mayGrant: ['*'] }, 'mayGrant[0]'],
    [{ mayGrant: ['*:read'] }, 'mayGrant[0]'],
    [{ mayGrant: ['orders:re*'] }, 'mayGrant[0]'],
    [{ scopeClaims: ['scope', ''] }, 'scopeClaims[1]'],
    [{ scopeClaims: [[]] }, 'scopeClaims[0]'],
    [{ scopeClaims: [['realm_access', '']] }, 'scopeClaims[0]'],
    [{ scopeClaims: [['realm_access', 0]] }, 'scopeClaims[0]'],
    [{ scopeClaims: [null] }, 'scopeClaims[0]'],
    [{ scopeClaims: { user: ['scp'] } }, 'scopeClaims.workload'],
    [{ scopeClaims: { workload: ['scp'] } }, 'scopeClaims.user'],
    [{ scopeClaims: { user: ['scp'], workload: 'roles' } }, 'scopeClaims.workload'],
    [{ scopeClaims: { user: ['scp'], workload: [5] } }, 'scopeClaims.workload[0]'],
    [{ scopeClaims: { user: ['scp'], workload: [], users: [] } }, 'scopeClaims.users'],
    [{ requiredClaims: [null] }, 'requiredClaims[0]'],
    [{ requiredClaims: ['tid'] }, 'requiredClaims[0]'],
    [{ requiredClaims: [{ claim: 'tid', values: ['x'] }] }, 'requiredClaims[0].values'],
    [
      {
        requiredClaims: [
          { claim: 'tid', value: 'x' },
          { claim: '', value: 'x' },
        ],
      },
      'requiredClaims[1].claim',
    ],
    [{ requiredClaims: [{ value: 'x' }] }, 'requiredClaims[0].claim'],
    [{ requiredClaims: [{ claim: 'tid' }] }, 'requiredClaims[0].value'],
    [{ requiredClaims: [{ claim: 'tid', value: [] }] }, 'requiredClaims[0].value'],
    [{ requiredClaims: [{ claim: 'tid', value: null }] }, 'requiredClaims[0].value'],
    [{ requiredClaims: [{ claim: 'tid', value: [undefined] }] }, 'requiredClaims[0].value'],
    [{ requiredClaims: [{ claim: 'tid', value: /x/ }] }, 'requiredClaims[0].value'],
    [{ requiredClaims: [{ claim: 'tid', value: ['x', { y: 1 }] }] }, 'requiredClaims[0].value'],
    [{ workloadClaim: 'sub', trustDomains: [] }, 'trustDomains'],
    [{ workloadClaim: 'sub', trustDomains: ['Prod.example'] }, 'trustDomains'],
    [{ workloadClaim: '', trustDomains: ['prod.example'] }, 'workloadClaim'],
    [{ workloadClaim: ['a'], trustDomains: ['prod.example'] }, 'workloadClaim'],
    [{ secret: 'x'.repeat(31), jwks: undefined, algorithms: ['HS256'] }, 'secret'],
    [{ secret: 5, jwks: undefined, algorithms: ['HS256'] }, 'secret'],
  ])('%j', (changes, option) => {
    expect(mistakeIn(changes)).toMatchObject({
      code: 'configuration_invalid',
      option: `issuers[0].${option}`,
    })
  })
})

describe('a profile that', () => {
  test.each(['id-token', 'kubernetes', 'jwt-svid'])(
    'carries no scopes has no claims of them: %s',
    (profile) => {
      const name = profile === 'jwt-svid' ? 'spiffe://prod.example' : issuer
      expect(mistakeIn({ profile, issuer: name, scopeClaims: ['scope'] })).toMatchObject({
        option: 'issuers[0].scopeClaims',
        message: expect.stringContaining('grants'),
      })
    },
  )

  test.each(['id-token', 'kubernetes'])(
    'is for workloads needs to be told apart beside certificates: %s',
    (profile) => {
      const certificates = { trustDomains: { 'test.example': ca.bundle } }
      expect(mistakeIn({ profile }, { certificates })).toMatchObject({ option: 'issuers[0].workloadClaim' })
      expect(mistakeIn({ profile, issuer: 'spiffe://test.example' })).toMatchObject({
        option: 'issuers[0].issuer',
      })
    },
  )

  test('is named by its place among the issuers, whatever kinds stand before it', () => {
    const certificates = { trustDomains: { 'test.example': ca.bundle } }
    const ofWorkloads = { issuer: 'spiffe://prod.example', profile: 'jwt-svid', jwks: { keys: [svidKey] } }
    expect(
      mistakeIn({}, { certificates, issuers: [ofWorkloads, { ...usual, profile: 'id-token' }] }),
    ).toMatchObject({ option: 'issuers[1].workloadClaim' })
  })
})

test('what is meant is taken', () => {
  const taken: readonly Members[] = [
    { profile: 'oauth', isAccessToken: () => true, scopeClaims: ['scp', ['realm_access', 'roles']] },
    { scopeClaims: { user: ['scp'], workload: ['roles'] }, mayGrant: ['orders:*', 'profile'] },
    {
      requiredClaims: [{ claim: ['a', 'b'], value: [1, true, 'x'] }],
      subjects: ['a'],
      maxLifetimeSeconds: 315_360_000,
    },
    { represents: () => 'user', workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
    { secret: 'x'.repeat(64), jwks: undefined, algorithms: ['HS256', 'HS384', 'HS512'] },
  ]
  for (const changes of taken) expect(mistakeIn(changes)).toBeUndefined()
})

test('what is changed in the options afterwards changes nothing', async () => {
  const audience: [string, ...string[]] = ['orders']
  const value: [string, ...string[]] = ['x']
  const path: [string, ...string[]] = ['org']
  const subjects: [string, ...string[]] = ['checkout']
  const algorithms: ['ES256', ...Algorithm[]] = ['ES256']
  const rules = { requiredClaims: [{ claim: path, value }], subjects, algorithms, mayGrant: ['orders:read'] }
  const { guard, token, claims } = createHouse({ audience, issuerOptions: rules })
  const rsa = createRawSigner('RS256').jws({ alg: 'RS256', typ: 'at+jwt' }, claims())
  for (const list of [audience, value, path, subjects]) list.push('y')
  rules.mayGrant.push('admin:*')
  algorithms.push('RS256')
  expect(await codeFor(guard, token({ org: 'x' }))).toBe('allow')
  expect(await codeFor(guard, token({ org: 'x', aud: 'y' }))).toBe('audience_mismatch')
  expect(await codeFor(guard, token({ org: 'y' }))).toBe('claim_mismatch')
  expect(await codeFor(guard, token({ org: 'x', sub: 'y' }))).toBe('subject_not_permitted')
  expect(await codeFor(guard, token({ org: 'x', scope: 'admin:all' }), scopes('admin:all'))).toBe(
    'scope_missing',
  )
  expect(await codeFor(guard, rsa)).toBe('algorithm_not_allowed')
})
