import { ConfigurationError, createGuard, type GuardOptions, type IssuerOptions } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor, refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer, type House } from './support/house.ts'
import { createRawSigner } from './support/raw-signer.ts'
import vectors from '../vectors/jwt-svid.json' with { type: 'json' }

const trustDomain = 'spiffe://prod.example'
const sub = `${trustDomain}/ns/shop/sa/checkout`
const bundleOf = (jwk: object) => ({
  // A SPIFFE bundle marks the keys of JWT-SVIDs; the same key marked otherwise beside it makes no difference.
  keys: [
    { kid: 'key-1', ...jwk, use: 'jwt-svid' },
    { kid: 'key-1', ...jwk, use: 'sig' },
  ],
})

const signer = createRawSigner()
const clock = createTestClock()
const idp = createHouse({ clock })
const svidIssuer: IssuerOptions = { issuer: trustDomain, profile: 'jwt-svid', jwks: bundleOf(signer.jwk) }
const otherDomain = createRawSigner()
const guardOf = (...issuers: [IssuerOptions, ...IssuerOptions[]]) =>
  createGuard({ audience: 'orders', issuers, log: false }, { clock })
const guard = guardOf(
  svidIssuer,
  { issuer: 'spiffe://lab.example', profile: 'jwt-svid', jwks: bundleOf(otherDomain.jwk) },
  { issuer, jwks: { keys: [idp.signer.jwk] } },
)

type Members = Readonly<Record<string, unknown>>
const claims = (changes: Members = {}): Members => ({
  sub,
  aud: ['orders'],
  exp: clock.now() / 1000 + 300,
  ...changes,
})
const header = { alg: 'ES256', kid: 'key-1' }
const svid = (changes: Members = {}, extra: Members = {}, by = signer): string =>
  by.jws({ ...header, ...extra }, claims(changes))

test('a JWT-SVID names its workload by the SPIFFE ID alone', async () => {
  expect(await callerFor(guard, svid())).toMatchObject({
    id: sub,
    service: { id: sub, spiffeId: sub, issuer: trustDomain, clientId: undefined },
    user: undefined,
  })
})

