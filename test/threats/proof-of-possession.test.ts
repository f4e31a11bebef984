import { authenticated, createGuard } from '@countersign/core'
import { callerOf, callerOptional, countersign, requires } from '@countersign/express'
import { brokenTokenKinds, createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { codeFor, connectionOf } from '../core/support/asking.ts'
import { createHouse } from '../core/support/house.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

test.each([
  ['DPoP', { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }],
  ['mutual TLS', { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' }],
  ['both', { jkt: 'a', 'x5t#S256': 'b' }],
  ['a key', { jwk: { kty: 'EC' } }],
  ['a kind that nobody knows', { 'urn:x': 'y' }],
  ['nothing', {}],
  ['null', null],
  ['a text', 'jkt'],
  ['a list', [{ jkt: 'a' }]],
])('T35 a token that is bound by %s is no bearer token', async (_, cnf) => {
  const { guard, token } = createHouse()
  expect(await codeFor(guard, token({ cnf }))).toBe('confirmation_unsupported')
  expect(await codeFor(guard, token({ cnf }))).toBe('confirmation_unsupported') // nor is it remembered as one
})

test('T35 a bound token is refused even beside the certificate that it is bound to, until that can be checked', async () => {
  const clock = createTestClock()
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const idp = await createTestIssuer({ clock, represents: 'user' })
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [idp],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      log: false,
    },
    { clock },
  )
  const svid = await ca.svid('/checkout')
  const thumbprint = createHash('sha256').update(svid.der).digest('base64url')
  const token = await idp.token('web', { user: 'alice', claims: { cnf: { 'x5t#S256': thumbprint } } })
  expect(await codeFor(guard, token, authenticated(), connectionOf(svid))).toBe('confirmation_unsupported')
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
