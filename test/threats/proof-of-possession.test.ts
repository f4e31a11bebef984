import { authenticated, createGuard, type Guard } from '@countersign/core'
import { callerOf, callerOptional, countersign, requires } from '@countersign/express'
import {
  brokenTokenKinds,
  createTestCa,
  createTestClock,
  createTestIssuer,
  createTestProofKey,
} from '@countersign/testing'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { codeFor, codeOf, connectionOf, requestWith } from '../core/support/asking.ts'
import { createHouse } from '../core/support/house.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const x5t = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2'.replace(/2$/, '0')

test.each([
  ['DPoP', { jkt }, 'bound_token_as_bearer'],
  ['mutual TLS', { 'x5t#S256': x5t }, 'certificate_binding_missing'],
  ['both', { jkt, 'x5t#S256': x5t }, 'bound_token_as_bearer'],
  ['DPoP and what nobody knows', { jkt, 'urn:x': 'y' }, 'bound_token_as_bearer'],
  ['a key', { jwk: { kty: 'EC' } }, 'confirmation_unsupported'],
  ['a kind that nobody knows', { 'urn:x': 'y' }, 'confirmation_unsupported'],
  ['nothing', {}, 'confirmation_unsupported'],
  ['null', null, 'claim_malformed'],
  ['a text', 'jkt', 'claim_malformed'],
  ['a list', [{ jkt }], 'claim_malformed'],
])('T35 a token that is bound by %s is no bearer token', async (_, cnf, code) => {
  const { guard, token } = createHouse()
  const bound = token({ cnf })
  expect(await codeFor(guard, bound)).toBe(code)
  expect(await codeFor(guard, bound)).toBe(code) // nor is it remembered as one
})

test('T35 a certificate-bound token is good on connections of that certificate only, remembered or not', async () => {
  const clock = createTestClock()
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const idp = await createTestIssuer({ clock, represents: 'user' })
  const trust = { certificates: { trustDomains: { 'prod.example': ca.bundle } } }
  const svid = await ca.svid('/checkout')
  const other = await ca.svid('/reports')
  const thumbprint = createHash('sha256').update(svid.der).digest('base64url')
  const token = await idp.token('web', { user: 'alice', claims: { cnf: { 'x5t#S256': thumbprint } } })
  // RFC 8705 §3 asks for the certificate itself, not for somebody who issued it.
  for (const certificates of [trust, {}]) {
    const guard = createGuard({ audience: 'orders', issuers: [idp], ...certificates, log: false }, { clock })
    const ask = (connection: object) => codeFor(guard, token, authenticated(), connection)
    expect(await ask({})).toBe('certificate_binding_missing')
    expect(await ask(connectionOf(other))).toBe('certificate_binding_mismatch')
    const own = connectionOf(svid)
    for (let i = 0; i < 3; i += 1) expect(await ask(own)).toBe('allow')
    expect(await ask({})).toBe('certificate_binding_missing')
    expect(await ask(connectionOf(other))).toBe('certificate_binding_mismatch')
  }
})

