// The promise of this package: a guard takes the issuer and the CA as they are, and refuses all that they break.
import { once } from 'node:events'
import { createServer, request as httpsRequest } from 'node:https'
import { authenticated, createGuard, type Decision, type Guard } from '@countersign/core'
import {
  brokenCertificateKinds,
  brokenIntermediateKinds,
  brokenTokenKinds,
  createTestCa,
  createTestClock,
  createTestIssuer,
  type BrokenIntermediateKind,
  type TestCa,
  type TestCertificate,
} from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe('an issuer in memory', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })

  test('stands in `issuers` as it is', async () => {
    expect(await decide(guard, await idp.token('checkout'))).toMatchObject({
      outcome: 'allow',
      caller: { id: 'https://issuer.test#client=checkout' },
    })
  })

  test('lives in the time of its clock', async () => {
    const token = await idp.token('checkout')
    clock.advance({ seconds: 600 })
    expect(await decide(guard, token)).toMatchObject({ outcome: 'deny', refusal: { code: 'token_expired' } })
  })

  test.each(brokenTokenKinds)('makes a token that is %s, which a guard refuses', async (kind) => {
    const token = await idp.broken(kind, 'checkout', { scopes: ['orders:read'] })
    expect(await decide(guard, token)).toMatchObject({ outcome: 'deny', response: { status: 401 } })
  })
})

test.each(['RS256', 'PS256', 'EdDSA', 'Ed25519'] as const)(
  'a guard accepts %s without being told',
  async (alg) => {
    const idp = await createTestIssuer({ alg })
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false })
    expect(await decide(guard, await idp.token('checkout'))).toMatchObject({ outcome: 'allow' })
  },
)

test('a guard takes every option that the issuer passes on', async () => {
  const idp = await createTestIssuer({
    represents: 'workload',
    workloadClaim: 'spiffe_id',
    trustDomains: ['prod.example'],
    algorithms: ['ES256'],
    audience: ['billing', 'invoices'],
  })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false })
  const token = await idp.token('checkout', { claims: { spiffe_id: 'spiffe://prod.example/checkout' } })
  expect(await decide(guard, token)).toMatchObject({ caller: { id: 'spiffe://prod.example/checkout' } })
})

test('a guard discovers a listening issuer and tells its outage from a bad token', async () => {
  const idp = await createTestIssuer({ listen: true })
  const open = (): Guard => createGuard({ audience: 'orders', issuers: [idp], log: false })
  expect(await decide(open(), await idp.token('checkout'))).toMatchObject({ outcome: 'allow' })
  expect(idp.requests).toBe(1)
  idp.outage(true)
  expect(await decide(open(), await idp.token('checkout'))).toMatchObject({ response: { status: 503 } })
  await idp.close()
})

describe('a CA', async () => {
  const ca = await createTestCa()
  const issuing = await ca.intermediate()
  const broken = new Map<BrokenIntermediateKind, TestCa>()
  for (const kind of brokenIntermediateKinds) broken.set(kind, await ca.brokenIntermediate(kind))

  const guard = createGuard({ certificates: { trustDomains: { [ca.trustDomain]: ca.bundle } }, log: false })
  // Some versions of Node lose the intermediates that a client sends (nodejs/node#65579), but find them in `ca`.
  const intermediates = [issuing, ...broken.values()].map(({ chain }) => chain)
  const { cert, key } = await ca.serverCertificate()
  const ciphers = 'DEFAULT@SECLEVEL=0'
  const trust = {
    ca: [...guard.clientAuthorities, ...intermediates],
    requestCert: true,
    rejectUnauthorized: false,
  }
  const server = createServer({ cert, key, ciphers, ...trust }, async (request, response) => {
    const decision = await guard.decide(request, authenticated())
    response.end(decision.outcome === 'allow' ? decision.caller?.id : decision.refusal.code)
  })
  beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => server.close())

  test('issues SVIDs that a guard accepts, below an intermediate too', async () => {
    expect(await call(await ca.svid('/checkout'))).toBe('spiffe://test.example/checkout')
    expect(await call(await issuing.svid('/checkout'))).toBe('spiffe://test.example/checkout')
  })

  test.each(brokenCertificateKinds)('makes a certificate that is %s, which a guard refuses', async (kind) => {
    expect(await call(await ca.broken(kind, '/checkout'))).toMatch(/^(certificate|svid|trust_domain)_/)
  })

  test.each(brokenIntermediateKinds)(
    'makes an intermediate that is %s, whose SVID a guard refuses',
    async (kind) => {
      const svid = await broken.get(kind)?.svid('/checkout')
      expect(svid && (await call(svid))).toMatch(/^certificate_(?!untrusted)/)
    },
  )

  async function call(client: TestCertificate): Promise<string> {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const identity = { cert: client.cert, key: client.key, ca: ca.bundle, ciphers, agent: false }
    httpsRequest({ host: 'localhost', family: 4, port: address.port, ...identity }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString())
    })
      .on('error', reject)
      .end()
    return promise
  }
})

async function decide(guard: Guard, token: string): Promise<Decision> {
  const authorization = `Bearer ${token}`
  const rawHeaders = ['authorization', authorization]
  return guard.decide(
    { method: 'GET', url: '/', headers: { authorization }, rawHeaders, socket: {} },
    authenticated(),
  )
}
