// Opaque tokens of a real authorization server, which is asked what they mean (RFC 7662, RFC 9701).
import type { IssuerOptions } from '@countersign/core'
import { createTestCa, createTestClock, createTestProofKey } from '@countersign/testing'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { secretOf } from './support/clients.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { archive, ledger, orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService, type Service } from './support/service.ts'

type IntrospectionOptions = NonNullable<IssuerOptions['introspection']>

const ca = await createTestCa()
const certificate = await ca.svid('/ledger')
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const issuer = await RealIssuer.start({
  clientCa: ca,
  moreClients: [
    {
      client_id: 'ledger-with-key',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'ledger-1', alg: 'ES256', use: 'sig' }] },
    },
    {
      client_id: 'ledger-with-certificate',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_uri: certificate.spiffeId,
    },
  ],
})
afterAll(async () => issuer.close())
const checkout = new OAuthClient(issuer, { id: 'checkout' })
const newToken = (): Promise<string> => checkout.token({ resource: ledger, scope: 'ledger:read' })

const withSecret: IntrospectionOptions = {
  clientId: 'ledger',
  authentication: { method: 'client_secret_basic', secret: secretOf('ledger') },
}

/** The provider names no subject for a client's own token: so it has to be said whose tokens these are. */
async function startLedger(
  introspection: IntrospectionOptions,
  represents: IssuerOptions['represents'] = 'workload',
) {
  const clock = createTestClock(new Date())
  const dpop = { externalUrl: 'https://orders.internal' }
  const issuers = [{ ...issuer.trusted, introspection, represents }] as const
  const service = await startService(
    { audience: [ledger, orders], issuers, dpop },
    { environment: { clock } },
  )
  return { clock, service, [Symbol.asyncDispose]: () => service.close() }
}
const codeFor = async (service: Service, token: string, path = '/ledger'): Promise<string> =>
  (await service.call(path, { headers: { authorization: `Bearer ${token}` } })).code

const waysToAsk: readonly IntrospectionOptions[] = [
  withSecret,
  {
    clientId: 'ledger-with-key',
    authentication: {
      method: 'private_key_jwt',
      key: { ...(await exportJWK(privateKey)), kid: 'ledger-1', alg: 'ES256' },
    },
  },
  { clientId: 'ledger-with-certificate', authentication: { method: 'mtls', ...pairOf(certificate) } },
]

describe.each([
  ['in JSON', false],
  ['signed by the issuer (RFC 9701)', true],
])('a service that is answered %s', (_what, signedResponse) => {
  test.each(waysToAsk)('and authenticates as $clientId knows the caller', async (introspection) => {
    await using house = await startLedger({ ...introspection, signedResponse })
    const token = await newToken()
    const { body } = await checkout.call(house.service, '/ledger', token)
    expect(JSON.parse(body)).toMatchObject({
      service: `${issuer.issuer}#client=checkout`,
      scopes: ['ledger:read'],
    })
    expect(await codeFor(house.service, token, '/orders')).toBe('scope_missing')
  })

  test('asks about a token once, and refuses it after it was revoked, within `cacheSeconds`', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse, cacheSeconds: 30 })
    const { service, clock } = house
    const token = await newToken()
    const asked = timesAsked()
    for (let i = 0; i < 3; i += 1) expect(await codeFor(service, token)).toBe('allow')
    expect(timesAsked() - asked).toBe(1)
    await checkout.ask('/token/revocation', { token })
    clock.advance({ seconds: 29 })
    expect(await codeFor(service, token)).toBe('allow')
    clock.advance({ seconds: 2 })
    expect(await codeFor(service, token)).toBe('token_inactive')
  })

  test('refuses it at once where answers are not kept', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse, cacheSeconds: 0 })
    const token = await newToken()
    expect(await codeFor(house.service, token)).toBe('allow')
    await checkout.ask('/token/revocation', { token })
    expect(await codeFor(house.service, token)).toBe('token_inactive')
  })

  test('T58 refuses a token that was issued for another service', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse })
    const token = await checkout.token({ resource: archive, scope: 'ledger:read' })
    expect(await codeFor(house.service, token)).toBe('audience_mismatch')
  })

  test('refuses one that names no subject where nobody said that such tokens are of workloads', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse }, 'auto')
    expect(await codeFor(house.service, await newToken())).toBe('claim_missing')
  })

  test('refuses what the issuer has never seen', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse })
    expect(await codeFor(house.service, 'an-invented-token')).toBe('token_inactive')
  })

  test('holds a bound token to its key, as the answer names it', async () => {
    await using house = await startLedger({ ...withSecret, signedResponse })
    const { service } = house
    const proofKey = await createTestProofKey()
    const reports = new OAuthClient(issuer, { id: 'reports', proofKey })
    const token = await reports.token({ resource: ledger, scope: 'ledger:read' })
    const { status, body } = await reports.call(service, '/ledger', token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ provenBy: ['token', 'boundToken', 'dpop'] })
    expect(await codeFor(service, token)).toBe('bound_token_as_bearer')
  })
})

describe('a service that the issuer may not answer', () => {
  test('takes signed tokens of it as before', async () => {
    await using house = await startLedger(withSecret)
    const asked = timesAsked()
    const token = await checkout.token({ resource: orders, scope: 'orders:read' })
    expect(await codeFor(house.service, token, '/orders')).toBe('allow')
    expect(timesAsked()).toBe(asked)
  })

  test('says that it cannot tell, and not that the token is bad', async () => {
    const authentication = { method: 'client_secret_basic', secret: 'not the secret' } as const
    await using house = await startLedger({ ...withSecret, authentication })
    expect(await codeFor(house.service, await newToken())).toBe('introspection_unavailable')
  })

  test('does so while the issuer is down, remembers what it was told, and recovers by itself', async () => {
    await using house = await startLedger(withSecret)
    const { service, clock } = house
    const [known, unknown] = [await newToken(), await newToken()]
    expect(await codeFor(service, known)).toBe('allow')
    await issuer.kill()
    const during = [await codeFor(service, known), await codeFor(service, unknown)]
    clock.advance({ seconds: 31 })
    const after = await codeFor(service, known)
    await issuer.revive()
    expect(during).toEqual(['allow', 'introspection_unavailable'])
    expect(after).toBe('introspection_unavailable')
    clock.advance({ seconds: 31 })
    expect([await codeFor(service, known), await codeFor(service, unknown)]).toEqual(['allow', 'allow'])
  })
})

function timesAsked(): number {
  return issuer.asked.filter((path) => path === '/token/introspection').length
}

function pairOf({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { cert, key }
}
