// Auth0 and Okta: machines and users are told apart, ID tokens are refused.
import { auth0, okta } from '@countersign/core'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openScript } from './support/scripted-issuers.ts'
import { auth0Tokens, oktaTokens } from './support/vendor-tokens.ts'

describe('Auth0', async () => {
  const issuer = 'https://shop.eu.auth0.com/'
  const script = await openScript(issuer)
  afterAll(() => script.site[Symbol.asyncDispose]())
  const tokens = auth0Tokens(issuer, script.now)
  const guard = script.guard(auth0('shop.eu.auth0.com'))
  const machine = 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx'

  test.each([
    ['Auth0', tokens.machine],
    ['RFC 9068', tokens.standardMachine],
  ])('accepts a machine with the profile of %s', async (_, shape) => {
    const caller = await callerFor(guard, script.sign(shape))
    expect(caller.id).toBe(`${issuer}#client=${machine}`)
    expect(caller.user).toBeUndefined()
    expect([...caller.scopes]).toEqual(['orders:read'])
  })

  test.each([
    ['Auth0', tokens.user],
    ['RFC 9068', tokens.standardUser],
  ])('accepts a user with the profile of %s', async (_, shape) => {
    const caller = await callerFor(guard, script.sign(shape))
    expect(caller.id).toBe(`${issuer}#sub=${tokens.user.claims.sub}`)
    expect([...caller.scopes]).toEqual(['openid', 'profile', 'orders:read'])
  })

  test('adds permissions where that is asked for', async () => {
    const withPermissions = script.guard(auth0('shop.eu.auth0.com', { permissions: true }))
    expect([...(await callerFor(withPermissions, script.sign(tokens.user))).scopes]).toContain('orders:write')
  })

  test.each([
    ['of another client', { sub: 'other@clients' }],
    ['that a person’s password bought', { gty: 'password' }],
    ['whose subject is the bare client', { sub: machine }],
  ])('takes for a user’s a token %s', async (_, changes) => {
    expect((await callerFor(guard, script.sign(tokens.machine, changes))).service).toBeUndefined()
  })

  test.each([
    ['an ID token', {}],
    ['an ID token for this audience, without nonce', { aud: 'orders', nonce: undefined }],
    ['a token whose client is no text', { nonce: undefined, azp: 7 }],
  ])('refuses %s', async (_, changes) => {
    expect(await codeFor(guard, script.sign(tokens.idToken, changes))).toBe('token_type_mismatch')
  })

  test.each([
    ['without the final slash', { iss: issuer.slice(0, -1) }, 'issuer_unknown'],
    ['of another tenant', { iss: 'https://other.eu.auth0.com/' }, 'issuer_unknown'],
    ['for the Management API', { aud: `${issuer}api/v2/` }, 'audience_mismatch'],
    ['of two clients', { client_id: 'other' }, 'claim_malformed'],
  ])('refuses a token %s', async (_, changes, code) => {
    expect(await codeFor(guard, script.sign(tokens.machine, changes))).toBe(code)
  })
})

describe('Okta', async () => {
  const issuer = 'https://shop.okta.com/oauth2/default'
  const script = await openScript(issuer, {
    metadata: '/oauth2/default/.well-known/openid-configuration',
    keys: '/oauth2/default/v1/keys',
  })
  afterAll(() => script.site[Symbol.asyncDispose]())
  const tokens = oktaTokens(issuer, script.now)
  const guard = script.guard(okta(issuer))

  test('accepts a service, as the client that it is', async () => {
    const caller = await callerFor(guard, script.sign(tokens.service))
    expect(caller.id).toBe(`${issuer}#client=0oa8acv8gbBPRCZ7I5d7`)
    expect([...caller.scopes]).toEqual(['orders:read'])
  })

  test('accepts a user', async () => {
    const caller = await callerFor(guard, script.sign(tokens.user))
    expect(caller.id).toBe(`${issuer}#sub=joe.smith@example.com`)
    expect([...caller.scopes]).toEqual(['openid', 'orders:read'])
  })

  test.each([
    ['whose login is the client’s id', tokens.user, { sub: tokens.user.claims.cid }],
    ['without `uid`, whose subject is not the client', tokens.service, { sub: 'joe.smith@example.com' }],
  ])('takes for a user’s a token %s', async (_, shape, changes) => {
    expect((await callerFor(guard, script.sign(shape, changes))).service).toBeUndefined()
  })

  test.each([
    ['an ID token', tokens.idToken, {}],
    ['an ID token with a claim `cid`', tokens.idToken, { aud: 'orders', at_hash: undefined, cid: 'x' }],
    ['a token whose `jti` is no access token’s', tokens.service, { jti: 'RT.1' }],
    ['a token without `jti`', tokens.service, { jti: undefined }],
    ['a token without a client', tokens.service, { cid: undefined }],
  ])('refuses %s', async (_, shape, changes) => {
    expect(await codeFor(guard, script.sign(shape, changes))).toBe('token_type_mismatch')
  })

  test.each([
    ['of the organisation’s own server', { iss: 'https://shop.okta.com' }, {}, 'issuer_unknown'],
    ['of another server', { iss: 'https://shop.okta.com/oauth2/aus1' }, {}, 'issuer_unknown'],
    ['with Okta’s own `typ`', {}, { typ: 'application/okta-internal-at+jwt' }, 'token_type_mismatch'],
    ['for the audience that Okta sets up', { aud: 'api://default' }, {}, 'audience_mismatch'],
  ])('refuses a token %s', async (_, claims, header, code) => {
    expect(await codeFor(guard, script.sign(tokens.service, claims, header))).toBe(code)
  })
})