describe('its header', () => {
  test.each([undefined, 'JWT', 'JOSE'])('may say `typ` %j', async (typ) => {
    expect(await codeFor(guard, svid({}, { typ }))).toBe('allow')
  })

  test.each(['jwt', 'jose', 'at+jwt', 'wit+jwt', 'JWT ', ''])('does not say `typ` %j', async (typ) => {
    expect(await codeFor(guard, svid({}, { typ }))).toBe('token_type_mismatch')
  })

  test.each([
    { jku: 'https://x.test' },
    { jwk: signer.jwk },
    { x5u: 'x' },
    { x5c: [] },
    { cty: 'JWT' },
    { zip: 'DEF' },
  ])('has no %j', async (extra) => {
    expect(await codeFor(guard, svid({}, extra))).toBe('token_type_mismatch')
  })

  test.each([
    [{ cty: 'JWT' }, 'token_type_mismatch', 'no header but `alg`, `kid` and `typ`', '"cty"'],
    [{ kid: undefined }, 'key_unknown', '`kid`', 'no `kid`'],
    [{ typ: 'at+jwt' }, 'token_type_mismatch', '`typ` "JWT", "JOSE" or none', '"at+jwt"'],
  ])('that is not one is told to the operator: %j', async (extra, code, expected, actual) => {
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${svid({}, extra)}`))
    expect(refusal).toEqual({ code, detail: { issuer: trustDomain, expected, actual } })
  })

  test('has nothing critical', async () => {
    expect(await codeFor(guard, svid({}, { crit: ['exp'] }))).toBe('token_critical_header')
  })

  test.each(['Ed25519', 'EdDSA'])('does not say `alg` %s, which JWT-SVIDs do not have', async (alg) => {
    const signed = createRawSigner('Ed25519').jws({ ...header, alg }, claims())
    expect(await codeFor(guard, signed)).toBe('algorithm_not_allowed')
  })
})

describe('its claims', () => {
  test.each(['aud', 'exp'])('have `%s`', async (name) => {
    expect(await codeFor(guard, svid({ [name]: undefined }))).toBe('claim_missing')
  })

  test.each(['iss', 'iat', 'nbf', 'jti'])('may have `%s`, of its type', async (name) => {
    const value = name === 'iss' || name === 'jti' ? 'https://spire.test' : clock.now() / 1000
    expect(await codeFor(guard, svid({ [name]: value }))).toBe('allow')
    expect(await codeFor(guard, svid({ [name]: [value] }))).toBe('claim_malformed')
  })

  test('end', async () => {
    expect(await codeFor(guard, svid({ exp: clock.now() / 1000 - 31 }))).toBe('token_expired')
  })

  test('are meant for this service', async () => {
    expect(await codeFor(guard, svid({ aud: 'billing' }))).toBe('audience_mismatch')
  })

  test('carry no scopes', async () => {
    expect([
      ...(await callerFor(guard, svid({ scope: 'orders:read', scp: ['orders:read'] }))).scopes,
    ]).toEqual([])
  })
})

describe('a subject', () => {
  test.each([
    'checkout',
    'https://prod.example/ns/shop/sa/checkout',
    'spiffe://prod.example/',
    'spiffe://prod.example/ns//checkout',
    'spiffe://prod.example/ns/../checkout',
    'spiffe://prod.example/checkout/',
    'spiffe://prod.example/check%6Fut',
    'spiffe://prod.example/checkout?x',
    'spiffe://prod.example/checkout#x',
    'spiffe://prod.example:443/checkout',
    'spiffe://u@prod.example/checkout',
    'spiffe://Prod.example/checkout',
    'SPIFFE://prod.example/checkout',
    ' spiffe://prod.example/checkout',
    'spiffe://prod.example/checkout\n',
    'spiffe://prod.example/\u00e9',
  ])('that is %j is no SPIFFE ID, and finds no keys', async (text) => {
    expect(await codeFor(guard, svid({ sub: text }))).toBe('claim_missing')
    expect(await codeFor(guard, svid({ sub: text, iss: 'https://spire.test' }))).toBe('issuer_unknown')
  })

  test.each([
    'spiffe://dev.example/checkout',
    'spiffe://prod.example.evil.test/x',
    'spiffe://xprod.example/x',
    'spiffe://prod.example',
  ])('%s, without a path or in no trust domain that is known, is told as that', async (text) => {
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${svid({ sub: text })}`))
    expect(refusal.code).toBe('issuer_unknown')
    expect(refusal.detail.actual).toContain(text)
  })

  test.each([undefined, null, 7, [sub], { sub }])('that is %j finds no keys', async (value) => {
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${svid({ sub: value })}`))
    expect(refusal).toEqual({ code: 'claim_missing', detail: { expected: '`iss`', actual: 'no `iss`' } })
  })

  test('is none to a guard that knows no trust domain', async () => {
    expect(await codeFor(idp.guard, svid())).toBe('claim_missing')
  })

  test('of nobody that is known is told with all who are', async () => {
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${svid({ sub: 'spiffe://x.example/a' })}`))
    expect(refusal).toEqual({
      code: 'issuer_unknown',
      detail: {
        expected: `"${trustDomain}" or "spiffe://lab.example" or "${issuer}"`,
        actual: '"spiffe://x.example/a"',
        advice: 'issuers are compared character by character, a final slash included',
      },
    })
  })

  test('is vouched for by the keys of its own trust domain only', async () => {
    const foreign = svid({ sub: 'spiffe://lab.example/checkout' })
    expect(await codeFor(guard, foreign)).toBe('signature_invalid')
    expect(await codeFor(guard, svid({}, {}, otherDomain))).toBe('signature_invalid')
    expect(await codeFor(guard, svid({ sub: 'spiffe://lab.example/checkout' }, {}, otherDomain))).toBe(
      'allow',
    )
  })
})

