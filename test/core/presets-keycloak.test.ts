// Keycloak: service accounts and users are told apart, and everything else that a realm signs is refused.
import { keycloak } from '@countersign/core'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openScript } from './support/scripted-issuers.ts'
import { keycloakTokens } from './support/vendor-tokens.ts'

const realm = 'https://kc.internal/realms/shop'
const base = '/realms/shop'
const script = await openScript(realm, {
  metadata: `${base}/.well-known/openid-configuration`,
  keys: `${base}/protocol/openid-connect/certs`,
})
afterAll(() => script.site[Symbol.asyncDispose]())

const tokens = keycloakTokens(realm, script.now)
const guard = script.guard(keycloak(realm))

describe('accepts', () => {
  test('a service account, as the client that it belongs to', async () => {
    const caller = await callerFor(guard, script.sign(tokens.workload))
    expect(caller.id).toBe(`${realm}#client=Checkout`)
    expect(caller.user).toBeUndefined()
    expect([...caller.scopes]).toEqual(['email', 'profile', 'orders:read'])
  })

  test('a user, and knows the service only by a certificate', async () => {
    const caller = await callerFor(guard, script.sign(tokens.user))
    expect(caller.id).toBe(`${realm}#sub=${tokens.user.claims.sub}`)
    expect(caller.service).toBeUndefined()
    expect([...caller.scopes]).toContain('orders:read')
  })

  test.each(['JWT', 'at+jwt'])('the header `typ` %s', async (typ) => {
    expect(await codeFor(guard, script.sign(tokens.user, {}, { typ }))).toBe('allow')
  })

  test('the name that the claim `client_id` had until Keycloak 21.0', async () => {
    const token = script.sign(tokens.workload, { client_id: undefined, clientId: 'Checkout' })
    expect((await callerFor(guard, token)).id).toBe(`${realm}#client=Checkout`)
  })
})

describe('roles count as scopes', () => {
  test.each([
    ['of the realm', 'realm', 'auditor'],
    ['of one client', { client: 'orders' }, 'orders:write'],
  ] as const)('%s, where that is asked for', async (_, roles, role) => {
    const token = script.sign(tokens.user)
    expect([...(await callerFor(script.guard(keycloak(realm, { roles })), token)).scopes]).toContain(role)
    expect([...(await callerFor(guard, token)).scopes]).not.toContain(role)
  })

  test('of one client, and not of another one', async () => {
    const other = script.guard(keycloak(realm, { roles: { client: 'billing' } }))
    expect([...(await callerFor(other, script.sign(tokens.user))).scopes]).toEqual([
      'openid',
      'email',
      'profile',
      'orders:read',
    ])
  })
})

describe('refuses', () => {
  test.each([
    ['an ID token', tokens.idToken],
    // A client that is an API too, in a flow without nonce: only the claim `typ` tells.
    [
      'an ID token for this very audience',
      {
        ...tokens.idToken,
        claims: { ...tokens.idToken.claims, aud: 'orders', nonce: undefined, at_hash: undefined },
      },
    ],
    ['a logout token', tokens.logoutToken],
    ['a logout token without its `typ`', { claims: { ...tokens.logoutToken.claims, aud: 'orders' } }],
    ...['Offline', 'Refresh', 'Serialized-ID', 'bearer', undefined].map(
      (typ) =>
        [`a token of the type ${typ}`, { ...tokens.user, claims: { ...tokens.user.claims, typ } }] as const,
    ),
    [
      'a token that says it is bound to a key and is not',
      { ...tokens.user, claims: { ...tokens.user.claims, typ: 'DPoP' } },
    ],
  ] as const)('%s', async (_, shape) => {
    expect(await codeFor(guard, script.sign(shape))).toBe('token_type_mismatch')
  })

  test('a refresh token, which the realm signs with a secret of its own', async () => {
    expect(await codeFor(guard, script.sign(tokens.refreshToken))).toBe('algorithm_not_allowed')
  })

  test('a token of another realm', async () => {
    const token = script.sign(tokens.user, { iss: 'https://kc.internal/realms/other' })
    expect(await codeFor(guard, token)).toBe('issuer_unknown')
  })

  test('a token with the audience that Keycloak gives by itself', async () => {
    expect(await codeFor(guard, script.sign(tokens.user, { aud: 'account' }))).toBe('audience_mismatch')
  })

  test('a token bound to a key, presented as a bearer token', async () => {
    const token = script.sign(tokens.user, {
      typ: 'DPoP',
      cnf: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' },
    })
    expect(await codeFor(guard, token)).toBe('bound_token_as_bearer')
  })
})

describe('takes for a user', () => {
  // Whoever may choose a user name could register under a service account's.
  test.each([
    ['who has the name of a service account', { client_id: undefined }],
    ['whose name is that of another client', { preferred_username: 'service-account-billing' }],
    ['whose name only starts like one', { preferred_username: 'service-account-checkout-2' }],
    ['who has no name', { preferred_username: undefined }],
    [
      'whose token names no client',
      { azp: undefined, client_id: undefined, preferred_username: 'service-account-undefined' },
    ],
  ])('one %s', async (_, changes) => {
    const caller = await callerFor(guard, script.sign(tokens.workload, changes))
    expect(caller.service).toBeUndefined()
    expect(caller.user?.id).toBe(`${realm}#sub=${tokens.workload.claims.sub}`)
  })
})
