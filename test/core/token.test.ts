import { generateKeyPairSync, createHmac } from 'node:crypto'
import { authenticated, ConfigurationError, createGuard, type Guard } from '@countersign/core'
import {
  brokenTokenKinds,
  createTestClock,
  createTestIssuer,
  type BrokenTokenKind,
} from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor, codeOf, present, requestWith } from './support/asking.ts'
import { claimsAt, createHouse, issuer } from './support/house.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

const house = createHouse()
const { guard, header, claims, token, jws, signer, clock } = house

test('a correct token is accepted', async () => {
  expect(await codeFor(guard, token())).toBe('allow')
})

describe('a token of the hostile corpus', async () => {
  const idp = await createTestIssuer({ clock })
  const strict = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  const codes: Record<BrokenTokenKind, string> = {
    expired: 'token_expired',
    'not-yet-valid': 'token_not_yet_valid',
    'wrong-audience': 'audience_mismatch',
    'wrong-issuer': 'issuer_unknown',
    'forged-signature': 'signature_invalid',
    'alg-none': 'algorithm_not_allowed',
    'hmac-with-public-key': 'algorithm_not_allowed',
    'tampered-payload': 'signature_invalid',
    'unknown-kid': 'key_unknown',
    'wrong-typ': 'token_type_mismatch',
    'id-token': 'token_type_mismatch',
    'no-expiry': 'claim_missing',
    'no-audience': 'claim_missing',
    'critical-header': 'token_critical_header',
    'embedded-jwk': 'signature_invalid',
    truncated: 'signature_invalid',
  }

  test.each(brokenTokenKinds)('that is %s is refused for that reason', async (kind) => {
    const broken = await idp.broken(kind, 'checkout', { scopes: ['orders:read'] })
    expect(await strict.decide(requestWith(`Bearer ${broken}`), authenticated())).toMatchObject({
      outcome: 'deny',
      refusal: { code: codes[kind] },
      response: { status: 401 },
    })
  })
})

describe('the compact form', () => {
  const good = token()
  const [head = '', body = '', tail = ''] = good.split('.')

  test.each([
    ['one part', head],
    ['two parts', `${head}.${body}`],
    ['four parts', `${good}.x`],
    ['five parts, as a JWE', `${head}.${body}.${tail}.${body}.${tail}`],
    ['an empty header', `.${body}.${tail}`],
    ['an empty payload', `${head}..${tail}`],
    ['an empty signature', `${head}.${body}.`],
    ['a leading dot', `.${good}`],
    ['padding behind the header', `${head}=.${body}.${tail}`],
    ['padding behind the payload', `${head}.${body}==.${tail}`],
    ['padding behind the signature', `${good}==`],
    ['standard base64 in the signature', `${head}.${body}.${tail.slice(0, -3)}+/A`],
    ['a line break in the payload', `${head}.${body.slice(0, 9)}\n${body.slice(9)}.${tail}`],
    ['a space before the header', `\u00a0${good}`],
  ])('with %s is refused', async (_, broken) => {
    expect(await codeFor(guard, broken)).toBe('token_malformed')
  })

  test('is refused in the other spellings of its last signature character', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // 64 octets take 86 characters: the last one carries two bits, so fifteen others decode to the same octets.
    const first = Math.floor(alphabet.indexOf(good.slice(-1)) / 16) * 16
    const twins = alphabet
      .slice(first, first + 16)
      .split('')
      .map((last) => `${good.slice(0, -1)}${last}`)
    expect(await codeFor(guard, good)).toBe('allow')
    const codes = await Promise.all(
      twins.map(async (twin) => (twin === good ? 'same' : codeFor(guard, twin))),
    )
    expect(codes.filter((code) => code !== 'same')).toEqual(
      Array.from({ length: 15 }, () => 'token_malformed'),
    )
  })

  test.each([0, 1, 2])(
    'is refused with stray bits in header and payload, whatever they hold (%i)',
    async (n) => {
      const padding = ' '.repeat(n)
      for (const part of ['header', 'payload'] as const) {
        const parts = [segment(JSON.stringify(header) + padding), segment(JSON.stringify(claims()) + padding)]
        const i = part === 'header' ? 0 : 1
        const canonical = parts[i] ?? ''
        const stray = strayBits(canonical)
        if (stray === undefined) continue
        parts[i] = stray
        const input = parts.join('.')
        expect(Buffer.from(stray, 'base64url')).toEqual(Buffer.from(canonical, 'base64url'))
        expect(await codeFor(guard, `${input}.${signer.signature(input)}`)).toBe('token_malformed')
      }
    },
  )

  test('is refused as JSON serialization', async () => {
    const json = JSON.stringify({ protected: head, payload: body, signature: tail })
    expect(await codeFor(guard, json)).toBe('token_malformed')
  })
})

