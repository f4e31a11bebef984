import {
  allOf,
  callerIs,
  ConfigurationError,
  createGuard,
  scopes,
  type FetchDocument,
  type GuardOptions,
} from '@countersign/core'
import { createTestCa, createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { codeFor, codeOf, connectionOf, requestWith } from '../core/support/asking.ts'
import { createHouse, issuer } from '../core/support/house.ts'

const { guard, token, jws, header, claims, signer, clock, freshGuard } = createHouse()

test.each([
  ['the genuine issuer last', ['https://attacker.test', issuer]],
  ['the genuine issuer first', [issuer, 'https://attacker.test']],
  ['the genuine issuer alone', [issuer]],
  ['an object that prints as the issuer', { toString: issuer }],
])('T14 `iss` with %s in a list is refused', async (_, iss) => {
  expect(await codeFor(guard, token({ iss }))).toBe('claim_malformed')
})

test('T15 claims that are an array are refused', async () => {
  expect(await codeFor(guard, jws(header, [claims()]))).toBe('token_malformed')
  expect(await codeFor(guard, jws(header, []))).toBe('token_malformed')
  expect(await codeFor(guard, jws(header, '[["iss","https://issuer.test"]]'))).toBe('token_malformed')
})

test.each(['exp', 'aud', 'iss', 'sub', 'iat', 'jti', 'client_id'])(
  'T16 a token without `%s` is refused: an absent claim skips no check',
  async (name) => {
    expect(await codeFor(guard, token({ [name]: undefined }))).toBe('claim_missing')
  },
)

test('T16 a token with nothing at all is refused, and a guard without an audience is no guard', async () => {
  expect(await codeFor(guard, jws(header, {}))).toBe('claim_missing')
  expect(() => createGuard({ issuers: [issuer] } as unknown as GuardOptions)).toThrow(/audience/)
})

test.each(['', [], [''], null, false, 0, undefined])(
  'T17 the expected audience %j is refused at the start',
  (audience) => {
    expect(() => createGuard({ issuers: [issuer], audience } as unknown as GuardOptions)).toThrow(/audience/)
  },
)

test.each(['', null, false, 0])('T17 the expected issuer %j is refused at the start', (one) => {
  expect(() => createGuard({ issuers: [one], audience: 'orders' } as unknown as GuardOptions)).toThrow(
    /issuers\[0\]/,
  )
})

test('T17 a token with an empty audience or issuer meets no expectation', async () => {
  expect(await codeFor(guard, token({ aud: '' }))).toBe('claim_malformed')
  expect(await codeFor(guard, token({ aud: [] }))).toBe('claim_malformed')
  expect(await codeFor(guard, token({ iss: '' }))).toBe('issuer_unknown')
})

test.each(['exp', 'nbf', 'iat'])(
  'T18 `%s` is a finite number of seconds or the token is refused',
  async (name) => {
    const text = JSON.stringify(claims({ [name]: 'HERE' }))
    for (const value of ['"4102444800"', '1e400', '-1e400', 'true', '[4102444800]', '{}', '""', 'null']) {
      expect(await codeFor(guard, jws(header, text.replace('"HERE"', value))), value).toBe('claim_malformed')
    }
  },
)

test('T18 `exp` of 0 has passed, and `nbf` of 0 or a fraction means what it says', async () => {
  expect(await codeFor(guard, token({ exp: 0 }))).toBe('token_expired')
  expect(await codeFor(guard, token({ exp: -0.5 }))).toBe('token_expired')
  expect(await codeFor(guard, token({ nbf: 0 }))).toBe('allow')
  expect(await codeFor(freshGuard(), token({ nbf: clock.now() / 1000 + 30.001 }))).toBe('token_not_yet_valid')
})

test.each<[string, object]>([
  ['the audience', { audience: /orders/ }],
  ['one of several audiences', { audience: ['orders', /bill/] }],
  ['an issuer', { issuers: [/https:/] }],
  ['the name of an issuer', { issuers: [{ issuer: /https:/ }] }],
  ['a subject', { issuers: [{ issuer, subjects: [/check/] }] }],
  ['the value of a claim', { issuers: [{ issuer, requiredClaims: [{ claim: 'tid', value: /t/ }] }] }],
  ['a scope that may be granted', { issuers: [{ issuer, mayGrant: [/orders:/] }] }],
  ['a granted scope', { grants: { 'spiffe://prod.example/x': [/orders:/] } }],
])('T19 no regular expression is taken for %s', (_, options) => {
  expect(() =>
    createGuard({ audience: 'orders', issuers: [issuer], ...options } as unknown as GuardOptions),
  ).toThrow(ConfigurationError)
})

test('T19 nor for a caller or a scope, and text that looks like one is text', async () => {
  const loosely = { callerIs, scopes } as unknown as Record<'callerIs' | 'scopes', (value: unknown) => never>
  expect(() => loosely.callerIs(/check/)).toThrow(ConfigurationError)
  expect(() => loosely.scopes(/orders/)).toThrow(ConfigurationError)
  const { guard: strict, token: make } = createHouse({
    issuerOptions: { subjects: ['.*', 'check'], requiredClaims: [{ claim: 'tid', value: '^t' }] },
  })
  expect(await codeFor(strict, make({ tid: '^t' }))).toBe('subject_not_permitted')
  expect(await codeFor(strict, make({ sub: 'check', tid: 't1' }))).toBe('claim_mismatch')
  expect(await codeFor(strict, make({ sub: 'check', tid: '^t' }))).toBe('allow')
})

test('T20 no issuer, audience or key is learned from a token, however often it comes', async () => {
  const asked: string[] = []
  const fetch: FetchDocument = async (url) => {
    asked.push(url.href)
    throw new Error('expected no request')
  }
  const other = createGuard(
    { audience: 'orders', issuers: ['https://genuine.test'], log: false },
    { clock, fetch },
  )
  for (let i = 0; i < 3; i += 1) {
    expect(await codeFor(other, token())).toBe('issuer_unknown')
    expect(await codeFor(guard, token({ aud: 'billing' }))).toBe('audience_mismatch')
  }
  expect(asked).toEqual([])
  expect(() => createGuard({})).toThrow(/no credential is accepted/)
})

test.each([
  'spiffe://other.example/ns/shop/sa/checkout',
  'spiffe://prod.example.evil/ns/shop/sa/checkout',
  'spiffe://evil-prod.example/ns/shop/sa/checkout',
  'spiffe://PROD.EXAMPLE/ns/shop/sa/checkout',
  'spiffe://prod.example/ns/shop/sa/../sa/checkout',
  'spiffe://prod.example/ns/shop/./sa/checkout',
  'spiffe://prod.example/ns%2Fshop/sa/checkout',
  'spiffe://prod.example/ns/shop/sa/checkout/',
  'spiffe://prod.example//ns/shop/sa/checkout',
  'spiffe://prod%2Eexample/checkout',
  'spiffe://prod.example',
  'spiffe://prod.example/',
  'SPIFFE://prod.example/checkout',
  'prod.example/checkout',
])('T21 an issuer cannot assert %s', async (spiffeId) => {
  const { guard: strict, token: make } = createHouse({
    issuerOptions: { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
  })
  expect(await codeFor(strict, make({ spiffe_id: spiffeId }))).toBe('workload_not_assertable')
})

test('T21 a pattern ends at a segment, and names its issuer', async () => {
  const { guard: strict, token: make } = createHouse({
    issuerOptions: { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
  })
  const orders = make({ spiffe_id: 'spiffe://prod.example/ns/prod/sa/orders' })
  expect(await codeFor(strict, orders, callerIs('spiffe://prod.example/ns/prod/sa/order'))).toBe(
    'caller_not_allowed',
  )
  expect(await codeFor(strict, orders, callerIs('spiffe://prod.example/ns/prod/*'))).toBe(
    'caller_not_allowed',
  )
  expect(await codeFor(strict, orders, callerIs('spiffe://prod.example/ns/prod/sa/*'))).toBe('allow')
  expect(await codeFor(strict, make(), callerIs('https://issuer.test.evil#client=checkout'))).toBe(
    'caller_not_allowed',
  )
})

test.each([
  ['an ID token', 'JWT'],
  ['a token without a type', undefined],
  ['a refresh token', 'rt+jwt'],
  ['a DPoP proof', 'dpop+jwt'],
  ['a security event', 'secevent+jwt'],
  ['a logout token', 'logout+jwt'],
  ['a client assertion', 'client-authentication+jwt'],
  ['an introspection answer', 'token-introspection+jwt'],
  ['a workload identity token', 'wit+jwt'],
  ['a workload proof', 'wpt+jwt'],
  ['a transaction token', 'txntoken+jwt'],
  ['a JOSE object', 'JOSE'],
  ['a type that is a look-alike', 'at+jwt\u0000'],
])('T22 %s is no access token', async (_, typ) => {
  expect(await codeFor(guard, jws({ ...header, typ }, claims()))).toBe('token_type_mismatch')
})

test('T23 who calls by certificate and who is named by the token are never mixed up', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const idp = await createTestIssuer({ clock, workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] })
  const both = createGuard(
    {
      audience: 'orders',
      issuers: [idp],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      log: false,
    },
    { clock },
  )
  const checkout = await ca.svid('/checkout')
  const required = allOf(callerIs(checkout.spiffeId), scopes('orders:read'))
  const ask = async (token_: string, svid = checkout) => {
    const request = requestWith(`Bearer ${token_}`, connectionOf(svid))
    return codeOf(await both.decide(request, required))
  }
  const options = { scopes: ['orders:read'] }
  const own = { ...options, claims: { spiffe_id: checkout.spiffeId } }
  expect(await ask(await idp.token('checkout', own))).toBe('allow')
  // The certificate of the right service with the token of another, and the other way round.
  const reports = { ...options, claims: { spiffe_id: 'spiffe://prod.example/reports' } }
  expect(await ask(await idp.token('reports', reports))).toBe('identity_mismatch')
  expect(await ask(await idp.token('checkout', own), await ca.svid('/reports'))).toBe('identity_mismatch')
  expect(await ask(await idp.token('reports', options))).toBe('identity_mismatch')
  // The right user in the hands of another service is that service's call.
  const alice = await idp.token('reports', { ...options, user: checkout.spiffeId })
  expect(await ask(alice, await ca.svid('/reports'))).toBe('caller_not_allowed')
})

test('T23 one name of two issuers is two callers', async () => {
  const other = createHouse({ issuer: 'https://other-issuer.test', clock })
  const keys = (jwk: object) => ({ keys: [{ ...jwk, kid: 'key-1' }] })
  const two = createGuard(
    {
      audience: 'orders',
      issuers: [
        { issuer, jwks: keys(signer.jwk) },
        { issuer: 'https://other-issuer.test', jwks: keys(other.signer.jwk) },
      ],
      log: false,
    },
    { clock },
  )
  const checkout = callerIs(`${issuer}#client=checkout`)
  expect(await codeFor(two, token(), checkout)).toBe('allow')
  expect(await codeFor(two, other.token(), checkout)).toBe('caller_not_allowed')
})
