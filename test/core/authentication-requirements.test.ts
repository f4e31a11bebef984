import { createHash } from 'node:crypto'
import {
  allOf,
  anyOf,
  authenticatedWith,
  ConfigurationError,
  freshWithin,
  provenBy,
  scopes,
  type Requirement,
} from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeFor, codeOf, connectionOf, refusalOf, requestWith } from './support/asking.ts'
import { createHouse } from './support/house.ts'
import { mistakeOf } from './support/mistake.ts'

const clock = createTestClock()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
const svid = await ca.svid('/ns/shop/sa/checkout')
const house = createHouse({
  clock,
  issuerOptions: { represents: 'user' },
  guardOptions: { certificates: { trustDomains: { 'prod.example': ca.bundle } } },
})
const { guard, token } = house
const now = (): number => clock.now() / 1000

const ask = (claims: Readonly<Record<string, unknown>>, requirement: Requirement): Promise<string> =>
  codeFor(guard, token(claims), requirement)

/** The parameters of the challenge, from the first that only RFC 9470 has. */
async function stepUpOf(claims: Readonly<Record<string, unknown>>, requirement: Requirement) {
  const { refusal, response } = await refusalOf(guard, requestWith(`Bearer ${token(claims)}`), requirement)
  const [, parameters] =
    /(?:^Bearer .*?)((?:acr_values|max_age)=.*)?$/.exec(response.headers['www-authenticate'] ?? '') ?? []
  return { code: refusal.code, status: response.status, parameters }
}

async function detailOf(claims: Readonly<Record<string, unknown>>, requirement: Requirement) {
  return (await refusalOf(guard, requestWith(`Bearer ${token(claims)}`), requirement)).refusal.detail
}

describe('freshWithin', () => {
  const recent = freshWithin('5m')

  test.each<[string, number | undefined, string]>([
    ['not said', undefined, 'authentication_insufficient'],
    ['a second too long ago', -301, 'authentication_insufficient'],
    ['a year ago', -31_536_000, 'authentication_insufficient'],
    ['as long ago as may be', -300, 'allow'],
    ['just now', 0, 'allow'],
    ['by a clock that is a little ahead', 300, 'allow'],
    ['in the future', 301, 'authentication_insufficient'],
  ])('of a user whose authentication was %s', async (_, ago, code) => {
    expect(await ask({ auth_time: ago === undefined ? undefined : now() + ago }, recent)).toBe(code)
  })

  test('is asked each time, of a token and a connection that are known, too', async () => {
    const text = token({ auth_time: now() })
    const socket = {}
    expect(await codeFor(guard, text, recent, socket)).toBe('allow')
    clock.advance({ seconds: 301 })
    expect(await codeFor(guard, text, recent, socket)).toBe('authentication_insufficient')
    expect(await codeFor(guard, text, freshWithin('10m'), socket)).toBe('allow')
    clock.advance({ seconds: -301 })
  })

  test('is never met by a certificate, which tells of no user', async () => {
    const decision = await guard.decide(requestWith(undefined, connectionOf(svid)), recent)
    expect(codeOf(decision)).toBe('authentication_insufficient')
  })

  test.each<[unknown, number]>([
    [90, 90],
    ['30s', 30],
    ['5m', 300],
    ['12h', 43_200],
    ['7d', 604_800],
  ])('takes %j for %i seconds', async (duration, seconds) => {
    const requirement = freshWithin(duration as number)
    expect(await ask({ auth_time: now() - seconds }, requirement)).toBe('allow')
    expect(await ask({ auth_time: now() - seconds - 1 }, requirement)).toBe('authentication_insufficient')
  })

  test.each([
    undefined,
    null,
    0,
    -5,
    1.5,
    Number.NaN,
    Infinity,
    '',
    '5',
    '5 m',
    '5M',
    '0s',
    '-5m',
    '1w',
    '5m5s',
    {},
  ])('does not take %j', (duration) => {
    expect(mistakeOf(() => freshWithin(duration as number))).toMatchObject({
      option: 'freshWithin(duration)',
      message: expect.stringContaining("such as '5m' or 300, got "),
    })
  })

  test.each([
    [-5, /got -5$/],
    ['1w', /got a string$/],
    ['x 5m', /got a string$/],
  ])('says what %j is', (duration, message) => {
    expect(mistakeOf(() => freshWithin(duration as number))).toHaveProperty(
      'message',
      expect.stringMatching(message),
    )
  })

  test.each([
    [undefined, 'no `auth_time`'],
    [-400.4, '400 s ago'],
  ])('tells the operator of a user whose authentication was at %j', async (at, actual) => {
    const auth_time = at === undefined ? undefined : now() + at
    expect(await detailOf({ auth_time }, recent)).toEqual({
      expected: 'an authentication within 300 s',
      actual,
      advice: expect.stringContaining('`max_age`'),
    })
  })
})

