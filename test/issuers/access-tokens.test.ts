// A real authorization server, which knows nothing of us: its access tokens are accepted, and nothing else of it is.
import { createTestIssuer } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { logIn } from './support/log-in.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { billing, ledger, orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const issuer = await RealIssuer.start()
const checkout = new OAuthClient(issuer, { id: 'checkout' })
// Without timers nobody waits for a key that does not exist until the issuer may be asked again.
const clock = { now: Date.now }
const service = await startService(
  { audience: orders, issuers: [issuer.trusted] },
  { environment: { clock } },
)
afterAll(async () => {
  await service.close()
  await issuer.close()
})
const { access_token: aliceToken, id_token: idToken } = await logIn(issuer, {
  resource: orders,
  scope: 'orders:read',
})
const codeFor = async (token: string, path = '/orders'): Promise<string> =>
  (await service.call(path, { headers: { authorization: `Bearer ${token}` } })).code

describe('a service that trusts the provider', () => {
  test('accepts an access token for it (RFC 9068), and knows the client', async () => {
    const token = await checkout.token({ resource: orders, scope: 'orders:read' })
    const { status, body } = await checkout.call(service, '/orders', token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toEqual({
      id: `${issuer.issuer}#client=checkout`,
      service: `${issuer.issuer}#client=checkout`,
      actors: [],
      scopes: ['orders:read'],
      provenBy: ['token'],
    })
  })

  test('knows the user whom a token was issued for', async () => {
    const { body } = await checkout.call(service, '/orders', aliceToken)
    expect(JSON.parse(body)).toMatchObject({ user: `${issuer.issuer}#sub=alice` })
  })

  test('refuses one that does not say the scope', async () => {
    const token = await checkout.token({ resource: orders, scope: 'orders:write' })
    expect(await codeFor(token)).toBe('scope_missing')
    expect(await codeFor(token, '/whoami')).toBe('allow')
  })

  test('refuses one for another service', async () => {
    expect(await codeFor(await checkout.token({ resource: billing }))).toBe('audience_mismatch')
  })

  test('refuses opaque ones, since nothing was said of introspection', async () => {
    expect(await codeFor(await checkout.token({ resource: ledger }))).toBe('token_malformed')
  })

  test('refuses one that was changed', async () => {
    const [head, , tail] = (await checkout.token({ resource: orders })).split('.')
    const claims = { iss: issuer.issuer, aud: orders, sub: 'admin', client_id: 'admin' }
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${tail}`
    expect(await codeFor(forged)).toBe('signature_invalid')
  })

  test('refuses one that somebody else signed in its name', async () => {
    const impostor = await createTestIssuer({ issuer: issuer.issuer, audience: orders })
    expect(await codeFor(await impostor.token('checkout', { scopes: ['orders:read'] }))).toBe('key_unknown')
  })
})

describe('an ID token of the same provider, signed with the same key', () => {
  test('is refused where an access token belongs, by its type', async () => {
    expect(await codeFor(idToken)).toBe('token_type_mismatch')
  })

  test.each([
    ['at+jwt', 'token_type_mismatch'],
    ['oauth', 'token_type_mismatch'],
  ] as const)(
    'is refused by a service that bears the name of its audience: profile %s',
    async (profile, code) => {
      // The attack: `aud` of an ID token is the client that it was issued for, and this service is that client too.
      const app = await startService({ audience: 'app', issuers: [{ ...issuer.trusted, profile }] })
      const headers = { authorization: `Bearer ${idToken}` }
      expect((await app.call('/whoami', { headers })).code).toBe(code)
      await app.close()
    },
  )
})
