import { createHash } from 'node:crypto'
import { authenticated, provenBy } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor, codeOf, connectionOf, requestWith } from './support/asking.ts'
import { createHouse } from './support/house.ts'
import { openTls, sessionOf, type TlsHouse } from './support/tls.ts'

// Handshakes happen in real time, so these certificates, and the tokens that are bound to them, are of the real present.
const clock = createTestClock(new Date())
const house = createHouse({ clock })
const { guard, token } = house
const ca = await createTestCa({ trustDomain: 'prod.example' })
const own = await ca.svid('/ns/shop/sa/checkout')
const other = await ca.svid('/ns/shop/sa/reports')
const trusting = createHouse({
  clock,
  issuerOptions: { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
  guardOptions: { certificates: { trustDomains: { 'prod.example': ca.bundle } } },
})

const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const thumbprintOf = ({ der }: { readonly der: Uint8Array }): string =>
  createHash('sha256').update(der).digest('base64url')
const boundTo = (svid: { readonly der: Uint8Array }) => ({ 'x5t#S256': thumbprintOf(svid) })

const opened: TlsHouse[] = []
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()))
})

describe('a scheme', () => {
  const present = async (scheme: string, cnf: object | undefined, socket: object = {}) =>
    codeOf(await guard.decide(requestWith(`${scheme} ${token({ cnf })}`, socket), authenticated()))

  test.each<[string, object | undefined, string]>([
    ['DPoP', undefined, 'token_not_bound'],
    ['DPoP', boundTo(own), 'token_not_bound'],
    ['Bearer', { jkt }, 'bound_token_as_bearer'],
    ['Bearer', { jkt, ...boundTo(own) }, 'bound_token_as_bearer'],
    ['DPoP', { jkt }, 'confirmation_unsupported'],
    ['DPoP', { jkt, ...boundTo(own) }, 'confirmation_unsupported'],
    ['DPoP', { jkt, ...boundTo(other) }, 'certificate_binding_mismatch'],
    ['Bearer', undefined, 'allow'],
    ['Bearer', boundTo(own), 'allow'],
  ])('%s with a token that is bound by %j is answered with %s', async (scheme, cnf, code) => {
    for (const spelled of [scheme, scheme.toLowerCase(), scheme.toUpperCase()]) {
      expect(await present(spelled, cnf, connectionOf(own))).toBe(code)
    }
  })

  test('is looked at each time, however well the token and the connection are known', async () => {
    const socket = {}
    const text = token()
    const ask = async (scheme: string) =>
      codeOf(await guard.decide(requestWith(`${scheme} ${text}`, socket), authenticated()))
    for (let i = 0; i < 2; i += 1) {
      expect(await ask('Bearer')).toBe('allow')
      expect(await ask('DPoP')).toBe('token_not_bound')
    }
  })

  test('does not make a bearer token of a proof beside it', async () => {
    const request = requestWith(`Bearer ${token({ cnf: { jkt } })}`)
    const proven = { ...request, headers: { ...request.headers, dpop: 'a.b.c' } }
    expect(codeOf(await guard.decide(proven, authenticated()))).toBe('bound_token_as_bearer')
  })
})