describe('a signed header', () => {
  test.each([
    ['that is an array', [header], 'token_malformed'],
    ['that is null', 'null', 'token_malformed'],
    ['that is a string', '"ES256"', 'token_malformed'],
    ['that is not JSON', '{alg:"ES256"}', 'token_malformed'],
    ['that has a byte order mark', `\ufeff${JSON.stringify(header)}`, 'token_malformed'],
    [
      'that is not UTF-8',
      Buffer.from(`{"alg":"ES256","typ":"at+jwt","x":"\u00ff"}`, 'latin1'),
      'token_malformed',
    ],
    ['without `alg`', { ...header, alg: undefined }, 'token_malformed'],
    ['whose `alg` is an array', { ...header, alg: ['ES256'] }, 'token_malformed'],
    ['whose `alg` is a number', { ...header, alg: 256 }, 'token_malformed'],
    ['whose `alg` is in another case', { ...header, alg: 'es256' }, 'algorithm_not_allowed'],
    ['whose `alg` is None', { ...header, alg: 'None' }, 'algorithm_not_allowed'],
    ['whose `alg` is empty', { ...header, alg: '' }, 'algorithm_not_allowed'],
    ['whose `alg` is an inherited name', { ...header, alg: 'constructor' }, 'algorithm_not_allowed'],
    ['whose `alg` is ES256K', { ...header, alg: 'ES256K' }, 'algorithm_not_allowed'],
    ['whose `alg` is dir', { ...header, alg: 'dir', enc: 'A256GCM' }, 'algorithm_not_allowed'],
    ['whose `alg` is PBES2', { ...header, alg: 'PBES2-HS256+A128KW', p2c: 1e9 }, 'algorithm_not_allowed'],
    ['whose `kid` is a number', { ...header, kid: 1 }, 'token_malformed'],
    ['whose `kid` is an array', { ...header, kid: ['key-1'] }, 'token_malformed'],
    ['whose `typ` is an array', { ...header, typ: ['at+jwt'] }, 'token_malformed'],
    ['without `typ`', { ...header, typ: undefined }, 'token_type_mismatch'],
    ['whose `typ` is empty', { ...header, typ: '' }, 'token_type_mismatch'],
    ['whose `typ` is JWT', { ...header, typ: 'JWT' }, 'token_type_mismatch'],
    ['whose `typ` only begins right', { ...header, typ: 'at+jwt2' }, 'token_type_mismatch'],
    ['whose `typ` has a parameter', { ...header, typ: 'at+jwt;x=y' }, 'token_type_mismatch'],
    ['whose `typ` is that of a DPoP proof', { ...header, typ: 'dpop+jwt' }, 'token_type_mismatch'],
    ['with `crit`', { ...header, crit: ['exp'] }, 'token_critical_header'],
    ['with an empty `crit`', { ...header, crit: [] }, 'token_critical_header'],
    ['with `crit` null', { ...header, crit: null }, 'token_critical_header'],
    ['with `crit` that names itself', { ...header, crit: ['crit'] }, 'token_critical_header'],
    ['with `b64` false', { ...header, b64: false, crit: ['b64'] }, 'token_critical_header'],
    ['with `b64` false and no `crit`', { ...header, b64: false }, 'token_critical_header'],
    ['with `b64` true', { ...header, b64: true }, 'token_critical_header'],
    [
      'that names `alg` twice',
      `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"key-1"}`,
      'token_malformed',
    ],
    ['that names `typ` twice', `{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"key-1"}`, 'token_malformed'],
  ])('%s is refused', async (_, head, code) => {
    expect(await codeFor(guard, jws(head, claims()))).toBe(code)
  })

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'may call its type %s',
    async (typ) => {
      expect(await codeFor(guard, jws({ ...header, typ }, claims()))).toBe('allow')
    },
  )

  test('may nest what looks critical, since only its own members count', async () => {
    expect(await codeFor(guard, jws({ ...header, note: { crit: ['x'], b64: false } }, claims()))).toBe(
      'allow',
    )
  })
})

