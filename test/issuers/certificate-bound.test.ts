// Tokens that a real authorization server binds to the certificate its client authenticated with (RFC 8705 §2, §3).
import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import { createTestCa, createTestProofKey, type TestCertificate } from '@countersign/testing'
import { decodeJwt } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { paymentsId } from './support/clients.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const ca = await createTestCa()
const own = await ca.svid('/payments')
const renewed = await ca.svid('/payments')
const other = await ca.svid('/checkout')
const issuer = await RealIssuer.start({ clientCa: ca })
const payments = new OAuthClient(issuer, { id: 'payments', certificate: own })
const bound = await payments.token({ resource: orders, scope: 'orders:read' })

const issuers = [{ ...issuer.trusted, workloadClaim: 'spiffe_id', trustDomains: ['test.example'] }] as const
const dpop = { externalUrl: 'https://orders.internal' }
const verifying = await startService({
  audience: orders,
  issuers,
  dpop,
  certificates: { trustDomains: { 'test.example': ca.bundle } },
})
const comparing = await startService({ audience: orders, issuers, dpop }, { requestCertificate: true })
afterAll(async () => {
  await verifying.close()
  await comparing.close()
  await issuer.close()
})

test('the provider binds the token to the certificate on which it was asked for', () => {
  expect(decodeJwt(bound)['cnf']).toEqual({ 'x5t#S256': thumbprintOf(own) })
})

describe.each([
  ['that verifies certificates', verifying, ['token', 'boundToken', 'certificate']],
  ['that asks for certificates only to compare them', comparing, ['token', 'boundToken']],
] as const)('a service %s', (_what, service, provenBy) => {
  const authorization = `Bearer ${bound}`
  const codeOn = async (certificate?: TestCertificate): Promise<string> =>
    (await service.call('/orders', { headers: { authorization }, ...(certificate && { certificate }) })).code

  test('accepts it on connections with that certificate', async () => {
    const { status, body } = await payments.call(service, '/orders', bound)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ id: paymentsId, scopes: ['orders:read'], provenBy })
  })

  test('refuses it with another certificate, be it of the same workload, and without one', async () => {
    expect(await codeOn(own)).toBe('allow')
    expect(await codeOn(renewed)).toBe('certificate_binding_mismatch')
    expect(await codeOn(other)).toBe('certificate_binding_mismatch')
    expect(await codeOn()).toBe('certificate_binding_missing')
    expect(await codeOn(own)).toBe('allow')
  })

  test('refuses it on a kept connection with another certificate, call after call', async () => {
    const options = { keepAlive: true, maxSockets: 1, ca: service.ca }
    for (const [certificate, code] of [
      [own, 'allow'],
      [other, 'certificate_binding_mismatch'],
    ] as const) {
      const agent = new Agent({ ...options, cert: certificate.cert, key: certificate.key })
      for (let i = 0; i < 3; i += 1) {
        expect((await service.call('/orders', { headers: { authorization }, agent })).code).toBe(code)
      }
      agent.destroy()
    }
  })

  test('T35 refuses a token that is bound to a key as well, where either is not proven', async () => {
    // The provider binds to one key or the other; RFC 7800 §3 leaves it open to bind to both.
    const proofKey = await createTestProofKey()
    const claims = { aud: orders, sub: 'payments', client_id: 'payments', jti: 'both', scope: 'orders:read' }
    const cnf = { 'x5t#S256': thumbprintOf(own), jkt: proofKey.thumbprint }
    const token = await issuer.mint({ ...claims, spiffe_id: paymentsId, cnf })
    const url = `${service.url}/orders`
    const call = async (certificate: TestCertificate, headers: Record<string, string>) =>
      service.call('/orders', { headers, certificate })
    const proven = (): Promise<Record<string, string>> => proofKey.headersFor(token, { url })

    const { code, body } = await call(own, await proven())
    expect(code).toBe('allow')
    expect(JSON.parse(body)).toMatchObject({ provenBy: expect.arrayContaining(['boundToken', 'dpop']) })
    expect((await call(renewed, await proven())).code).toBe('certificate_binding_mismatch')
    expect((await call(own, { authorization: `DPoP ${token}` })).code).toBe('dpop_proof_missing')
    expect((await call(own, { authorization: `Bearer ${token}` })).code).toBe('bound_token_as_bearer')
  })
})

test('certificates of somebody else get nowhere near the token where they are verified', async () => {
  const stranger = await createTestCa()
  const certificate = await stranger.svid('/payments')
  const call = { headers: { authorization: `Bearer ${bound}` }, certificate }
  expect((await verifying.call('/orders', call)).code).toBe('certificate_untrusted')
  expect((await comparing.call('/orders', call)).code).toBe('certificate_binding_mismatch')
})

function thumbprintOf({ der }: TestCertificate): string {
  return createHash('sha256').update(der).digest('base64url')
}