describe('authenticatedWith', () => {
  const strong = authenticatedWith('urn:x:mfa', 'phr')

  test.each<[unknown, string]>([
    [undefined, 'authentication_insufficient'],
    ['urn:x:pwd', 'authentication_insufficient'],
    ['URN:X:MFA', 'authentication_insufficient'],
    ['urn:x:mfa phr', 'authentication_insufficient'],
    ['urn:x:mfa', 'allow'],
    ['phr', 'allow'],
    [['phr'], 'claim_malformed'],
    [1, 'claim_malformed'],
  ])('of a user of the class %j is answered with %s', async (acr, code) => {
    expect(await ask({ acr }, strong)).toBe(code)
  })

  test.each([
    [],
    [''],
    ['a b'],
    ['a"b'],
    ['a\\b'],
    ['a\nb'],
    ['caf\u00e9'],
    ['x'.repeat(257)],
    [null],
    [['a']],
    ['a', ''],
  ])('does not take %j', (...values) => {
    expect(() => authenticatedWith(...(values as [string]))).toThrow(ConfigurationError)
  })

  test('says which of them it does not take', () => {
    expect(mistakeOf(() => authenticatedWith(...([] as unknown as [string])))).toMatchObject({
      option: 'authenticatedWith()',
      message: expect.stringContaining("such as authenticatedWith('urn:example:mfa')"),
    })
    expect(mistakeOf(() => authenticatedWith('a', 'b c'))).toMatchObject({
      option: 'authenticatedWith(…)[1]',
      message: expect.stringContaining('printable characters'),
    })
  })

  test.each([
    [undefined, 'no `acr`'],
    ['urn:x:pwd', '"urn:x:pwd"'],
  ])('tells the operator of a user of the class %j', async (acr, actual) => {
    expect(await detailOf({ acr }, strong)).toEqual({
      expected: '`acr`: urn:x:mfa or phr',
      actual,
      advice: expect.stringContaining('`acr_values`'),
    })
  })
})

describe('what a user has to do is said in the challenge (RFC 9470):', () => {
  const old = { auth_time: 1, acr: 'urn:x:pwd' }

  test.each<[string, Requirement, string]>([
    ['how fresh', freshWithin('5m'), 'max_age="300"'],
    ['in which class', authenticatedWith('urn:x:mfa', 'phr'), 'acr_values="urn:x:mfa phr"'],
    [
      'both, in one turn',
      allOf(freshWithin('5m'), authenticatedWith('phr')),
      'acr_values="phr", max_age="300"',
    ],
    [
      'both in the other order',
      allOf(authenticatedWith('phr'), freshWithin('5m')),
      'acr_values="phr", max_age="300"',
    ],
    ['the shortest of several', allOf(freshWithin('1h'), allOf(freshWithin('5m'))), 'max_age="300"'],
    [
      'the classes of several, once',
      anyOf(authenticatedWith('a', 'b'), authenticatedWith('b', 'c')),
      'acr_values="a b c"',
    ],
    [
      'beside the scopes',
      allOf(freshWithin('5m'), scopes('orders:read')),
      'max_age="300", scope="orders:read"',
    ],
  ])('%s', async (_, requirement, parameters) => {
    expect(await stepUpOf({ ...old, scope: 'orders:read' }, requirement)).toEqual({
      code: 'authentication_insufficient',
      status: 401,
      parameters,
    })
  })

  test('and nothing of it where something else is missing', async () => {
    const requirement = allOf(scopes('orders:read'), freshWithin('5m'))
    expect(await stepUpOf(old, requirement)).toEqual({
      code: 'scope_missing',
      status: 403,
      parameters: undefined,
    })
    const either = anyOf(scopes('orders:read'), freshWithin('5m'))
    expect(await ask(old, either)).toBe('requirement_unmet')
    expect(await ask({ ...old, scope: 'orders:read' }, either)).toBe('allow')
  })
})