describe('a signed payload', () => {
  const text = JSON.stringify(claims())

  test.each([
    ['that is an array', [claims()]],
    ['that is an array with members', `[${text}]`],
    ['that is null', 'null'],
    ['that is a number', '5'],
    ['that is a string', JSON.stringify(text)],
    ['that is not JSON', `${text},`],
    ['that is not UTF-8', Buffer.from(text.replace('checkout', 'check\u00ffout'), 'latin1')],
    ['that has a byte order mark', `\ufeff${text}`],
    ['that names `sub` twice', text.replace('{', '{"sub":"admin",')],
    ['that names `aud` twice', text.replace('{', '{"aud":"billing",')],
  ])('%s is refused', async (_, payload) => {
    expect(await codeFor(guard, jws(header, payload))).toBe('token_malformed')
  })

  test('may have a member that is a prototype elsewhere, which gives it nothing', async () => {
    const smuggled = JSON.stringify(claims({ sub: undefined })).replace('{', '{"__proto__":{"sub":"admin"},')
    expect(await codeFor(guard, jws(header, smuggled))).toBe('claim_missing')
    const complete = text.replace('{', '{"__proto__":{"scope":"orders:read"},')
    const caller = await callerFor(guard, jws(header, complete))
    expect([...caller.scopes]).toEqual([])
  })
})

