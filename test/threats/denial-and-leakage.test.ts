import { generateKeyPairSync } from 'node:crypto'
import { authenticated, callerIs, createGuard, scopes, type Decision } from '@countersign/core'
import { countersign, requireScopes, requires } from '@countersign/express'
import {
  brokenCertificateKinds,
  brokenTokenKinds,
  createTestCa,
  createTestIssuer,
} from '@countersign/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { codeFor, codeOf, connectionOf, present, requestWith } from '../core/support/asking.ts'
import { createHouse, issuer } from '../core/support/house.ts'
import { createRawSigner } from '../core/support/raw-signer.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const { guard, token, jws, header, claims, signer, clock } = createHouse()

test.each([
  ['8193 characters', 'a'.repeat(8193), 'token_oversized'],
  ['a megabyte', 'a'.repeat(1_000_000), 'token_oversized'],
  ['a correct signature over too much', token({ note: 'x'.repeat(9000) }), 'token_oversized'],
  ['nothing but dots', '.'.repeat(8192), 'token_malformed'],
  ['a header that never ends', `${'e'.repeat(8000)}.e.e`, 'token_malformed'],
  ['deep JSON for a header', jws('['.repeat(2500), {}), 'token_malformed'],
  [
    'deep JSON in its claims',
    jws(header, `{"iss":"${issuer}","x":${'['.repeat(2600)}${']'.repeat(2600)}}`),
    'token_malformed',
  ],
])('T55 a token of %s is refused', async (_, text, code) => {
  expect(await codeFor(guard, text)).toBe(code)
})

test('T55 a signed token of deep JSON, thousands of scopes or audiences is answered without harm', async () => {
  const nested = (depth: number): string =>
    JSON.stringify(claims()).replace('{', `{"x":${'[1,'.repeat(depth)}1${']'.repeat(depth)},`)
  expect(await codeFor(guard, jws(header, nested(63)))).toBe('allow')
  expect(await codeFor(guard, jws(header, nested(64)))).toBe('token_malformed')
  expect(await codeFor(guard, jws(header, nested(1200)))).toBe('token_malformed')
  const many = Array.from({ length: 900 }, (_, i) => `a:${i}`)
  expect(await codeFor(guard, token({ scope: many.join(' ') }), scopes('a:899'))).toBe('allow')
  expect(await codeFor(guard, token({ scope: many.join(' ') }), scopes('a:900'))).toBe('scope_missing')
  expect(await codeFor(guard, token({ aud: [...many.slice(0, 500), 'orders'] }))).toBe('allow')
  const decision = await guard.decide(
    requestWith(`Bearer ${token({ aud: many.slice(0, 500) })}`),
    authenticated(),
  )
  expect(codeOf(decision)).toBe('audience_mismatch')
  expect(JSON.stringify(decision.outcome === 'deny' && decision.refusal).length).toBeLessThan(1000)
})

test('T55 a long target costs no more to look through for a token than it is long', async () => {
  const cost = async (query: string): Promise<number> => {
    const request = { ...requestWith('Basic x'), url: `/?${query}` }
    const start = performance.now()
    for (let i = 0; i < 5; i += 1) await guard.decide(request, authenticated())
    return performance.now() - start
  }
  // As long as Node reads. What was quadratic took a thousand times as long.
  for (const query of ['?'.repeat(16_000), '&'.repeat(16_000), '?a'.repeat(8000), '='.repeat(16_000)]) {
    const [, plain] = [await cost('a'.repeat(16_000)), await cost('a'.repeat(16_000))]
    expect(await cost(query), query.slice(0, 4)).toBeLessThan(100 * Math.max(plain, 1))
  }
})

test('T55 what an attacker writes is cut short before it is told', async () => {
  const long = 'x'.repeat(4000)
  for (const text of [
    token({ iss: `https://${long}` }),
    token({ aud: long }),
    jws({ ...header, kid: long }, claims()),
    jws({ ...header, typ: long }, claims()),
    jws({ ...header, alg: long }, claims()),
  ]) {
    const decision = await guard.decide(requestWith(`Bearer ${text}`), authenticated())
    expect(JSON.stringify(decision.outcome === 'deny' && decision.refusal).length).toBeLessThan(600)
  }
})

test('T55 an RSA key of an absurd size, or with an absurd exponent, is not used', async () => {
  const n = Buffer.alloc(2048, 0xff).toString('base64url')
  const huge = { kty: 'RSA', n, e: 'AQAB', kid: 'key-1' }
  const slow = { kty: 'RSA', n: present(createRawSigner('RS256').jwk.n), e: n, kid: 'key-1' }
  for (const jwk of [huge, slow]) {
    const trusting = createGuard(
      { audience: 'orders', issuers: [{ issuer, jwks: { keys: [jwk, signer.jwk] } }], log: false },
      { clock },
    )
    expect(await codeFor(trusting, jws({ ...header, alg: 'RS256' }, claims()))).toBe('key_unknown')
  }
})

test('T55 a key set of thousands of keys is refused as a whole, not cut short', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const keys = Array.from({ length: 5000 }, (_, i) => ({ ...jwk, kid: `key-${i + 10}` }))
  const trusting = (size: number) =>
    createGuard({
      audience: 'orders',
      issuers: [{ issuer, jwks: { keys: keys.slice(0, size) } }],
      log: false,
    })
  expect(() => trusting(5000)).toThrow(/issuers\[0\]\.jwks.*at most 256 keys, got 5000/)
  expect(() => trusting(257)).toThrow(/at most 256/)
  expect(() => trusting(256)).not.toThrow()
})