describe('a token that is bound by DPoP', async () => {
  const url = 'https://api.example/shop/orders/7'
  const clock = createTestClock()
  const idp = await createTestIssuer({ clock })
  const key = await createTestProofKey({ clock })
  const bound = await idp.token('checkout', { boundTo: key })
  const guardOf = () =>
    createGuard(
      { audience: 'orders', issuers: [idp], dpop: { externalUrl: 'https://api.example/shop' }, log: false },
      { clock },
    )

  /** What a guard says of the token with a proof, in a request for `/orders/7`. */
  async function ask(
    guard: Guard,
    proof: string,
    more: Readonly<Record<string, string>> = {},
    token = bound,
  ) {
    const { headers, ...request } = requestWith(`DPoP ${token}`)
    const proven = { ...request, url: '/orders/7', headers: { ...headers, dpop: proof, ...more } }
    return codeOf(await guard.decide(proven, authenticated()))
  }

  test.each([
    { host: 'api.example/shop/orders/8?' },
    { host: 'api.example/shop/orders/8#' },
    { 'x-forwarded-host': 'api.example/shop/orders/8?x=' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
    { 'x-forwarded-prefix': '/orders/8/..' },
    { forwarded: 'host="api.example/shop/orders/8?"' },
    { 'x-original-url': '/orders/8', 'x-rewrite-url': '/orders/8' },
    { ':authority': 'evil.example' },
  ])('T33 `htu` is held against the declared URL, whatever %j says', async (more) => {
    const guard = guardOf()
    for (const other of [
      'https://api.example/shop/orders/8',
      'https://evil.example/orders/7',
      'http://api.example/shop/orders/7',
    ]) {
      expect(await ask(guard, await key.proof({ url: other, token: bound }), more)).toBe(
        'dpop_proof_mismatch',
      )
    }
    expect(await ask(guard, await key.proof({ url, token: bound }), more)).toBe('allow')
  })

  test('T34 a proof is good once, however often the token and the connection are known', async () => {
    const guard = guardOf()
    const proof = await key.proof({ url, token: bound })
    const codes = await Promise.all(Array.from({ length: 20 }, () => ask(guard, proof)))
    expect(codes.toSorted()).toEqual(['allow', ...Array.from({ length: 19 }, () => 'dpop_proof_replayed')])
    expect(await ask(guard, proof)).toBe('dpop_proof_replayed')
    const again = await key.proof({ url, token: bound, claims: { jti: 'same' } })
    const twin = await key.proof({ url, token: bound, claims: { jti: 'same', note: 'another signature' } })
    expect([await ask(guard, again), await ask(guard, twin)]).toEqual(['allow', 'dpop_proof_replayed'])
  })

  test('T34 a proof with another token of the same key is a replay, one of another key is not', async () => {
    const guard = guardOf()
    const second = await idp.token('checkout', { boundTo: key })
    const stranger = await createTestProofKey({ clock })
    const theirs = await idp.token('reports', { boundTo: stranger })
    const claims = { jti: 'one' }
    expect(await ask(guard, await key.proof({ url, token: bound, claims }))).toBe('allow')
    expect(await ask(guard, await key.proof({ url, token: second, claims }), {}, second)).toBe(
      'dpop_proof_replayed',
    )
    expect(await ask(guard, await stranger.proof({ url, token: theirs, claims }), {}, theirs)).toBe('allow')
  })

  test('T36 a proof has a public key that signed it, and the hash of this token', async () => {
    const guard = guardOf()
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const withHeader = (header: object) => key.proof({ url, token: bound, header: { ...header } })
    const codes = await Promise.all(
      [
        withHeader({ jwk: privateKey.export({ format: 'jwk' }) }),
        withHeader({ jwk: { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw' }, alg: 'HS256' }),
        withHeader({ alg: 'none' }),
        withHeader({ jwk: undefined }),
        withHeader({ typ: 'JWT' }),
        withHeader({ jwk }),
        key.proof({ url }),
        key.proof({ url, token: 'another.token.here' }),
        key.proof({ url, token: bound, claims: { ath: '' } }),
      ].map(async (proof) => ask(guard, await proof)),
    )
    expect(codes).toEqual([
      ...Array.from({ length: 5 }, () => 'dpop_proof_malformed'),
      'dpop_key_mismatch',
      'dpop_proof_mismatch',
      'dpop_proof_mismatch',
      'dpop_proof_malformed',
    ])
  })

  test('T35 a connection on which the token was proven proves nothing for the next request', async () => {
    const guard = guardOf()
    const socket = {}
    const bearerToken = await idp.token('checkout')
    const on = async (authorization: string, dpop?: string) => {
      const { headers, ...request } = requestWith(authorization, socket)
      const proven = { ...request, url: '/orders/7', headers: { ...headers, ...(dpop && { dpop }) } }
      return codeOf(await guard.decide(proven, authenticated()))
    }
    expect(await on(`DPoP ${bound}`, await key.proof({ url, token: bound }))).toBe('allow')
    expect(await on(`DPoP ${bound}`)).toBe('dpop_proof_missing')
    expect(await on(`DPoP ${bound}`, 'x.y.z')).toBe('dpop_proof_malformed')
    expect(await on(`Bearer ${bearerToken}`)).toBe('allow')
    expect(await on(`Bearer ${bearerToken}`, await key.proof({ url, token: bearerToken }))).toBe(
      'dpop_proof_unexpected',
    )
  })

  test('T34 two proofs in one request are none, joined or not', async () => {
    const guard = guardOf()
    const [one, two] = [await key.proof({ url, token: bound }), await key.proof({ url, token: bound })]
    expect(await ask(guard, `${one}, ${two}`)).toBe('dpop_proof_duplicated')
    expect(await ask(guard, `${one},`)).toBe('dpop_proof_duplicated')
    const { headers, rawHeaders, ...request } = requestWith(`DPoP ${bound}`)
    const twice = [...rawHeaders, 'DPoP', one, 'dpop', two]
    const both = { ...request, url: '/orders/7', headers: { ...headers, dpop: one }, rawHeaders: twice }
    expect(codeOf(await guard.decide(both, authenticated()))).toBe('dpop_proof_duplicated')
    expect(await ask(guard, one)).toBe('allow')
  })

  test('T35 a token that is bound twice is proven twice, and a proof is used up by nothing less', async () => {
    const guard = guardOf()
    const ca = await createTestCa({ now: new Date(clock.now()) })
    const [own, other] = [await ca.svid('/checkout'), await ca.svid('/reports')]
    const twice = await idp.token('checkout', { boundTo: [key, own] })
    const proof = await key.proof({ url, token: twice })
    const on = async (socket: object, dpop?: string) => {
      const { headers, ...request } = requestWith(`DPoP ${twice}`, socket)
      const proven = {
        ...request,
        url: '/orders/7',
        headers: { ...headers, ...(dpop === undefined ? {} : { dpop }) },
      }
      return codeOf(await guard.decide(proven, authenticated()))
    }
    expect(await on({}, proof)).toBe('certificate_binding_missing')
    expect(await on(connectionOf(other), proof)).toBe('certificate_binding_mismatch')
    expect(await on(connectionOf(own))).toBe('dpop_proof_missing')
    expect(await on(connectionOf(own), proof)).toBe('allow')
    expect(await on(connectionOf(own), proof)).toBe('dpop_proof_replayed')
  })
})

describe.each(expressVersions)('%s', (_version, express) => {
  test('T37 an invalid token never makes its sender nobody, and a failing source skips no check', async () => {
    const idp = await createTestIssuer()
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: [idp], log: false }))
    app.get('/prices', callerOptional('public prices, private discounts'), (request, response) => {
      response.json({ caller: callerOf(request)?.id ?? 'nobody' })
    })
    await using served = await serve(app)
    expect(JSON.parse((await served.get('/prices')).body)).toEqual({ caller: 'nobody' })
    expect(JSON.parse((await served.get('/prices', bearer(await idp.token('checkout')))).body)).toEqual({
      caller: 'https://issuer.test#client=checkout',
    })
    for (const kind of brokenTokenKinds) {
      const answer = await served.get('/prices', bearer(await idp.broken(kind, 'checkout')))
      expect(answer.status, kind).toBe(401)
      expect(answer.body, kind).not.toContain('nobody')
    }
    for (const [value, status] of [
      ['Bearer', 400],
      ['', 400],
      ['Basic eDp5', 401],
      ['Bearer undefined', 401],
      ['Bearer null', 401],
    ] as const) {
      expect((await served.get('/prices', `Authorization: ${value}`)).status, value).toBe(status)
    }
  })

  test('T37 an issuer that is down makes nobody of no one', async () => {
    const idp = await createTestIssuer({ listen: true })
    idp.outage(true)
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: [idp], log: false }))
    app.get('/prices', callerOptional('prices'), (_request, response) => void response.send('nobody'))
    app.get('/orders', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    for (const path of ['/prices', '/orders']) {
      const answer = await served.get(path, bearer(await idp.token('checkout')))
      expect(answer.status).toBe(503)
      expect(answer.head.toLowerCase()).toContain('\r\nretry-after: ')
    }
    await idp.close()
  })
})