describe('a claim', () => {
  const required = ['iss', 'sub', 'client_id', 'jti', 'aud', 'exp', 'iat']

  test.each(required)('`%s` that is missing is a refusal', async (name) => {
    expect(await codeFor(guard, token({ [name]: undefined }))).toBe('claim_missing')
  })

  const wrong: readonly (readonly [string, string])[] = [
    ...['iss', 'sub', 'client_id', 'jti'].flatMap((name) =>
      ['null', '5', 'true', '{}', '[]', '["checkout"]'].map((value) => [name, value] as const),
    ),
    ...['sub', 'client_id', 'jti'].map((name) => [name, '""'] as const),
    ['iss', `["${issuer}"]`],
    ['iss', `["https://attacker.test", "${issuer}"]`],
    ...['exp', 'iat', 'nbf'].flatMap((name) =>
      ['null', '"1893456300"', '""', 'true', '[1893456300]', '{}', '1e400', '-1e400'].map(
        (value) => [name, value] as const,
      ),
    ),
    ...[
      'null',
      '""',
      '[]',
      '{}',
      '5',
      'true',
      '[""]',
      '["orders", 5]',
      '["orders", null]',
      '[["orders"]]',
    ].map((value) => ['aud', value] as const),
    ...[
      'null',
      '5',
      '[]',
      '["orders:read"]',
      '{}',
      '" "',
      '"a  b"',
      '" a"',
      '"a "',
      '"a\\tb"',
      '"a\\u0000"',
    ].map((value) => ['scope', value] as const),
    ['scope', '"a\\"b"'],
    ['scope', '"caf\u00e9"'],
  ]

  test.each(wrong)('`%s` that is %s is a refusal', async (name, value) => {
    const { [name]: _, ...others } = claims()
    const payload = JSON.stringify(others).replace('{', `{${JSON.stringify(name)}:${value},`)
    expect(await codeFor(guard, jws(header, payload))).toBe('claim_malformed')
  })

  test.each([0, -1, 1])('`exp` that is %i has passed', async (exp) => {
    expect(await codeFor(guard, token({ exp }))).toBe('token_expired')
  })

  test.each([{ jwk: {} }, { kid: 'k' }, { unheard: 1 }, {}])(
    '`cnf` that is %j is a refusal, since nothing here can check it',
    async (cnf) => {
      expect(await codeFor(guard, token({ cnf }))).toBe('confirmation_unsupported')
    },
  )

  const thumbprint = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
  test.each([
    { jkt: 'x' },
    { jkt: 1 },
    { jkt: `${thumbprint}A` },
    { jkt: thumbprint.replace(/I$/, 'J') },
    { 'x5t#S256': 'x' },
    { jkt: thumbprint, 'x5t#S256': 'x' },
    null,
    '',
    [],
  ])('`cnf` that is %j is malformed', async (cnf) => {
    expect(await codeFor(guard, token({ cnf }))).toBe('claim_malformed')
  })

  test('cannot be changed by a handler for the requests after it', async () => {
    const again = token({ nested: { roles: ['reader'] } })
    const { claims: first } = await callerFor(guard, again)
    expect(() => Object.assign(first, { sub: 'admin' })).toThrow(TypeError)
    expect(() => Object.assign(present(first['nested'] as object | undefined), { roles: [] })).toThrow(
      TypeError,
    )
    expect((await callerFor(guard, again)).claims).toMatchObject({ nested: { roles: ['reader'] } })
  })
})

describe('the audience', () => {
  test.each([
    ['another', 'billing', 'audience_mismatch'],
    ['others', ['billing', 'invoices'], 'audience_mismatch'],
    ['ours with more behind it', 'orders2', 'audience_mismatch'],
    ['ours with a slash', 'orders/', 'audience_mismatch'],
    ['ours in upper case', 'ORDERS', 'audience_mismatch'],
    ['ours with a space', 'orders ', 'audience_mismatch'],
    ['ours and others in one text', 'billing orders', 'audience_mismatch'],
    ['ours', 'orders', 'allow'],
    ['ours among others', ['billing', 'orders'], 'allow'],
  ])('of %s (%j) is answered with %s', async (_, aud, code) => {
    expect(await codeFor(guard, token({ aud }))).toBe(code)
  })

  test('of an issuer replaces that of the guard', async () => {
    const own = createHouse({ issuerOptions: { audience: ['legacy-orders', 'old-orders'] } })
    expect(await codeFor(own.guard, own.token({ aud: 'old-orders' }))).toBe('allow')
    expect(await codeFor(own.guard, own.token())).toBe('audience_mismatch')
  })
})