describe('a token that is bound to a certificate', () => {
  const bound = token({ cnf: boundTo(own) })
  const on = (socket: object, text = bound) => codeFor(guard, text, authenticated(), socket)

  test.each<[string, object]>([
    ['is not encrypted', {}],
    ['has no certificate', { getPeerCertificate: () => ({}) }],
    ['has none and says that it is authorized', { authorized: true, getPeerCertificate: () => ({}) }],
    ['has ended', { getPeerCertificate: () => null }],
    ['has a certificate for a property', { getPeerCertificate: { raw: own.der } }],
  ])('is refused on a connection that %s', async (_, socket) => {
    expect(await on(socket)).toBe('certificate_binding_missing')
  })

  test('is refused on a connection of another certificate, of the same workload too', async () => {
    expect(await on(connectionOf(other))).toBe('certificate_binding_mismatch')
    expect(await on(connectionOf(await ca.svid('/ns/shop/sa/checkout')))).toBe('certificate_binding_mismatch')
  })

  test('is held against each connection, and each token against its own binding', async () => {
    const socket = connectionOf(own)
    const theirs = token({ cnf: boundTo(other) })
    for (let i = 0; i < 2; i += 1) {
      expect(await on(socket)).toBe('allow')
      expect(await on(socket, theirs)).toBe('certificate_binding_mismatch')
      expect(await on(connectionOf(other))).toBe('certificate_binding_mismatch')
      expect(await on({})).toBe('certificate_binding_missing')
      expect(await on(socket, token())).toBe('allow')
    }
  })

  test('is not bound by SHA-1', async () => {
    const x5t = createHash('sha1').update(own.der).digest('base64url')
    expect(await on(connectionOf(own), token({ cnf: { x5t } }))).toBe('confirmation_unsupported')
  })

  test('is bound whatever else its `cnf` says', async () => {
    const extra = { kid: 'k', 'urn:x': 1 }
    expect(await on(connectionOf(own), token({ cnf: { ...boundTo(own), ...extra } }))).toBe('allow')
    expect(await on({}, token({ cnf: { ...boundTo(own), ...extra } }))).toBe('certificate_binding_missing')
  })

  test('that RFC 8705 publishes the certificate of is good with it', async () => {
    const der = Buffer.from(certificateOfRfc8705, 'base64')
    const cnf = { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' }
    expect(await on(connectionOf({ der }), token({ cnf }))).toBe('allow')
  })

  test('says so of its caller', async () => {
    const proofsOf = async (one: typeof house, text: string) =>
      (await callerFor(one.guard, text, connectionOf(own))).provenBy
    expect(await proofsOf(house, token())).toEqual(['token'])
    expect(await proofsOf(house, bound)).toEqual(['token', 'boundToken'])
    const named = { spiffe_id: own.spiffeId, cnf: boundTo(own) }
    expect(await proofsOf(trusting, trusting.token(named))).toEqual(['token', 'boundToken', 'certificate'])
  })

  test('is worth nothing beside a certificate that nobody trusts, where certificates count', async () => {
    const stranger = await (await createTestCa({ trustDomain: 'prod.example' })).svid('/ns/shop/sa/checkout')
    const text = trusting.token({ spiffe_id: stranger.spiffeId, cnf: boundTo(stranger) })
    expect(await codeFor(trusting.guard, text, authenticated(), connectionOf(stranger))).toBe(
      'certificate_untrusted',
    )
  })
})

describe('over real connections, a token that is bound to a certificate', () => {
  const house_ = async (): Promise<TlsHouse> => {
    const one = await openTls(guard, provenBy('boundToken'), { ca: [] })
    opened.push(one)
    return one
  }
  const authorization = `Bearer ${token({ cnf: boundTo(own) })}`

  test('is good with it, also where nobody trusts who issued it', async () => {
    const { call } = await house_()
    const mine = { cert: own.cert, key: own.key }
    expect(await call({ ...mine, authorization })).toMatchObject({ code: 'allow', authorized: false })
    expect(await call({ ...mine, authorization: `Bearer ${token()}` })).toMatchObject({
      code: 'proof_insufficient',
    })
  })

  test('is refused without it, and with another one', async () => {
    const { call } = await house_()
    expect(await call({ authorization })).toMatchObject({ code: 'certificate_binding_missing' })
    expect(await call({ cert: other.cert, key: other.key, authorization })).toMatchObject({
      code: 'certificate_binding_mismatch',
    })
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is bound to what a resumed session of %s had',
    async (maxVersion) => {
      const one = await house_()
      const mine = { cert: own.cert, key: own.key, maxVersion }
      const session = await sessionOf(one, mine)
      const bare = await sessionOf(one, { maxVersion })
      expect(await one.call({ ...mine, session, authorization })).toMatchObject({
        isResumed: true,
        code: 'allow',
      })
      expect(await one.call({ maxVersion, session: bare, authorization })).toMatchObject({
        isResumed: true,
        code: 'certificate_binding_missing',
      })
    },
  )
})

// Appendix A.
const certificateOfRfc8705 =
  'MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwE' +
  'bXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGG' +
  'WvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUa' +
  'KlLR50Q2DmFfQj1L+SY='
