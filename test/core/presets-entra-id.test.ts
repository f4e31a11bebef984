// Entra ID: both versions of its tokens, apps and users, and what must not pass for an access token of this tenant.
import { entraId, scopes } from '@countersign/core'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openScript } from './support/scripted-issuers.ts'
import { entraTokens } from './support/vendor-tokens.ts'

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const otherTenant = 'fa15d692-e9c7-4460-a743-29f2956fd429'

describe.each([
  {
    version: '2.0',
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    metadata: `/${tenant}/v2.0/.well-known/openid-configuration`,
    client: 'azp',
    authentication: 'azpacr',
  },
  {
    version: '1.0',
    issuer: `https://sts.windows.net/${tenant}/`,
    metadata: `/${tenant}/.well-known/openid-configuration`,
    client: 'appid',
    authentication: 'appidacr',
  },
] as const)('version $version', async ({ version, issuer, metadata, client, authentication }) => {
  const script = await openScript(issuer, { metadata, keys: '/discovery/keys' })
  afterAll(() => script.site[Symbol.asyncDispose]())
  const tokens = entraTokens(issuer, version, script.now)
  const guard = script.guard(entraId({ tenant, version }))
  const app = 'a8f1a6c2-10a3-4e59-85fd-8c127544f17c'

  test.each([
    ['an app alone', tokens.app],
    ['a managed identity, whose token lives for a day', tokens.managedIdentity],
  ])('accepts %s, with its roles for scopes', async (_, shape) => {
    const caller = await callerFor(guard, script.sign(shape))
    expect(caller.id).toBe(`${issuer}#client=${app}`)
    expect(caller.user).toBeUndefined()
    expect([...caller.scopes]).toEqual(['orders:read'])
  })

  test('accepts a user, with the scopes that the calling app was granted', async () => {
    const caller = await callerFor(guard, script.sign(tokens.user))
    expect(caller.id).toBe(`${issuer}#sub=${tokens.user.claims.sub}`)
    expect([...caller.scopes]).toEqual(['orders:read', 'profile'])
  })

  test('gives an app no role that only its user has', async () => {
    expect(await codeFor(guard, script.sign(tokens.user), scopes('orders:admin'))).toBe('scope_missing')
  })

  test.each([
    ['a token with `scp`, whatever `idtyp` says', tokens.app, { scp: 'orders:read', idtyp: 'app' }],
    ['a token with `scp`, whose `oid` is its `sub`', tokens.app, { scp: 'orders:read' }],
    ['a token that says it is a user’s', tokens.app, { idtyp: 'user' }],
    ['a token that says it is a device’s', tokens.app, { idtyp: 'device' }],
    ['a token without `scp`, whose `sub` is pairwise', tokens.user, { scp: undefined }],
  ])('takes for a user’s %s', async (_, shape, changes) => {
    const caller = await callerFor(guard, script.sign(shape, changes))
    expect(caller.service).toBeUndefined()
    expect(caller.scopes.has('orders:admin')).toBe(false)
  })

  test.each([
    ['an ID token', {}],
    ['an ID token without nonce', { nonce: undefined }],
    ['an ID token that names the client', { nonce: undefined, [client]: app }],
    ['an ID token that says how a client authenticated', { nonce: undefined, [authentication]: '1' }],
    ['a token with a nonce', { [client]: app, [authentication]: '1' }],
  ])('refuses %s', async (_, changes) => {
    expect(await codeFor(guard, script.sign(tokens.idToken, changes))).toBe('token_type_mismatch')
  })

  test('refuses a token of another tenant', async () => {
    const iss = issuer.replace(tenant, otherTenant)
    expect(await codeFor(guard, script.sign(tokens.app, { iss, tid: otherTenant }))).toBe('issuer_unknown')
  })

  // The keys are those of all tenants, so nothing but what it says makes a token one of this tenant.
  test('refuses a token whose `tid` is not the tenant of its issuer', async () => {
    expect(await codeFor(guard, script.sign(tokens.app, { tid: otherTenant }))).toBe('claim_mismatch')
    expect(await codeFor(guard, script.sign(tokens.app, { tid: undefined }))).toBe('claim_mismatch')
  })

  test('refuses a token of the other version', async () => {
    const ver = version === '2.0' ? '1.0' : '2.0'
    expect(await codeFor(guard, script.sign(tokens.app, { ver }))).toBe('claim_mismatch')
    const { issuer: iss } = entraId({ tenant, version: ver })
    expect(await codeFor(guard, script.sign(entraTokens(iss, ver, script.now).app))).toBe('issuer_unknown')
  })

  test('refuses a token for Microsoft Graph', async () => {
    const aud = '00000003-0000-0000-c000-000000000000'
    expect(await codeFor(guard, script.sign(tokens.app, { aud }))).toBe('audience_mismatch')
  })

  test('refuses a token that lives for more than 25 hours', async () => {
    const exp = tokens.app.claims.iat + 25 * 3600 + 1
    expect(await codeFor(guard, script.sign(tokens.app, { exp }))).toBe('token_lifetime_excessive')
    expect(await codeFor(guard, script.sign(tokens.app, { exp: exp - 1 }))).toBe('allow')
  })
})