describe.each([0, 30, 300])('with a tolerance of %i seconds', (tolerance) => {
  const at = createTestClock()
  const local = createHouse({ tolerance, clock: at })
  const now = at.now() / 1000

  test.each(['a guard that sees it for the first time', 'a guard that remembers it'])(
    'a token ends exactly when that has passed after `exp`, for %s',
    async (which) => {
      at.set(new Date(now * 1000))
      const kept = local.token({ exp: now + 100 })
      const remembers = local.freshGuard()
      await codeFor(remembers, kept)
      const asked = (): Guard => (which.endsWith('remembers it') ? remembers : local.freshGuard())
      at.set(new Date((now + 100 + tolerance) * 1000 - 1))
      expect(await codeFor(asked(), kept)).toBe('allow')
      at.set(new Date((now + 100 + tolerance) * 1000))
      expect(await codeFor(asked(), kept)).toBe('token_expired')
    },
  )

  test.each(['nbf', 'iat'])('a token starts exactly when that is left before `%s`', async (name) => {
    at.set(new Date(now * 1000))
    const early = local.token({ iat: now, exp: now + 3000, [name]: now + 1000 })
    at.set(new Date((now + 1000 - tolerance) * 1000 - 1))
    expect(await codeFor(local.freshGuard(), early)).toBe('token_not_yet_valid')
    at.set(new Date((now + 1000 - tolerance) * 1000))
    expect(await codeFor(local.freshGuard(), early)).toBe('allow')
  })

  test('an `nbf` that lies far back does not make up for an `iat` that lies ahead', async () => {
    at.set(new Date(now * 1000))
    const early = local.token({ nbf: now - 1000, iat: now + tolerance + 1 })
    expect(await codeFor(local.freshGuard(), early)).toBe('token_not_yet_valid')
  })

  test('fractions of a second count', async () => {
    at.set(new Date(now * 1000))
    const kept = local.token({ iat: now - 100, exp: now - tolerance + 0.5 })
    expect(await codeFor(local.freshGuard(), kept)).toBe('allow')
    at.advance(500)
    expect(await codeFor(local.freshGuard(), kept)).toBe('token_expired')
  })
})