describe('provenBy', () => {
  const x5t = createHash('sha256').update(svid.der).digest('base64url')
  const bound = { cnf: { 'x5t#S256': x5t } }
  const other = createHouse({ clock })
  const byCertificate = provenBy('certificate')
  const byBinding = provenBy('boundToken')

  const on = (
    claims: object,
    requirement: Requirement,
    socket: object = connectionOf(svid),
  ): Promise<string> => codeFor(guard, token({ ...claims }), requirement, socket)

  test('refuses with 401, since another credential would do', async () => {
    const { refusal, response } = await refusalOf(guard, requestWith(`Bearer ${token()}`), byCertificate)
    expect(refusal.code).toBe('proof_insufficient')
    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  test('a certificate is met by the certificate of the service, never by a token that is bound to one', async () => {
    expect(await on({}, byCertificate, {})).toBe('proof_insufficient')
    expect(await on({}, byCertificate)).toBe('allow')
    expect(codeOf(await guard.decide(requestWith(undefined, connectionOf(svid)), byCertificate))).toBe(
      'allow',
    )
    // Where no certificate counts, a binding to one says nothing of whose it is.
    expect(await codeFor(other.guard, other.token(bound), byCertificate, connectionOf(svid))).toBe(
      'proof_insufficient',
    )
  })

  test('a bound token is met by a token that is bound, never by a bearer token beside a certificate', async () => {
    expect(await on({}, byBinding)).toBe('proof_insufficient')
    expect(await on(bound, byBinding)).toBe('allow')
    expect(codeOf(await guard.decide(requestWith(undefined, connectionOf(svid)), byBinding))).toBe(
      'proof_insufficient',
    )
    expect(await codeFor(other.guard, other.token(bound), byBinding, connectionOf(svid))).toBe('allow')
  })

  test('DPoP is not met by a token that is bound to a certificate', async () => {
    expect(await on(bound, provenBy('dpop'))).toBe('proof_insufficient')
  })

  test('takes one of several, and all of them by `allOf`', async () => {
    expect(await on({}, provenBy('dpop', 'certificate'))).toBe('allow')
    expect(await on({}, anyOf(byBinding, byCertificate))).toBe('allow')
    expect(await on({}, anyOf(byBinding, byCertificate), {})).toBe('proof_insufficient')
    expect(await on({}, allOf(byBinding, byCertificate))).toBe('proof_insufficient')
    expect(await on(bound, allOf(byBinding, byCertificate))).toBe('allow')
  })

  test.each([[], ['token'], ['bearer'], ['Certificate'], [undefined], ['certificate', 'x'], ['toString']])(
    'does not take %j',
    (...proofs) => {
      expect(() => provenBy(...(proofs as ['dpop']))).toThrow(ConfigurationError)
    },
  )

  test('says which of them it does not take', () => {
    expect(mistakeOf(() => provenBy(...([] as unknown as ['dpop'])))).toMatchObject({
      option: 'provenBy()',
      message: expect.stringContaining("such as provenBy('certificate')"),
    })
    expect(mistakeOf(() => provenBy('dpop', 'x' as 'dpop'))).toMatchObject({
      option: 'provenBy(…)[1]',
      message: expect.stringContaining("write 'certificate', 'boundToken' or 'dpop'"),
    })
  })

  test('tells the operator what the caller is proven by', async () => {
    const request = requestWith(`Bearer ${token()}`, connectionOf(svid))
    const { refusal } = await refusalOf(guard, request, provenBy('dpop', 'boundToken'))
    expect(refusal.detail).toEqual({
      expected: 'proven by dpop or boundToken',
      actual: 'proven by token, certificate',
    })
    expect(provenBy('dpop').scopes).toEqual([])
  })
})

test('requirements of authentication read as what they are, and stay so', () => {
  const all = allOf(freshWithin('5m'), authenticatedWith('a', 'b'), provenBy('dpop', 'certificate'))
  expect(all.text).toBe('allOf(freshWithin(5m), authenticatedWith(a, b), provenBy(dpop, certificate))')
  for (const one of [all, freshWithin('5m'), authenticatedWith('a')]) {
    expect(Object.isFrozen(one.stepUp) && Object.isFrozen(one.stepUp?.acrValues)).toBe(true)
  }
})
