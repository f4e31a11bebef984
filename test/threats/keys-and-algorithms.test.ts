import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createGuard, type Guard, type GuardOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { codeFor } from '../core/support/asking.ts'
import { createHouse, issuer } from '../core/support/house.ts'
import { openSite } from '../core/support/issuer-site.ts'
import { createRawSigner, segment } from '../core/support/raw-signer.ts'

const { guard, token, jws, header, claims, signer, clock } = createHouse()
const rsa = createRawSigner('RS256')
const stranger = createRawSigner()

const trusting = (...keys: readonly object[]): Guard =>
  createGuard({ audience: 'orders', issuers: [{ issuer, jwks: { keys } }], log: false }, { clock })

function hmac(alg: 'HS256' | 'HS384' | 'HS512', secret: string | Buffer, kid = 'key-1'): string {
  const input = `${segment({ ...header, alg, kid })}.${segment(claims())}`
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`
}

describe('T01 HMAC with a public key', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()

  test.each([
    ['PEM', pem],
    ['PEM of PKCS#1', pkcs1],
    ['PEM behind white space', `\n \t${pem}`],
    ['PEM behind another prefix', `key: ${pem}`],
    ['PEM without its last line break', pem.trimEnd()],
    ['DER', rsa.publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(rsa.jwk)],
    ['JWK Set', JSON.stringify({ keys: [rsa.jwk] })],
  ])('T01 is refused for the key as %s', async (_, secret) => {
    const trusted = trusting({ ...rsa.jwk, kid: 'key-1' })
    for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
      expect(await codeFor(trusted, hmac(alg, secret))).toBe('algorithm_not_allowed')
    }
  })

  test('T01 cannot be configured: symmetric algorithms and keys are not to be had beside public keys', () => {
    const options = (changes: object): GuardOptions => ({
      audience: 'orders',
      issuers: [{ issuer, jwks: { keys: [rsa.jwk] }, ...changes }],
    })
    expect(() => createGuard(options({ algorithms: ['RS256', 'HS256'] }))).toThrow(/symmetric/)
    expect(() => createGuard(options({ jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }))).toThrow(
      /symmetric/,
    )
  })
})

test.each([
  ['none', ''],
  ['None', ''],
  ['NONE', ''],
  ['nOnE', ''],
  ['none', 'c2ln'],
  ['', ''],
])('T02 alg %j with the signature %j is refused', async (alg, signature) => {
  expect(await codeFor(guard, `${segment({ ...header, alg })}.${segment(claims())}.${signature}`)).toBe(
    'algorithm_not_allowed',
  )
})

test('T02 a token without a signature is refused under a good algorithm, and so is one without `alg`', async () => {
  expect(await codeFor(guard, `${segment(header)}.${segment(claims())}.`)).toBe('token_malformed')
  expect(await codeFor(guard, jws({ ...header, alg: undefined }, claims()))).toBe('token_malformed')
})

test('T03 an empty key, or a key that cannot be read, verifies nothing', async () => {
  for (const secret of ['', '\0', 'undefined', 'null', '[object Object]']) {
    expect(await codeFor(guard, hmac('HS256', secret))).toBe('algorithm_not_allowed')
    expect(await codeFor(guard, hmac('HS256', secret, 'missing'))).toBe('algorithm_not_allowed')
  }
  const both = trusting({ kty: 'EC', crv: 'P-256', x: '', y: '', kid: 'key-1' }, rsa.jwk)
  expect(await codeFor(both, token())).toBe('key_unknown')
  expect(await codeFor(trusting({ ...rsa.jwk, kid: 'other' }), token())).toBe('key_unknown')
})

test('T04 a token does not choose its algorithm where the key names none', async () => {
  const unnamed = trusting({ ...rsa.jwk, kid: 'key-1' })
  expect(await codeFor(unnamed, rsa.jws({ ...header, alg: 'RS256' }, claims()))).toBe('allow')
  const rs512 = createRawSigner('RS512')
  const open = trusting({ ...rs512.jwk, kid: 'key-1' })
  expect(await codeFor(open, rs512.jws({ ...header, alg: 'RS512' }, claims()))).toBe('algorithm_not_allowed')
  expect(await codeFor(unnamed, hmac('HS256', rsa.publicKey.export({ type: 'spki', format: 'der' })))).toBe(
    'algorithm_not_allowed',
  )
})

test('T05 a key of another type or curve than the algorithm is not used', async () => {
  const p384 = createRawSigner('ES384')
  const ed25519 = createRawSigner('Ed25519')
  const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' })
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' })
  const dsa = { kty: 'DSA', p: 'AQAB', y: 'AQAB' }
  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA']) {
    const fitting = { ES256: 'EC-P-256', RS256: 'RSA-', PS256: 'RSA-', EdDSA: 'OKP-Ed25519' }[alg]
    for (const jwk of [p384.jwk, ed25519.jwk, ed448, x25519, secp256k1, dsa, signer.jwk, rsa.jwk]) {
      const kind = `${jwk.kty}-${'crv' in jwk ? (jwk.crv ?? '') : ''}`
      if (kind === fitting) continue
      const both = trusting({ ...jwk, kid: 'key-1' }, { ...rsa.jwk, kid: 'other' })
      expect(await codeFor(both, jws({ ...header, alg }, claims())), `${alg} with ${kind}`).toBe(
        'key_unknown',
      )
    }
  }
})

test('T06 an algorithm, a type or a key outside the signed header is not read', async () => {
  const [head = '', body = '', tail = ''] = token().split('.')
  for (const extra of [
    `${head}.${body}.${tail}.${segment({ alg: 'none' })}`,
    `${segment({ alg: 'none' })}.${head}.${body}.${tail}`,
  ]) {
    expect(await codeFor(guard, extra)).toBe('token_malformed')
  }
  const flattened = JSON.stringify({
    protected: segment({ typ: 'at+jwt' }),
    header: { alg: 'ES256' },
    payload: body,
    signature: tail,
  })
  expect(await codeFor(guard, flattened)).toBe('token_malformed')
  expect(await codeFor(guard, jws({ typ: 'at+jwt', kid: 'key-1' }, claims({ alg: 'ES256' })))).toBe(
    'token_malformed',
  )
})

test('T07 a key that the token brings along is not trusted', async () => {
  const jwk = { ...stranger.jwk, kid: 'key-1', alg: 'ES256', use: 'sig' }
  expect(await codeFor(guard, stranger.jws({ ...header, jwk }, claims()))).toBe('signature_invalid')
  expect(await codeFor(guard, stranger.jws({ ...header, kid: 'mine', jwk }, claims()))).toBe('key_unknown')
  expect(await codeFor(guard, stranger.jws(header, claims({ jwk, cnf_jwk: jwk })))).toBe('signature_invalid')
})

test('T08 nothing is fetched from a URL in a token', async () => {
  await using attacker = await openSite(() => ({ '/k': { keys: [{ ...stranger.jwk, kid: 'key-1' }] } }))
  const url = `${attacker.origin}/k`
  const certificate = Buffer.from('certificate').toString('base64')
  for (const place of [
    { jku: url },
    { x5u: url },
    { x5c: [certificate] },
    { kid: url },
    { 'x5t#S256': 'x' },
    { iss: url },
  ]) {
    const kid = 'kid' in place ? 'key_unknown' : 'signature_invalid'
    expect(await codeFor(guard, stranger.jws({ ...header, ...place }, claims()))).toBe(kid)
  }
  expect(await codeFor(guard, stranger.jws(header, claims({ iss: attacker.origin })))).toBe('issuer_unknown')
  expect(await codeFor(guard, stranger.jws(header, claims({ jku: url, jwks_uri: url })))).toBe(
    'signature_invalid',
  )
  expect(attacker.hits).toEqual([])
})

test.each([
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../etc/passwd',
  '/dev/null',
  "key-1' UNION SELECT 'c2VjcmV0",
  'key-1\0',
  'KEY-1',
  'key-1 ',
  'https://attacker.test/k',
  '*',
])('T09 the kid %j is a name that no key has', async (kid) => {
  expect(await codeFor(guard, jws({ ...header, kid }, claims()))).toBe('key_unknown')
})

test.each([
  ['an extension nobody knows', { crit: ['urn:x'], 'urn:x': true }],
  ['one that it does not carry', { crit: ['urn:x'] }],
  ['b64, which a token must not have', { crit: ['b64'], b64: false }],
  ['b64 without saying so', { b64: false }],
  ['nothing', { crit: [] }],
  ['a text', { crit: 'b64' }],
  ['an object', { crit: {} }],
  ['a registered member', { crit: ['alg'] }],
])('T10 a header that calls critical %s is refused', async (_, extra) => {
  expect(await codeFor(guard, jws({ ...header, ...extra }, claims()))).toBe('token_critical_header')
})

test('T11 one token has one spelling', async () => {
  const good = token()
  const [head = '', body = '', tail = ''] = good.split('.')
  const twins = [
    `${good}=`,
    `${good}==`,
    `${head}=.${body}.${tail}`,
    `${head}.${body}=.${tail}`,
    `${head}\n.${body}.${tail}`,
    `${head}.${body}.${tail}\n`,
    `${head}.${body}.${tail.replaceAll('-', '+').replaceAll('_', '/')}+`,
    ...['A', 'Q', 'g', 'w'].flatMap((last) =>
      [1, 2, 3].map((i) => `${good.slice(0, -1)}${String.fromCodePoint((last.codePointAt(0) ?? 0) + i)}`),
    ),
  ]
  expect(await codeFor(guard, good)).toBe('allow')
  for (const twin of twins) {
    if (twin !== good) expect(await codeFor(guard, twin), twin.slice(-20)).not.toBe('allow')
  }
})

test('T11 invalid UTF-8 and members that are no text are refused', async () => {
  expect(
    await codeFor(
      guard,
      jws(Buffer.from(`{"alg":"ES256","typ":"at+jwt","kid":"key-1","x":"\u00ff"}`, 'latin1'), claims()),
    ),
  ).toBe('token_malformed')
  expect(await codeFor(guard, jws({ ...header, kid: 1 }, claims()))).toBe('token_malformed')
  expect(await codeFor(guard, jws({ ...header, typ: ['at+jwt'] }, claims()))).toBe('token_malformed')
})

test('T11 a member that is named twice is refused, in the header and in the claims', async () => {
  expect(await codeFor(guard, jws('{"alg":"ES256","kid":"x","kid":"key-1","typ":"at+jwt"}', claims()))).toBe(
    'token_malformed',
  )
  const twice = JSON.stringify(claims()).replace('{', '{"sub":"admin",')
  expect(await codeFor(guard, jws(header, twice))).toBe('token_malformed')
})

test.each([
  ['use enc', { use: 'enc' }],
  ['a use of its own', { use: 'signature' }],
  ['key_ops without verify', { key_ops: ['sign', 'wrapKey'] }],
  ['no key_ops', { key_ops: [] }],
  ['use sig but key_ops encrypt', { use: 'sig', key_ops: ['encrypt'] }],
])('T12 a key with %s verifies nothing', async (_, members) => {
  const both = trusting({ ...signer.jwk, kid: 'key-1', ...members }, { ...rsa.jwk, kid: 'other' })
  expect(await codeFor(both, token())).toBe('key_unknown')
})

test.each([Number.NaN, Infinity, -Infinity, -1, 301, '30', {}])(
  'T13 a clock tolerance of %j is refused at the start',
  (clockToleranceSeconds) => {
    const options = {
      audience: 'orders',
      issuers: [issuer],
      clockToleranceSeconds,
    } as unknown as GuardOptions
    expect(() => createGuard(options)).toThrow(/clockToleranceSeconds/)
  },
)

test('T13 without a tolerance that says something, the default ends a token', async () => {
  const { freshGuard, token: make, clock: time } = createHouse()
  const kept = make()
  time.advance({ seconds: 330 })
  expect(await codeFor(freshGuard(), kept)).toBe('token_expired')
})

test('T13 a clock that says no number lets no token in, whatever its times', async () => {
  const jwk = { ...signer.jwk, kid: 'key-1', alg: 'ES256', use: 'sig' }
  const options: GuardOptions = {
    audience: 'orders',
    issuers: [{ issuer, jwks: { keys: [jwk] } }],
    log: false,
  }
  const timeless = createGuard(options, { clock: { now: () => Number.NaN } })
  for (const text of [token(), token({ nbf: 1 })]) {
    expect(await codeFor(guard, text)).toBe('allow')
    expect(await codeFor(timeless, text)).toBe('token_expired')
  }
})