describe('an algorithm', () => {
  const rsa = createRawSigner('RS256')
  const withKeys = (keys: readonly object[], algorithms?: ['RS256'] | ['ES256'] | ['ES384']): Guard =>
    createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwks: { keys }, ...(algorithms && { algorithms }) }],
        log: false,
      },
      { clock },
    )

  test.each(['HS256', 'HS384', 'HS512'])(
    '%s is refused with any form of the public key as its secret',
    async (alg) => {
      const signers = { rsa, ec: signer }
      for (const { publicKey, jwk } of Object.values(signers)) {
        const both = withKeys([
          { ...rsa.jwk, kid: 'rsa' },
          { ...signer.jwk, kid: 'ec' },
        ])
        const secrets = [
          publicKey.export({ type: 'spki', format: 'pem' }),
          ` ${publicKey.export({ type: 'spki', format: 'pem' }).toString()}`,
          publicKey.export({ type: 'spki', format: 'der' }),
          JSON.stringify(jwk),
          JSON.stringify({ keys: [jwk] }),
          '',
        ]
        for (const secret of secrets) {
          const input = `${segment({ ...header, alg, kid: jwk.kty === 'RSA' ? 'rsa' : 'ec' })}.${segment(claims())}`
          const mac = createHmac(`sha${alg.slice(2)}`, secret)
            .update(input)
            .digest('base64url')
          expect(await codeFor(both, `${input}.${mac}`)).toBe('algorithm_not_allowed')
        }
      }
    },
  )

  test('that the key is not made for is refused', async () => {
    const guardOfRsa = withKeys([{ ...rsa.jwk, kid: 'key-1' }])
    expect(await codeFor(guardOfRsa, token())).toBe('key_unknown')
  })

  test('that the key itself rules out is refused, though it would verify', async () => {
    const ps = createRawSigner('PS256')
    const forRs256 = withKeys([{ ...ps.jwk, kid: 'key-1', alg: 'RS256' }])
    expect(await codeFor(forRs256, ps.jws({ ...header, alg: 'PS256' }, claims()))).toBe('key_unknown')
  })

  test('that the header only claims is refused', async () => {
    const forBoth = withKeys([{ ...rsa.jwk, kid: 'key-1' }])
    expect(await codeFor(forBoth, rsa.jws({ ...header, alg: 'PS256' }, claims()))).toBe('signature_invalid')
    expect(await codeFor(forBoth, rsa.jws({ ...header, alg: 'RS256' }, claims()))).toBe('allow')
  })

  test('with another curve than the key is refused', async () => {
    const p384 = createRawSigner('ES384')
    const open = withKeys([{ ...p384.jwk, kid: 'key-1' }], ['ES256'])
    expect(await codeFor(open, p384.jws({ ...header, alg: 'ES256' }, claims()))).toBe('key_unknown')
    const fitting = withKeys([{ ...p384.jwk, kid: 'key-1' }], ['ES384'])
    expect(await codeFor(fitting, p384.jws({ ...header, alg: 'ES384' }, claims()))).toBe('allow')
  })

  test.each(['RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512'])(
    '%s is refused unless the issuer was given it',
    async (alg) => {
      expect(await codeFor(guard, jws({ ...header, alg }, claims()))).toBe('algorithm_not_allowed')
    },
  )

  test('is allowed for each issuer on its own', async () => {
    const other = 'https://other-issuer.test'
    const two = createGuard(
      {
        audience: 'orders',
        issuers: [
          { issuer, jwks: { keys: [rsa.jwk, signer.jwk] }, algorithms: ['ES256'] },
          { issuer: other, jwks: { keys: [rsa.jwk] }, algorithms: ['RS256'] },
        ],
        log: false,
      },
      { clock },
    )
    const rsHeader = { alg: 'RS256', typ: 'at+jwt' }
    expect(await codeFor(two, rsa.jws(rsHeader, claims()))).toBe('algorithm_not_allowed')
    expect(await codeFor(two, rsa.jws(rsHeader, claims({ iss: other })))).toBe('allow')
  })

  test('EdDSA is the old name of Ed25519, and a key that names one is not for the other', async () => {
    const ed = createRawSigner('Ed25519')
    const open = withKeys([{ ...ed.jwk, kid: 'key-1' }])
    expect(await codeFor(open, ed.jws({ ...header, alg: 'EdDSA' }, claims()))).toBe('allow')
    expect(await codeFor(open, ed.jws({ ...header, alg: 'Ed25519' }, claims()))).toBe('allow')
    const named = withKeys([{ ...ed.jwk, kid: 'key-1', alg: 'EdDSA' }])
    expect(await codeFor(named, ed.jws({ ...header, alg: 'Ed25519' }, claims()))).toBe('key_unknown')
  })

  test('Ed25519 does not take an Ed448 key', async () => {
    const { publicKey } = generateKeyPairSync('ed448')
    const ed448 = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1' }
    const open = withKeys([ed448, { ...createRawSigner('ES256').jwk, kid: 'other' }])
    expect(await codeFor(open, jws({ ...header, alg: 'EdDSA' }, claims()))).toBe('key_unknown')
  })
})