describe('`iss` of another configured issuer', () => {
  test('sends a JWT-SVID to that issuer, whose token it is not', async () => {
    expect(await codeFor(guard, svid({ iss: issuer }))).toBe('token_type_mismatch')
    expect(await codeFor(guard, svid({ iss: issuer }, { typ: 'at+jwt' }))).not.toBe('allow')
  })

  test('and its key never make a JWT-SVID', async () => {
    const { scope: _, ...full } = { ...idp.claims(), scope: undefined, sub }
    const own = idp.jws({ alg: 'ES256', typ: 'at+jwt' }, full)
    expect((await callerFor(guard, own)).service?.spiffeId).toBeUndefined()
    const unnamed = idp.jws({ ...header, typ: 'JWT' }, { ...full, iss: undefined })
    expect(await codeFor(guard, unnamed)).toBe('signature_invalid')
    const disguised = idp.jws({ ...header, typ: 'JWT' }, { ...full, iss: trustDomain })
    expect(await codeFor(guard, disguised)).toBe('signature_invalid')
  })

  test('in a list is no `iss`', async () => {
    const { refusal } = await refusalOf(guard, requestWith(`Bearer ${svid({ iss: [issuer] })}`))
    expect(refusal).toEqual({
      code: 'claim_malformed',
      detail: { expected: '`iss`: a string', actual: 'an object' },
    })
  })
})

describe('a trust domain as issuer', () => {
  test.each([
    'https://prod.example',
    'prod.example',
    'spiffe://prod.example/',
    'spiffe://prod.example/spire',
    'spiffe://Prod.example',
    'spiffe://',
    null,
  ])('is not written %j', (text) => {
    expect(() => guardOf({ ...svidIssuer, issuer: text as string })).toThrow(ConfigurationError)
  })

  test.each<[string, object, string]>([
    ['another algorithm than JWT-SVIDs have', { algorithms: ['Ed25519'] }, 'issuers[0].algorithms'],
    ['a secret', { jwks: undefined, secret: 'x'.repeat(32), algorithms: ['HS256'] }, 'issuers[0].secret'],
    ['claims of scopes', { scopeClaims: ['scope'] }, 'issuers[0].scopeClaims'],
  ])('has not %s', (_, changes, option) => {
    const options = {
      audience: 'orders',
      issuers: [{ ...svidIssuer, ...changes }],
    } as unknown as GuardOptions
    expect(() => createGuard(options)).toThrow(expect.objectContaining({ option }))
  })

  test('may be limited to callers that `grants` names', async () => {
    const granted = (grants: GuardOptions['grants']) =>
      createGuard(
        {
          audience: 'orders',
          issuers: [{ ...svidIssuer, subjects: 'granted' }],
          grants,
          log: false,
        } as GuardOptions,
        { clock },
      )
    const limited = granted({ [sub]: ['orders:read'], 'spiffe://prod.example/ns/*/sa/x': [] })
    expect([...(await callerFor(limited, svid())).scopes]).toEqual(['orders:read'])
    expect(await codeFor(limited, svid({ sub: `${trustDomain}/ns/shop/sa/reports` }))).toBe(
      'subject_not_permitted',
    )
    expect(() => granted({ 'spiffe://lab.example/x': [] })).toThrow(/subjects/)
  })
})

describe.each(vectors)('the vector of $description', ({ jwk, audience, token, code }) => {
  test(`is answered with ${code}`, async () => {
    const one: House['guard'] = createGuard(
      {
        audience,
        issuers: [
          {
            issuer: 'spiffe://example.org',
            profile: 'jwt-svid',
            jwks: bundleOf(jwk),
            // Made to last.
            maxLifetimeSeconds: 315_360_000,
          },
        ],
        log: false,
      },
      { clock: createTestClock(new Date('2098-01-01T00:00:00Z')) },
    )
    expect(await codeFor(one, token)).toBe(code)
  })
})

test('T21 a trust domain does not speak for an issuer whose name is written so that it is overlooked at first', async () => {
  const said = JSON.stringify(claims()).replace('{', `{"\\u0069ss":"${issuer}",`)
  expect(JSON.parse(said)).toMatchObject({ iss: issuer, sub })
  expect(await codeFor(guard, signer.jws(header, said))).toBe('token_malformed')
})
