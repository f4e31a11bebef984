import { authenticated, callerOptional, createGuard, scopes, unprotected } from '@countersign/core'
import { createTestIssuer } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { presentedScheme } from '../../packages/core/src/evidence/authorization.ts'
import { codeOf, requestWith } from './support/asking.ts'

const idp = await createTestIssuer()
const guard = createGuard({ audience: 'orders', issuers: [idp], log: false })
const token = await idp.token('checkout')
const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const bound = await idp.token('checkout', { claims: { cnf: { jkt } } })

const bare = 'Bearer realm="countersign"'
const invalidRequest =
  'Bearer realm="countersign", error="invalid_request", error_description="the credential is malformed or presented more than once"'
const invalidToken =
  'Bearer realm="countersign", error="invalid_token", error_description="the access token was not accepted"'

describe('an Authorization field', () => {
  test.each([
    ['is absent', undefined, 'credential_missing', 401, bare],
    ['is empty', '', 'authorization_malformed', 400, invalidRequest],
    ['is one space', ' ', 'authorization_malformed', 400, invalidRequest],
    ['is a scheme without a token', 'Bearer', 'authorization_malformed', 400, invalidRequest],
    ['is a lower-case scheme without a token', 'bearer', 'authorization_malformed', 400, invalidRequest],
    ['ends after the space', 'Bearer ', 'authorization_malformed', 400, invalidRequest],
    ['has spaces for a token', 'Bearer    ', 'authorization_malformed', 400, invalidRequest],
    ['starts with a space', ` Bearer ${token}`, 'authorization_malformed', 400, invalidRequest],
    ['is Basic', 'Basic dXNlcjpwYXNz', 'authorization_scheme_unsupported', 401, bare],
    ['is DPoP with a token that is not bound', `DPoP ${token}`, 'token_not_bound', 401, invalidToken],
    ['is DPoP where no proofs are accepted', `DPoP ${bound}`, 'confirmation_unsupported', 401, invalidToken],
    ['is DPoP without a token', 'DPoP', 'authorization_malformed', 400, invalidRequest],
    ['is Negotiate', 'Negotiate YII=', 'authorization_scheme_unsupported', 401, bare],
    ['has any word for a scheme', `Token ${token}`, 'authorization_scheme_unsupported', 401, bare],
    ['has a scheme that only ends right', `xBearer ${token}`, 'authorization_scheme_unsupported', 401, bare],
    ['has a scheme behind another', 'Basic Bearer ', 'authorization_scheme_unsupported', 401, bare],
    [
      'has a scheme that only begins right',
      `Bearer2 ${token}`,
      'authorization_scheme_unsupported',
      401,
      bare,
    ],
    ['has a colon behind the scheme', `Bearer: ${token}`, 'authorization_scheme_unsupported', 401, bare],
    ['has a tab behind the scheme', `Bearer\t${token}`, 'authorization_scheme_unsupported', 401, bare],
    ['is a token alone', token, 'authorization_scheme_unsupported', 401, bare],
    ['has one character too many', `Bearer ${'a'.repeat(8193)}`, 'token_oversized', 400, invalidRequest],
    ['has a huge token', `bearer  ${'a.'.repeat(100_000)}`, 'token_oversized', 400, invalidRequest],
    ['has the longest token', `Bearer ${'a'.repeat(8192)}`, 'token_malformed', 401, invalidToken],
    ['has a NUL behind the token', `Bearer ${token}\0`, 'token_malformed', 401, invalidToken],
    ['has a control character in the token', `Bearer a\u0001.b.c`, 'token_malformed', 401, invalidToken],
    ['has a line break behind the token', `Bearer ${token}\r\n`, 'token_malformed', 401, invalidToken],
    ['has a space behind the token', `Bearer ${token} `, 'token_malformed', 401, invalidToken],
    ['has a parameter behind the token', `Bearer ${token}, realm="x"`, 'token_malformed', 401, invalidToken],
    [
      'joins two credentials by comma',
      `Bearer ${token}, Bearer ${token}`,
      'token_malformed',
      401,
      invalidToken,
    ],
    [
      'joins two schemes by comma',
      `Basic eDp5, Bearer ${token}`,
      'authorization_scheme_unsupported',
      401,
      bare,
    ],
    ['has quotes around the token', `Bearer "${token}"`, 'token_malformed', 401, invalidToken],
  ])('that %s is refused', async (_, value, code, status, challenge) => {
    const decision = await guard.decide(requestWith(value), authenticated())
    expect(decision).toMatchObject({
      outcome: 'deny',
      refusal: { code },
      response: { status, headers: { 'www-authenticate': challenge, 'cache-control': 'no-store' } },
    })
  })

  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('may spell its scheme %s', async (scheme) => {
    expect(codeOf(await guard.decide(requestWith(`${scheme} ${token}`), authenticated()))).toBe('allow')
  })

  test('may have several spaces behind its scheme', async () => {
    expect(codeOf(await guard.decide(requestWith(`Bearer   ${token}`), authenticated()))).toBe('allow')
  })
})

