// What an operator is told of a token that was refused, word by word: what was expected, what came, and what to do.
import type { IssuerOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { readScopes } from '../../packages/core/src/identity/token/scope-claims.ts'
import { refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'

type Members = Readonly<Record<string, unknown>>

type Rules = Partial<IssuerOptions>

async function refused(claims: Members, issuerOptions: Rules, header: Members = {}) {
  const { guard, token } = createHouse({ issuerOptions })
  const { refusal } = await refusalOf(guard, requestWith(`Bearer ${token(claims, header)}`))
  return { code: refusal.code, ...refusal.detail }
}

const { clock } = createHouse()
const now = Math.floor(clock.now() / 1000)
const oauth: Rules = { profile: 'oauth', isAccessToken: (said) => said['jti'] !== 'none' }

test('of a claim that is missing', async () => {
  for (const name of ['sub', 'client_id', 'jti', 'iat', 'exp', 'aud']) {
    expect(await refused({ [name]: undefined }, {})).toEqual({
      issuer,
      code: 'claim_missing',
      expected: `\`${name}\``,
      actual: `no \`${name}\``,
    })
  }
})

test.each<[Members, string, string]>([
  [{ sub: 5 }, '`sub`: a string', 'number'],
  [{ acr: '' }, '`acr`: a string', '""'],
  [{ nbf: 'now' }, '`nbf`: a number of seconds', '"now"'],
  [{ auth_time: null }, '`auth_time`: a number of seconds', 'null'],
  [{ aud: [] }, '`aud`: a string or an array of strings', 'an object'],
  [{ aud: ['orders', 5] }, '`aud`: a string or an array of strings', 'an object'],
  [{ scope: 'a  b' }, '`scope`: scope tokens separated by single spaces', 'other text'],
  [{ scope: ['a'] }, '`scope`: scope tokens separated by single spaces', 'an object'],
  [{ act: 'admin' }, '`act`: an object', '"admin"'],
  [{ act: { sub: 5 } }, '`act.sub`: a string', 'number'],
  [{ act: { sub: 'a', iss: 5 } }, '`act.iss`: a string', 'number'],
  [{ act: { sub: 'a', client_id: 5 } }, '`act.client_id`: a string', 'number'],
  [{ cnf: 'key' }, '`cnf`: an object', '"key"'],
  [{ cnf: { jkt: 'short' } }, '`cnf.jkt`: a SHA-256 thumbprint', '"short"'],
  [{ cnf: { jkt: ['A'.repeat(43)] } }, '`cnf.jkt`: a SHA-256 thumbprint', 'an object'],
  [{ cnf: { 'x5t#S256': 'short' } }, '`cnf["x5t#S256"]`: a SHA-256 thumbprint', '"short"'],
])('of a claim that is wrong: %j', async (claims, expected, actual) => {
  expect(await refused(claims, {})).toEqual({ issuer, code: 'claim_malformed', expected, actual })
})

test('of a scope in a claim within a claim', async () => {
  const rules: Rules = { scopeClaims: [['realm_access', 'roles']] }
  expect(await refused({ realm_access: { roles: 5 } }, rules)).toEqual({
    issuer,
    code: 'claim_malformed',
    expected: '`realm_access.roles`: scope tokens separated by single spaces',
    actual: 'number',
  })
})

// No token has room for so many; an answer of an introspection endpoint has.
test('of more scopes than anybody has', () => {
  const scope = Array.from({ length: 4097 }, (_, i) => i.toString(36)).join(' ')
  expect(readScopes({ scope }, [['scope']])).toEqual({
    code: 'claim_malformed',
    detail: { expected: 'at most 4096 scopes', actual: '4097' },
  })
})

describe('of a token', () => {
  const actors = (depth: number): Members =>
    depth === 1 ? { sub: 'a' } : { sub: 'a', act: actors(depth - 1) }

  test.each<[string, Members, Rules, Members]>([
    [
      'that has expired',
      { iat: now - 500, exp: now - 100 },
      {},
      { code: 'token_expired', expected: 'a token in time', actual: 'expired 100 s ago' },
    ],
    [
      'that is good some time',
      { nbf: now + 100, iat: now + 50 },
      {},
      { code: 'token_not_yet_valid', expected: 'a token in time', actual: 'valid in 100 s' },
    ],
    [
      'that lives long',
      { exp: now + 90_000 },
      {},
      {
        code: 'token_lifetime_excessive',
        expected: 'at most 86400 s from `iat` to `exp`',
        actual: '90000 s',
        advice: 'have the issuer give shorter tokens, or raise `maxLifetimeSeconds` for it on purpose',
      },
    ],
    [
      'for others',
      { aud: ['a', 'b', 'c', 'd', 'e'] },
      { audience: ['orders', 'api://orders'] },
      {
        code: 'audience_mismatch',
        expected: '"orders" or "api://orders"',
        actual: '"a", "b", "c", "d"',
        advice:
          'ask the issuer for a token whose `aud` names this service, or add that audience to `audience`',
      },
    ],
    [
      'for one who is nearly this',
      { aud: 'orders/' },
      {},
      {
        code: 'audience_mismatch',
        expected: '"orders"',
        actual: '"orders/"',
        advice: 'they differ in a final slash only: write `audience` as the issuer does',
      },
    ],
    [
      'about somebody else',
      { sub: 'reports' },
      { subjects: ['checkout'] },
      {
        code: 'subject_not_permitted',
        expected: 'a subject that `subjects` or `grants` names',
        actual: '"reports"',
        advice: 'name it if this service is meant to know it',
      },
    ],
    [
      'without a claim that it needs',
      {},
      { requiredClaims: [{ claim: ['a', 'b'], value: ['x', true] }] },
      { code: 'claim_mismatch', expected: '`a.b`: x or true', actual: 'none' },
    ],
    [
      'with another value of it',
      { a: { b: 'y' } },
      { requiredClaims: [{ claim: ['a', 'b'], value: 'x' }] },
      { code: 'claim_mismatch', expected: '`a.b`: x', actual: '"y"' },
    ],
    [
      'that names two clients',
      { azp: 'another' },
      oauth,
      { code: 'claim_malformed', expected: '`azp`: the same client everywhere', actual: '"another"' },
    ],
    [
      'whose client is no text',
      { azp: 5, client_id: undefined },
      oauth,
      { code: 'claim_malformed', expected: '`azp`: a string', actual: 'number' },
    ],
    [
      'that nothing marks as an access token',
      { jti: 'none' },
      oauth,
      {
        code: 'token_type_mismatch',
        expected: 'an access token of this issuer',
        actual: 'a token without what marks one',
        advice:
          'have the caller send its access token, not its ID token; or say in `isAccessToken` what marks one',
      },
    ],
    [
      'that is an ID token',
      { c_hash: 'x' },
      oauth,
      {
        code: 'token_type_mismatch',
        expected: 'no `c_hash`',
        actual: '`c_hash`, which access tokens do not have',
      },
    ],
    [
      'of another use',
      { token_use: 'id' },
      oauth,
      { code: 'token_type_mismatch', expected: '`token_use` "access"', actual: '"id"' },
    ],
    [
      'that Keycloak marks as another',
      { typ: 'UserInfo' },
      oauth,
      {
        code: 'token_type_mismatch',
        expected: 'a claim `typ` of an access token',
        actual: '"UserInfo"',
      },
    ],
    [
      'of a service account that is not its subject',
      { 'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'b' } } },
      { profile: 'kubernetes' },
      {
        code: 'token_type_mismatch',
        expected: '`typ` "JWT" or none',
        actual: '"at+jwt"',
      },
    ],
    [
      'with many actors',
      { act: actors(6) },
      {},
      {
        code: 'actor_chain_too_deep',
        expected: 'at most 5 actors',
        actual: 'more',
        advice: 'have the issuer shorten the chain: only the outermost actor can ever decide anything',
      },
    ],
    [
      'bound by nothing',
      { cnf: {} },
      {},
      {
        code: 'confirmation_unsupported',
        expected: '`cnf` with `jkt` or `x5t#S256`',
        actual: 'nothing in it',
      },
    ],
    [
      'bound by what nobody knows',
      { cnf: { a: 1, b: 2, c: 3, d: 4, e: 5 } },
      {},
      {
        code: 'confirmation_unsupported',
        expected: '`cnf` with `jkt` or `x5t#S256`',
        actual: '"a", "b", "c", "d"',
      },
    ],
  ])('%s', async (_, claims, rules, told) => {
    expect(await refused(claims, rules)).toEqual({ issuer, ...told })
  })

  test.each<[string, Members, Rules, Members]>([
    [
      'of another kind',
      { typ: 'x' },
      {},
      {
        code: 'token_type_mismatch',
        expected: '`typ` "at+jwt"',
        actual: '"x"',
        advice:
          'have the issuer mark access tokens as RFC 9068 says, and make sure that the caller sends no ID token',
      },
    ],
    [
      'of another kind, where some are unmarked',
      { typ: 'dpop+jwt' },
      oauth,
      {
        code: 'token_type_mismatch',
        expected: '`typ` "JWT", "at+jwt" or none',
        actual: '"dpop+jwt"',
        advice: 'the caller sends its DPoP proof where its access token belongs',
      },
    ],
    [
      'that is an introspection answer',
      { typ: 'application/token-introspection+jwt' },
      {},
      {
        code: 'token_type_mismatch',
        expected: '`typ` "at+jwt"',
        actual: '"application/token-introspection+jwt"',
        advice: 'the caller sends an introspection answer where its access token belongs',
      },
    ],
    [
      'of no kind',
      { typ: undefined },
      {},
      {
        code: 'token_type_mismatch',
        expected: '`typ` "at+jwt"',
        actual: 'no `typ`',
        advice:
          "make sure that the caller sends its access token and no ID token; if the issuer leaves those unmarked, write `profile: 'oauth'`",
      },
    ],
    [
      'by another algorithm',
      { alg: 'ES384' },
      { algorithms: ['ES256', 'PS256'] },
      { code: 'algorithm_not_allowed', expected: 'ES256, PS256', actual: 'ES384' },
    ],
  ])('%s, by its header', async (_, header, rules, told) => {
    expect(await refused({}, rules, header)).toEqual({ issuer, ...told })
  })

  test.each([
    [{ namespace: 'a', serviceaccount: { name: 'b' } }, 'system:serviceaccount:a:c'],
    [{ namespace: 5, serviceaccount: { name: 'b' } }, 'system:serviceaccount:5:b'],
    [{ namespace: 'a', serviceaccount: { name: 5 } }, 'system:serviceaccount:a:5'],
    [{ namespace: 'a', serviceaccount: null }, 'system:serviceaccount:a:undefined'],
    ['a', 'system:serviceaccount:undefined:undefined'],
    [undefined, 'system:serviceaccount:a:b'],
  ])('of a cluster with %j in it', async (bound, sub) => {
    expect(
      await refused({ 'kubernetes.io': bound, sub }, { profile: 'kubernetes' }, { typ: undefined }),
    ).toEqual({
      issuer,
      code: 'token_type_mismatch',
      expected: 'a service account in `kubernetes.io` that `sub` names',
      actual: `"${sub}"`,
    })
  })

  test('that is a proof, from a platform', async () => {
    expect(await refused({ htm: 'GET' }, { profile: 'id-token' }, { typ: 'JWT' })).toEqual({
      issuer,
      code: 'token_type_mismatch',
      expected: 'no `htm`',
      actual: '`htm`',
    })
  })

  test.each([
    ['https://other.test', 'issuers are compared character by character, a final slash included'],
    [`${issuer}/`, `this issuer ends with a slash: write \`issuer: '${issuer}/'\``],
  ])('of an issuer that nobody trusts: %s', async (iss, advice) => {
    expect(await refused({ iss }, {})).toEqual({
      code: 'issuer_unknown',
      expected: `"${issuer}"`,
      actual: `"${iss}"`,
      advice,
    })
  })

  test('that is signed, where only opaque ones are known', async () => {
    const authentication = {
      method: 'client_secret_basic',
      secret: 'a-secret-of-the-orders-service',
    } as const
    const introspection = { endpoint: `${issuer}/introspect`, clientId: 'orders', authentication }
    expect(await refused({}, { jwks: undefined, introspection } as unknown as Rules)).toEqual({
      issuer,
      code: 'key_unknown',
      expected: 'an opaque token: no keys of this issuer are configured',
      actual: 'a signed one',
      advice: 'write `jwksUri` if signed tokens of this issuer are to be accepted as well',
    })
  })

  test('whose claims are no object', async () => {
    const { guard, jws, header } = createHouse()
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${jws(header, '[]')}`))
    expect(refusal).toEqual({
      code: 'token_malformed',
      detail: {
        expected: 'claims that are a JSON object of at most 512 values and 64 levels, each name once',
      },
    })
  })
})