describe('a key', () => {
  const second = createRawSigner('ES256')
  const withKeys = (...keys: readonly object[]): Guard =>
    createGuard({ audience: 'orders', issuers: [{ issuer, jwks: { keys } }], log: false }, { clock })
  const noKid = { alg: 'ES256', typ: 'at+jwt' }

  test('is found without `kid` where it is the only one that fits', async () => {
    const rsa = createRawSigner('RS256')
    expect(await codeFor(withKeys({ ...signer.jwk, kid: 'a' }, rsa.jwk), jws(noKid, claims()))).toBe('allow')
  })

  test('is not guessed without `kid` where two fit', async () => {
    const two = withKeys({ ...signer.jwk, kid: 'a' }, { ...second.jwk, kid: 'b' })
    expect(await codeFor(two, jws(noKid, claims()))).toBe('key_ambiguous')
    expect(await codeFor(two, jws({ ...noKid, kid: 'a' }, claims()))).toBe('allow')
  })

  test('is refused where two share its `kid`', async () => {
    const two = withKeys({ ...signer.jwk, kid: 'a' }, { ...second.jwk, kid: 'a' })
    expect(await codeFor(two, jws({ ...noKid, kid: 'a' }, claims()))).toBe('key_ambiguous')
  })

  test('may be published twice', async () => {
    const key = { ...signer.jwk, kid: 'a' }
    expect(await codeFor(withKeys(key, { ...key }), jws({ ...noKid, kid: 'a' }, claims()))).toBe('allow')
  })

  test('that another `kid` asks for does not verify', async () => {
    const two = withKeys({ ...signer.jwk, kid: 'a' }, { ...second.jwk, kid: 'b' })
    expect(await codeFor(two, jws({ ...noKid, kid: 'b' }, claims()))).toBe('signature_invalid')
  })

  test.each([
    '',
    'A',
    'a ',
    '../a',
    "a' OR '1'='1",
    '__proto__',
    'constructor',
    'https://attacker.test/jwks',
  ])('is compared by its whole `kid`, so %j finds none', async (kid) => {
    const one = withKeys({ ...signer.jwk, kid: 'a' })
    expect(await codeFor(one, jws({ ...noKid, kid }, claims()))).toBe('key_unknown')
  })

  test.each([
    ['is for encryption', { use: 'enc' }],
    ['has a use of its own', { use: 'Sig' }],
    ['may only sign', { key_ops: ['sign'] }],
    ['may only encrypt', { key_ops: ['encrypt'] }],
    ['may do nothing', { key_ops: [] }],
    ['may verify and, being public, cannot sign', { key_ops: ['verify', 'sign'] }],
    ['is for encryption, but may verify', { use: 'enc', key_ops: ['verify'] }],
    ['is for signatures, but may not verify', { use: 'sig', key_ops: ['wrapKey'] }],
    ['is for another algorithm', { alg: 'ES384' }],
    ['has operations that are no list', { key_ops: 'verify' }],
    ['has a use that is no text', { use: ['sig'] }],
    ['has a `kid` that is no text', { kid: 5 }],
  ])('that %s does not verify', async (_, members) => {
    const both = withKeys({ ...signer.jwk, ...members }, { ...second.jwk, kid: 'other' })
    expect(await codeFor(both, jws({ ...noKid, kid: 'a' }, claims()))).toBe('key_unknown')
    const withoutKid = jws(noKid, claims())
    expect(await codeFor(both, withoutKid)).toBe('signature_invalid') // the other key is the only one left
  })

  test('that says it may verify, does', async () => {
    const key = { ...signer.jwk, use: 'sig', key_ops: ['verify'] }
    expect(await codeFor(withKeys(key), jws(noKid, claims()))).toBe('allow')
  })

  const rsa1024 = createRawSigner('RS256', 1024)
  const rsa2048 = createRawSigner('RS256')
  const modulus = Buffer.from(present(rsa1024.jwk.n), 'base64url')

  test.each([
    ['has 1024 bits', rsa1024.jwk],
    ['has 1024 bits and zeros before them', { ...rsa1024.jwk, n: padded(modulus, 160) }],
    ['has 2047 bits', { ...rsa2048.jwk, n: shortened(present(rsa2048.jwk.n)) }],
    ['has far too many bits', { ...rsa2048.jwk, n: Buffer.alloc(1025, 0xff).toString('base64url') }],
    ['has the exponent 1', { ...rsa2048.jwk, e: 'AQ' }],
    ['has an even exponent', { ...rsa2048.jwk, e: 'Ag' }],
    ['has a huge exponent', { ...rsa2048.jwk, e: Buffer.alloc(9, 0xff).toString('base64url') }],
    ['has no exponent', { ...rsa2048.jwk, e: '' }],
    ['has no modulus', { ...rsa2048.jwk, n: undefined }],
  ])('of RSA that %s is passed over', async (_, jwk) => {
    const both = withKeys({ ...jwk, kid: 'a' }, { ...signer.jwk, kid: 'b' })
    const rsaHeader = { alg: 'RS256', typ: 'at+jwt', kid: 'a' }
    expect(await codeFor(both, rsa1024.jws(rsaHeader, claims()))).toBe('key_unknown')
  })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])(
    'set with a private member `%s` is refused as a whole: everybody has that key now',
    (member) => {
      expect(() => withKeys({ ...rsa2048.jwk, [member]: 'AQAB' }, signer.jwk)).toThrow(ConfigurationError)
    },
  )

  test('set of unknown kinds is no key set', () => {
    const unknown = [{ kty: 'XYZ' }, { kty: 'oct' }, {}, 5, null, 'text', [signer.jwk]]
    expect(() => withKeys(...(unknown as object[]))).toThrow(ConfigurationError)
  })

  test('of an unknown kind beside a usable one is passed over', async () => {
    expect(await codeFor(withKeys({ kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' }, signer.jwk), token())).toBe(
      'key_unknown',
    )
    const mixed = withKeys({ kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' }, { ...signer.jwk, kid: 'key-1' })
    expect(await codeFor(mixed, token())).toBe('allow')
  })

  test('whose point is not on its curve verifies nothing', async () => {
    const off = withKeys({ ...signer.jwk, y: signer.jwk.x, kid: 'key-1' })
    expect(await codeFor(off, token())).toBe('signature_invalid')
  })
})

describe('two issuers that use one `kid`', () => {
  const other = createHouse({ issuer: 'https://other-issuer.test', clock })
  const both = createGuard(
    {
      audience: 'orders',
      issuers: [
        { issuer, jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] } },
        { issuer: 'https://other-issuer.test', jwks: { keys: [{ ...other.signer.jwk, kid: 'key-1' }] } },
      ],
      log: false,
    },
    { clock },
  )

  test('verify their own tokens', async () => {
    expect((await callerFor(both, token())).id).toBe(`${issuer}#client=checkout`)
    expect((await callerFor(both, other.token())).id).toBe('https://other-issuer.test#client=checkout')
  })

  test('never verify a token that names the other one', async () => {
    expect(await codeFor(both, other.token({ iss: issuer }))).toBe('signature_invalid')
    expect(await codeFor(both, token({ iss: 'https://other-issuer.test' }))).toBe('signature_invalid')
  })
})

test.each([
  ['a final slash', `${issuer}/`],
  ['upper case', issuer.toUpperCase()],
  ['a default port', 'https://issuer.test:443'],
  ['a path behind it', `${issuer}/realms/x`],
  ['a user name before it', 'https://issuer.test@attacker.test'],
  ['a space behind it', `${issuer} `],
  ['its host only', 'issuer.test'],
  ['nothing', ''],
])('an issuer spelled with %s is another issuer', async (_, iss) => {
  expect(await codeFor(guard, token({ iss }))).toBe('issuer_unknown')
})

test('each refusal of a known issuer names it, and no refusal names an unknown one', async () => {
  const refused = async (text: string) => {
    const decision = await guard.decide(requestWith(`Bearer ${text}`), authenticated())
    return decision.outcome === 'deny' ? decision.refusal.detail.issuer : codeOf(decision)
  }
  expect(await refused(token({ aud: 'billing' }))).toBe(issuer)
  expect(await refused(token({ iss: 'https://attacker.test' }))).toBeUndefined()
  expect(await refused(jws(header, { ...claimsAt(clock), exp: 1 }))).toBe(issuer)
})

/** The same octets with one unused bit of the last character set; undefined where every bit is used. */
function strayBits(canonical: string): string | undefined {
  if (canonical.length % 4 === 0) return undefined
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${canonical.slice(0, -1)}${alphabet[alphabet.indexOf(canonical.slice(-1)) + 1] ?? ''}`
}

function padded(modulus: Uint8Array, zeros: number): string {
  return Buffer.concat([Buffer.alloc(zeros), modulus]).toString('base64url')
}

function shortened(modulus: string): string {
  const octets = Buffer.from(modulus, 'base64url')
  octets[0] = 0x7f
  return octets.toString('base64url')
}