test('T55 a certificate with hundreds of names is refused', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const certified = createGuard(
    { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
    { clock },
  )
  const names = [
    { type: 'url' as const, value: 'spiffe://prod.example/x' },
    ...Array.from({ length: 300 }, (_, i) => ({ type: 'dns' as const, value: `${i}.example` })),
  ]
  const socket = connectionOf(await ca.svid('/x', { names }))
  expect(codeOf(await certified.decide(requestWith(undefined, socket), authenticated()))).toBe(
    'svid_id_malformed',
  )
})

describe.each(expressVersions)('%s', (_version, express) => {
  test('T55 oversized requests are refused before anything is decoded, and small ones are answered after them', async () => {
    const app = express()
    const idp = await createTestIssuer()
    app.use(countersign({ audience: 'orders', issuers: [idp], log: false }))
    app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    expect((await served.get('/', bearer('a'.repeat(8193)))).status).toBe(400)
    expect((await served.get('/', bearer('a'.repeat(20_000)))).status).toBe(431) // Node's own limit
    expect(
      (await served.get('/', ...Array.from({ length: 500 }, (_, i) => `Authorization: Bearer ${i}`))).status,
    ).toBe(400)
    expect((await served.get('/', bearer(await idp.token('checkout')))).status).toBe(200)
  })

  test('T56 no token, nor part of one, is written anywhere by default', async () => {
    const written: string[] = []
    for (const stream of [process.stderr, process.stdout]) {
      vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
    }
    const idp = await createTestIssuer()
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: [idp] }))
    app.get('/:n', requireScopes('orders:read'), (_request, response) => void response.send('ok'))
    await using served = await serve(app)
    const answers: string[] = []
    const sent: string[] = []
    for (const [i, kind] of brokenTokenKinds.entries()) {
      const broken = await idp.broken(kind, 'checkout', { claims: { email: 'alice-private@example.com' } })
      sent.push(broken)
      const { head, body } = await served.get(`/${i}`, bearer(broken))
      answers.push(head, body)
    }
    const good = await idp.token('checkout', { claims: { email: 'alice-private@example.com' } })
    sent.push(good)
    answers.push((await served.get('/x', bearer(good))).body)
    vi.restoreAllMocks()
    expect(written.some((line) => line.startsWith('countersign: refused GET /:n with '))).toBe(true)
    const told = [...written, ...answers].join('\n')
    expect(told).not.toContain('alice-private')
    for (const text of sent.flatMap((one) => one.split('.'))) {
      for (let at = 0; at + 8 <= text.length; at += 4) {
        expect(told.includes(text.slice(at, at + 8))).toBe(false)
      }
    }
  })

  test('T57 over the wire, one refused token looks like any other', async () => {
    const idp = await createTestIssuer()
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: [idp], log: false }))
    app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    const looks = new Set<string>()
    for (const kind of brokenTokenKinds) {
      const { head, body } = await served.get('/', bearer(await idp.broken(kind, 'checkout')))
      const { decision, ...rest } = JSON.parse(body) as { decision: string }
      looks.add(`${head.replace(/\r\ndate: [^\r]*/i, '')}${JSON.stringify(rest)}${decision.length}`)
    }
    expect([...looks]).toHaveLength(1)
  })
})

test('T56 neither a decision nor an error of it holds the token', async () => {
  const kept = token({ sub: 'alice', note: 'alice-private' })
  const decisions = await Promise.all(
    [kept, `${kept.slice(0, -4)}AAAA`, `x${kept}`].map(async (text) =>
      guard.decide(requestWith(`Bearer ${text}`), callerIs(`${issuer}#client=nobody`)),
    ),
  )
  for (const decision of decisions) {
    const text = JSON.stringify(decision)
    expect(text).not.toContain('alice-private')
    for (const part of kept.split('.')) expect(text).not.toContain(part.slice(0, 12))
  }
})

describe('T57 an answer does not tell one failed check from another:', () => {
  const look = (decision: Decision): string => {
    const { response } = decision.outcome === 'deny' ? decision : { response: undefined }
    const { status, headers, body } = present(response)
    return JSON.stringify([status, headers, body.replace(/"decision":"[^"]*"/, '')])
  }
  const ask = async (text: string) => look(await guard.decide(requestWith(`Bearer ${text}`), authenticated()))

  test('T57 unknown key, wrong audience, wrong issuer, bad signature, expired, bound, malformed', async () => {
    const texts = [
      jws({ ...header, kid: 'unknown' }, claims()),
      token({ aud: 'billing' }),
      token({ iss: 'https://attacker.test' }),
      createRawSigner().jws(header, claims()),
      token({ exp: 1 }),
      token({ nbf: 4_102_444_800 }),
      token({ cnf: {} }),
      token({ sub: undefined }),
      jws({ ...header, typ: 'JWT' }, claims()),
      jws({ ...header, alg: 'RS256' }, claims()),
      jws({ ...header, alg: 'none' }, claims()),
      jws({ ...header, crit: ['x'] }, claims()),
      'garbage',
    ]
    expect(new Set(await Promise.all(texts.map(ask))).size).toBe(1)
  })

  test('T57 every kind of broken certificate', async () => {
    const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
    const certified = createGuard(
      { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
      { clock },
    )
    const looks = new Set<string>()
    for (const kind of brokenCertificateKinds) {
      const socket = connectionOf(await ca.broken(kind, '/checkout'))
      looks.add(look(await certified.decide(requestWith(undefined, socket), authenticated())))
    }
    expect(looks.size).toBe(1)
  })

  test('T57 a caller who may not is not told who may', async () => {
    const decision = await guard.decide(
      requestWith(`Bearer ${token()}`),
      callerIs(`${issuer}#client=the-one`),
    )
    expect(look(decision)).not.toContain('the-one')
  })
})
