// DPoP (RFC 9449) between a client, a real authorization server and a service that both ask for nonces.
import { createTestProofKey } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { OAuthClient } from './support/oauth-client.ts'
import { orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const issuer = await RealIssuer.start()
const service = await startService({
  audience: orders,
  issuers: [issuer.trusted],
  dpop: { externalUrl: 'https://orders.internal', nonces: true },
})
afterAll(async () => {
  await service.close()
  await issuer.close()
})
const wanted = { resource: orders, scope: 'orders:read' }

/** A client that has called once, and so knows the nonces of both servers. */
async function acquainted() {
  const proofKey = await createTestProofKey()
  const client = new OAuthClient(issuer, { id: 'reports', proofKey })
  const token = await client.token(wanted)
  await client.call(service, '/orders', token)
  const [issuerNonce, serviceNonce] = [0, 2].map((i) => String(client.answers[i]?.headers['dpop-nonce']))
  if (issuerNonce === undefined || serviceNonce === undefined) throw new Error('expected two nonces')
  return { client, proofKey, token, issuerNonce, serviceNonce }
}

describe('a client whose tokens are bound to its key', () => {
  test('is asked for a nonce by each server once, and uses each where it belongs', async () => {
    const { client, token, issuerNonce, serviceNonce } = await acquainted()
    expect(client.answers.map(({ status }) => status)).toEqual([400, 200, 401, 200])
    expect(issuerNonce).not.toBe(serviceNonce)

    const second = await client.token(wanted)
    const { status, body } = await client.call(service, '/orders', second)
    expect(client.answers.map((answer) => answer.status)).toEqual([400, 200, 401, 200, 200, 200])
    expect(second).not.toBe(token)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      service: `${issuer.issuer}#client=reports`,
      provenBy: ['token', 'boundToken', 'dpop'],
    })
  })

  test('is told of the nonce exactly as the RFC has it (§9)', async () => {
    const { client } = await acquainted()
    const challenged = client.answers[2]
    expect(challenged?.headers['www-authenticate']).toMatch(/^DPoP .*error="use_dpop_nonce"/)
    expect(challenged?.headers['cache-control']).toBe('no-store')
  })

  test('is not helped by the nonce of the issuer', async () => {
    const { proofKey, token, issuerNonce } = await acquainted()
    const headers = await proofKey.headersFor(token, { url: `${service.url}/orders`, nonce: issuerNonce })
    expect((await service.call('/orders', { headers })).code).toBe('dpop_nonce_required')
  })

  test('cannot use a proof twice', async () => {
    const { proofKey, token, serviceNonce } = await acquainted()
    const headers = await proofKey.headersFor(token, { url: `${service.url}/orders`, nonce: serviceNonce })
    expect((await service.call('/orders', { headers })).code).toBe('allow')
    expect((await service.call('/orders', { headers })).code).toBe('dpop_proof_replayed')
  })

  test('cannot send the token as a bearer token, with its proof or without', async () => {
    const { proofKey, token, serviceNonce } = await acquainted()
    const authorization = `Bearer ${token}`
    const dpop = await proofKey.proof({ url: `${service.url}/orders`, token, nonce: serviceNonce })
    for (const headers of [{ authorization }, { authorization, dpop }]) {
      expect((await service.call('/orders', { headers })).code).toBe('bound_token_as_bearer')
    }
  })
})

describe('whoever got hold of a bound token', () => {
  test('cannot use it with a key of their own', async () => {
    const { token, serviceNonce } = await acquainted()
    const thief = await createTestProofKey()
    const headers = await thief.headersFor(token, { url: `${service.url}/orders`, nonce: serviceNonce })
    expect((await service.call('/orders', { headers })).code).toBe('dpop_key_mismatch')
  })

  test('cannot use it with a proof that was made for another URL', async () => {
    const { proofKey, token, serviceNonce } = await acquainted()
    const url = `${service.url}/whoami`
    const headers = await proofKey.headersFor(token, { url, nonce: serviceNonce })
    expect((await service.call('/orders', { headers })).code).toBe('dpop_proof_mismatch')
  })
})