test.each([
  ['Bearer a', 'bearer'],
  ['bearer', 'bearer'],
  ['BEARER  a', 'bearer'],
  ['DPoP a', 'dpop'],
  ['dpop', 'dpop'],
  ['xBearer a', undefined],
  [' Bearer a', undefined],
  ['Bearer: a', undefined],
  ['DPoPe a', undefined],
  ['Basic DPoP a', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is presented in the scheme %j', (value, scheme) => {
  expect(presentedScheme(requestWith(value))).toBe(scheme)
})

describe('two Authorization fields', () => {
  test.each([
    ['of the same token', `Bearer ${token}`, 'Authorization'],
    ['of two tokens', 'Bearer other', 'Authorization'],
    ['of two schemes', 'Basic eDp5', 'Authorization'],
    ['of which the second is empty', '', 'Authorization'],
    ['spelled differently', `Bearer ${token}`, 'aUTHORIZATION'],
  ])('%s are refused, though Node shows only the first', async (_, second, name) => {
    const first = `Bearer ${token}`
    const request = {
      ...requestWith(first),
      rawHeaders: ['Authorization', first, 'Host', 'orders', name, second],
    }
    expect(await guard.decide(request, authenticated())).toMatchObject({
      refusal: { code: 'credential_duplicated' },
      response: { status: 400, headers: { 'www-authenticate': invalidRequest } },
    })
  })

  test('are refused on a connection that has shown the first one before', async () => {
    const socket = {}
    const first = requestWith(`Bearer ${token}`, socket)
    expect(codeOf(await guard.decide(first, authenticated()))).toBe('allow')
    const rawHeaders = [...first.rawHeaders, 'authorization', 'Bearer other']
    expect(codeOf(await guard.decide({ ...first, rawHeaders }, authenticated()))).toBe(
      'credential_duplicated',
    )
  })

  test('are told from a header value that spells the name', async () => {
    const request = requestWith(`Bearer ${token}`)
    const rawHeaders = [...request.rawHeaders, 'X-Note', 'authorization']
    expect(codeOf(await guard.decide({ ...request, rawHeaders }, authenticated()))).toBe('allow')
  })
})

describe('a route that may have no caller', () => {
  const optional = callerOptional('public prices, private discounts')

  test('answers who presents nothing, without a caller', async () => {
    expect(await guard.decide(requestWith(), optional)).toMatchObject({ outcome: 'allow', caller: undefined })
  })

  test.each([
    ['an empty field', '', 'authorization_malformed'],
    ['another scheme', 'Basic eDp5', 'authorization_scheme_unsupported'],
    ['garbage', 'Bearer garbage', 'token_malformed'],
  ])('refuses %s instead of taking its sender for nobody', async (_, value, code) => {
    expect(codeOf(await guard.decide(requestWith(value), optional))).toBe(code)
  })

  test('refuses an expired token instead of taking its sender for nobody', async () => {
    const expired = await idp.broken('expired', 'checkout')
    expect(codeOf(await guard.decide(requestWith(`Bearer ${expired}`), optional))).toBe('token_expired')
  })
})

test('an unprotected route reads no credential and has no caller', async () => {
  const open = unprotected('liveness probe, returns no data')
  for (const value of [undefined, '', 'Bearer garbage', `Bearer ${token}`]) {
    expect(await guard.decide(requestWith(value), open)).toMatchObject({
      outcome: 'allow',
      caller: undefined,
    })
  }
})

test('a challenge names the scopes of the route where the credential is missing or not accepted', async () => {
  const needed = scopes('orders:read', 'orders:write')
  const header = async (value?: string) => {
    const decision = await guard.decide(requestWith(value), needed)
    return decision.outcome === 'deny' ? decision.response.headers['www-authenticate'] : undefined
  }
  expect(await header()).toBe(`${bare}, scope="orders:read orders:write"`)
  expect(await header('Bearer a.b.c')).toBe(`${invalidToken}, scope="orders:read orders:write"`)
  expect(await header('')).toBe(invalidRequest)
  expect(await header(`Bearer ${token}`)).toBe(
    'Bearer realm="countersign", error="insufficient_scope", error_description="the caller lacks a required scope", scope="orders:read orders:write"',
  )
})

test('no header value makes a decision throw, reject or allow', async () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }).map((text) => `Bearer ${text}`),
    fc.array(fc.string(), { minLength: 3, maxLength: 3 }).map((parts) => `Bearer ${parts.join('.')}`),
    fc.tuple(fc.json(), fc.json(), fc.base64String()).map(([header, payload, signature]) => {
      const [first, second] = [header, payload].map((part) => Buffer.from(part).toString('base64url'))
      return `Bearer ${first}.${second}.${signature}`
    }),
  )
  await fc.assert(
    fc.asyncProperty(anything, fc.array(fc.string(), { maxLength: 5 }), async (value, rawHeaders) => {
      const decision = await guard.decide({ ...requestWith(value), rawHeaders }, authenticated())
      expect(decision.outcome).toBe('deny')
      expect(codeOf(decision)).not.toBe('internal_error')
    }),
    { numRuns: 500 },
  )
})

test('no changed character of a token is accepted', async () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.='
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
      const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`
      fc.pre(changed !== token)
      expect(codeOf(await guard.decide(requestWith(`Bearer ${changed}`), authenticated()))).not.toBe('allow')
    }),
    { numRuns: 300 },
  )
})
