// Tokens of Glewlwyd, an issuer that nobody here wrote, through the guard.
import { createTestCa, createTestClock, createTestProofKey } from '@countersign/testing'
import { decodeProtectedHeader } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import { PublishedKeys } from '../../packages/core/src/identity/trust/published-keys.ts'
import { activeOf, codeOfResult, introspectorOf } from '../core/support/introspecting.ts'
import { paymentsId, secretOf } from '../issuers/support/clients.ts'
import { OAuthClient } from '../issuers/support/oauth-client.ts'
import { orders } from '../issuers/support/provider.ts'
import { startService } from '../issuers/support/service.ts'
import { addClient, setUpIssuer } from './support/glewlwyd-configuration.ts'
import { Glewlwyd } from './support/glewlwyd.ts'

const ca = await createTestCa()
const glewlwyd = await Glewlwyd.start(ca)
afterAll(() => glewlwyd.close())
await setUpIssuer(glewlwyd, orders)
// Glewlwyd tells a client of its own tokens alone: this one calls, and asks.
await addClient(glewlwyd, 'checkout', {
  authorization_type: ['client_credentials', 'password', 'refresh_token'],
  scope: ['orders:read', 'g_profile'],
})
await addClient(glewlwyd, 'payments', {
  token_endpoint_auth_method: ['tls_client_auth'],
  tls_client_auth_san_uri: paymentsId,
})

const { issuer } = glewlwyd
const authentication = { method: 'client_secret_basic', secret: secretOf('checkout') } as const
const service = await startService(
  {
    audience: orders,
    issuers: [{ issuer, ca: glewlwyd.ca, introspection: { clientId: 'checkout', authentication } }],
    dpop: { externalUrl: 'https://orders.internal', nonces: true },
  },
  { requestCertificate: true },
)
afterAll(() => service.close())
const codeOf = async (token: string): Promise<string> =>
  (await service.call('/orders', { headers: { authorization: `Bearer ${token}` } })).code

const wanted = { resource: orders, scope: 'orders:read' }
const checkout = new OAuthClient(glewlwyd, { id: 'checkout' })

describe('an access token (RFC 9068, ES256)', () => {
  test('is accepted, and names its client', async () => {
    const token = await checkout.token(wanted)
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
    const { status, body } = await checkout.call(service, '/orders', token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      service: `${issuer}#client=checkout`,
      scopes: ['orders:read'],
      provenBy: ['token'],
    })
  })

  test('is refused where it was asked for without naming this service', async () => {
    expect(await codeOf(await checkout.token({ scope: 'orders:read' }))).toBe('audience_mismatch')
  })
})

describe('a token that is bound to a key (RFC 9449)', () => {
  test('is accepted with a proof, once; and never as a bearer token', async () => {
    const proofKey = await createTestProofKey()
    const client = new OAuthClient(glewlwyd, { id: 'checkout', proofKey })
    const token = await client.token(wanted)
    const { status, body } = await client.call(service, '/orders', token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ provenBy: ['token', 'boundToken', 'dpop'] })

    const nonce = String(client.answers.findLast((answer) => answer.status === 401)?.headers['dpop-nonce'])
    const headers = await proofKey.headersFor(token, { url: `${service.url}/orders`, nonce })
    expect((await service.call('/orders', { headers })).code).toBe('allow')
    expect((await service.call('/orders', { headers })).code).toBe('dpop_proof_replayed')
    expect(await codeOf(token)).toBe('bound_token_as_bearer')
  })
})

describe('a token that is bound to a certificate (RFC 8705)', () => {
  test('is accepted on connections with that certificate, and no others', async () => {
    const [certificate, renewed] = [await ca.svid('/payments'), await ca.svid('/payments')]
    const payments = new OAuthClient(glewlwyd, { id: 'payments', certificate })
    const token = await payments.token(wanted)
    const { status, body } = await payments.call(service, '/orders', token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ provenBy: ['token', 'boundToken'] })

    const headers = { authorization: `Bearer ${token}` }
    const other = await service.call('/orders', { headers, certificate: renewed })
    expect(other.code).toBe('certificate_binding_mismatch')
    expect(await codeOf(token)).toBe('certificate_binding_missing')
  })
})

describe('what is no signed token, so that Glewlwyd is asked', () => {
  test('T22 a refresh token is refused, however active it is', async () => {
    const user = { grant_type: 'password', username: 'admin', password: 'password', scope: 'g_profile' }
    const { body } = await checkout.ask('/token', user)
    const { refresh_token: token } = JSON.parse(body) as { refresh_token: string } // RFC 6749 §5.1
    const said = await checkout.ask('/introspect', { token })
    expect(JSON.parse(said.body)).toMatchObject({ active: true, token_type: 'refresh_token' })
    // It is told that an access token is meant, and finds none.
    expect(await codeOf(token)).toBe('token_inactive')
  })

  test('an invented token is inactive', async () => {
    expect(await codeOf('invented')).toBe('token_inactive')
  })
})

// The guard asks nobody about signed tokens, and Glewlwyd issues no others; so here the part that asks is on its own.
describe('introspection of an access token', () => {
  const clock = createTestClock(new Date())
  const keys = new PublishedKeys({
    issuer,
    location: { kind: 'discovery', issuer, url: undefined, mayUse: () => true },
    format: 'jwks',
    ca: glewlwyd.ca,
    bearer: undefined,
    maxStaleMs: 60_000,
    clock,
    fetch: fetchDocument,
  })

  test.each([
    ['in JSON (RFC 7662)', false],
    ['signed, and meant for this service by the name that tokens have for it (RFC 9701)', true],
  ])('%s', async (_what, signedResponse) => {
    const introspector = introspectorOf(
      issuer,
      clock,
      { clientId: 'checkout', authentication, signedResponse },
      { ca: glewlwyd.ca, keys },
    )
    const token = await checkout.token(wanted)
    const { claims, boundBy } = activeOf(await introspector.introspect(token))
    expect(claims).toMatchObject({ iss: issuer, aud: orders, client_id: 'checkout', scope: 'orders:read' })
    expect(boundBy).toBe('audience')
    await checkout.ask('/revoke', { token })
    // Of a token that is not active it signs nothing, but answers 400.
    const code = signedResponse ? 'introspection_unavailable' : 'token_inactive'
    expect(codeOfResult(await introspector.introspect(token))).toBe(code)
  })
})
