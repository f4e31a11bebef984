import { createHmac, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import * as token from '@countersign/core/token'
import {
  ConfigurationError,
  Refusal,
  verifyCompactJws,
  verifyDpopProof,
  type CompactJwsOptions,
  type DpopProofOptions,
  type VerifiedJws,
  type VerifiedProof,
} from '@countersign/core/token'
import fc from 'fast-check'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createRandom, mutate } from './support/mutate-jws.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

const ec = createRawSigner('ES256')
const rsa = createRawSigner('RS256')
const ed = createRawSigner('Ed25519')
const payload = Buffer.from([0, 255, 1, 254])

/** More of them: FUZZ_RUNS=70000. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 3000)

type Given = Readonly<Record<string, unknown>>

const verify = (
  jws: string,
  keys: readonly unknown[],
  algorithms: readonly string[] = ['ES256', 'RS256', 'Ed25519'],
) => verifyCompactJws(jws, { jwks: { keys }, algorithms } as unknown as CompactJwsOptions)

async function codeOf(...given: Parameters<typeof verify>): Promise<string> {
  const verified = await verify(...given)
  return verified instanceof Refusal ? verified.code : 'verified'
}

async function mistake(asked: Promise<unknown>): Promise<ConfigurationError> {
  const error: unknown = await asked.then(
    () => new Error('expected a ConfigurationError'),
    (reason: unknown) => reason,
  )
  if (error instanceof ConfigurationError) return error
  throw error
}

const es256 = (header: Given = {}) => ec.jws({ alg: 'ES256', ...header }, payload)

describe('a JWS', () => {
  test('gives its header and its octets, whatever they are', async () => {
    const verified = await verify(es256({ kid: 'a', typ: 'text', cty: 'x' }), [{ ...ec.jwk, kid: 'a' }])
    expect(verified).toEqual({
      header: { alg: 'ES256', kid: 'a', typ: 'text', cty: 'x' },
      payload: new Uint8Array(payload),
    })
    expect(Object.isFrozen(verified)).toBe(true)
    expect(Object.isFrozen((verified as VerifiedJws).header)).toBe(true)
  })

  test('shows no memory but its own', async () => {
    const { payload: octets } = (await verify(es256(), [ec.jwk])) as VerifiedJws
    expect(octets.buffer.byteLength).toBe(4)
  })

  test('may have an empty payload', async () => {
    const verified = await verify(ec.jws({ alg: 'ES256' }, ''), [ec.jwk])
    expect(verified).toMatchObject({ payload: new Uint8Array() })
  })

  test('may be long', async () => {
    expect(await codeOf(ec.jws({ alg: 'ES256' }, Buffer.alloc(1_000_000)), [ec.jwk])).toBe('verified')
  })

  test.each([
    ['is empty', '', 'token_malformed'],
    ['is no text', 7, 'token_malformed'],
    ['is missing', undefined, 'token_malformed'],
    ['has two parts', 'a.b', 'token_malformed'],
    ['has five parts, as an encrypted one has', 'a.b.c.d.e', 'token_malformed'],
    ['is in JSON', JSON.stringify({ payload: '', signatures: [] }), 'token_malformed'],
    ['has no algorithm', es256({ alg: undefined }), 'token_malformed'],
    ['has a `kid` that is no text', es256({ kid: 7 }), 'token_malformed'],
    ['is critical', es256({ crit: ['exp'], exp: 1 }), 'token_critical_header'],
    ['is not encoded', es256({ b64: false }), 'token_critical_header'],
    ['has no signature', `${segment({ alg: 'none' })}.${segment('a')}.`, 'algorithm_not_allowed'],
    ['says none and has a signature', es256({ alg: 'none' }), 'algorithm_not_allowed'],
    ['has an algorithm that was not asked for', es256({ alg: 'ES384' }), 'algorithm_not_allowed'],
    ['has an algorithm of a secret', es256({ alg: 'HS256' }), 'algorithm_not_allowed'],
    [
      'has the name of an object’s member for an algorithm',
      es256({ alg: 'constructor' }),
      'algorithm_not_allowed',
    ],
    ['has the algorithm of another key', es256({ alg: 'RS256' }), 'key_unknown'],
    ['is of another key', createRawSigner('ES256').jws({ alg: 'ES256' }, payload), 'signature_invalid'],
    [
      'brings its own key',
      createRawSigner('ES256').jws({ alg: 'ES256', jwk: ec.jwk }, payload),
      'signature_invalid',
    ],
  ])('that %s is refused', async (_, jws, code) => {
    expect(await codeOf(jws as string, [ec.jwk])).toBe(code)
  })

  test('T01 signed with the octets of a public key is refused', async () => {
    const pem = ec.publicKey.export({ type: 'spki', format: 'pem' })
    for (const secret of [pem, JSON.stringify(ec.jwk), JSON.stringify({ keys: [ec.jwk] })]) {
      const input = `${segment({ alg: 'HS256' })}.${segment('a')}`
      const mac = createHmac('sha256', createSecretKey(Buffer.from(secret)))
        .update(input)
        .digest('base64url')
      expect(await codeOf(`${input}.${mac}`, [ec.jwk])).toBe('algorithm_not_allowed')
    }
  })
})

describe('the key', () => {
  const other = createRawSigner('ES256').jwk

  test('is the one of that kid, among others', async () => {
    const keys = [
      { ...other, kid: 'b' },
      { ...ec.jwk, kid: 'a' },
      { ...rsa.jwk, kid: 'a' },
    ]
    expect(await codeOf(es256({ kid: 'a' }), keys)).toBe('verified')
    expect(await codeOf(es256({ kid: 'b' }), keys)).toBe('signature_invalid')
    for (const kid of ['c', 'A', '', '__proto__', 'constructor']) {
      expect(await codeOf(es256({ kid }), keys), kid).toBe('key_unknown')
    }
  })

  test('is the only one that fits, where the JWS names none', async () => {
    expect(await codeOf(es256(), [{ ...ec.jwk, kid: 'a' }, rsa.jwk, ed.jwk])).toBe('verified')
    expect(await codeOf(es256(), [rsa.jwk, ed.jwk])).toBe('key_unknown')
  })

  test('is none where several fit: they are not tried in turn', async () => {
    expect(await codeOf(es256(), [ec.jwk, other])).toBe('key_ambiguous')
    expect(await codeOf(es256(), [ec.jwk, ec.jwk])).toBe('key_ambiguous')
    const keys = [
      { ...ec.jwk, kid: 'a' },
      { ...other, kid: 'a' },
    ]
    expect(await codeOf(es256({ kid: 'a' }), keys)).toBe('key_ambiguous')
    expect(await codeOf(es256(), [ec.jwk, { ...other, use: 'enc' }])).toBe('verified')
  })

  test('is none of a set that has none', async () => {
    expect(await codeOf(es256(), [])).toBe('key_unknown')
    expect(await verify(es256({ kid: 'a\n' }), [])).toMatchObject({
      detail: { expected: 'a key of the set', actual: 'ES256 and `kid` "a\\n"' },
    })
  })

  test.each([
    ['for encryption', { use: 'enc' }],
    ['for signing alone', { key_ops: ['sign'] }],
    ['for another algorithm', { alg: 'ES384' }],
    ['for an algorithm that is none', { alg: 'ES521' }],
    ['on another curve', { crv: 'P-384' }],
    ['on no curve', { crv: undefined }],
    ['of another kind', { kty: 'RSA' }],
    ['of an unknown kind', { kty: 'XX' }],
    ['with a `kid` that is no text', { kid: 7 }],
    ['with a short coordinate', { x: 'AAAA' }],
    ['with padding', { x: `${ec.jwk.x}=` }],
  ])('that is %s is passed over', async (_, said) => {
    expect(await codeOf(es256(), [{ ...ec.jwk, ...said }])).toBe('key_unknown')
    expect(await codeOf(es256(), [{ ...ec.jwk, ...said }, ec.jwk])).toBe('verified')
  })

  test('that is no object is passed over', async () => {
    expect(await codeOf(es256(), [null, 7, 'key', [], {}, ec.jwk])).toBe('verified')
  })

  test('of RSA is passed over where it is weak', async () => {
    const small = createRawSigner('RS256', 1024)
    expect(await codeOf(small.jws({ alg: 'RS256' }, payload), [small.jwk])).toBe('key_unknown')
    for (const e of ['AQ', 'Ag', 'AAAB']) {
      expect(await codeOf(rsa.jws({ alg: 'RS256' }, payload), [{ ...rsa.jwk, e }]), e).toBe('key_unknown')
    }
  })

  test('of RSA is passed over where a chip made it that gives its factors away (CVE-2017-15361)', async () => {
    // Each factor is a power of 65537 modulo the product of the first 126 primes, and so is their product.
    const primes = Array.from({ length: 700 }, (_, i) => BigInt(i + 2)).filter((n) => !divisible(n))
    const product = primes.reduce((all, prime) => all * prime, 1n)
    const factor = (exponent: number, above: bigint): bigint => {
      let power = 1n
      for (let i = 0; i < exponent; i += 1) power = (power * 65_537n) % product
      return above * product + power
    }
    const modulus = factor(12_345, 2n ** 55n + 1n) * factor(54_321, 2n ** 55n + 4n)
    const base64url = (number: bigint): string => {
      const digits = number.toString(16)
      return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString(
        'base64url',
      )
    }
    const jws = rsa.jws({ alg: 'RS256' }, payload)
    expect(await codeOf(jws, [{ ...rsa.jwk, n: base64url(modulus) }])).toBe('key_unknown')
    // A neighbour of it is as good as any.
    expect(await codeOf(jws, [{ ...rsa.jwk, n: base64url(modulus + 2n) }])).toBe('signature_invalid')
  })

  test('T36 that is private is a mistake: who verifies must not be able to sign', async () => {
    for (const signer of [ec, rsa, ed]) {
      const jwk = signer.privateKey.export({ format: 'jwk' })
      const error = await mistake(verify(es256(), [ec.jwk, jwk]))
      expect(error.option).toBe('jwks.keys[1]')
      expect(error.message).not.toContain(jwk.d)
    }
  })
})

describe('a shared secret', () => {
  const octets = randomBytes(64)
  const mac = (bits: 256 | 384 | 512, secret: Uint8Array, header: Given = {}): string => {
    const input = `${segment({ alg: `HS${bits}`, ...header })}.${segment(payload)}`
    return `${input}.${createHmac(`sha${bits}`, secret).update(input).digest('base64url')}`
  }
  const oct = (length: number, said: Given = {}) => ({
    kty: 'oct',
    k: octets.subarray(0, length).toString('base64url'),
    ...said,
  })

  test.each([
    [256, 32],
    [384, 48],
    [512, 64],
  ] as const)('for HS%i has %i octets', async (bits, length) => {
    const jws = mac(bits, octets.subarray(0, length))
    expect(await codeOf(jws, [oct(length)], [`HS${bits}`])).toBe('verified')
    expect((await mistake(verify(jws, [oct(length - 1)], [`HS${bits}`]))).message).toMatch(/too short/)
  })

  test('is used only for what it is long enough for', async () => {
    const algorithms = ['HS256', 'HS512']
    expect(await codeOf(mac(256, octets.subarray(0, 32)), [oct(32)], algorithms)).toBe('verified')
    expect(await codeOf(mac(512, octets.subarray(0, 32)), [oct(32)], algorithms)).toBe('key_unknown')
    expect((await mistake(verify('', [oct(32, { alg: 'HS512' })], algorithms))).message).toMatch(/too short/)
  })

  test.each([
    ['for another algorithm', { alg: 'HS384' }],
    ['for encryption', { use: 'enc' }],
    ['for something else', { alg: 'A256GCM' }],
    ['for signing alone', { key_ops: ['sign'] }],
  ])('that is %s is passed over', async (_, said) => {
    expect(await codeOf(mac(256, octets), [oct(64, said)], ['HS256'])).toBe('key_unknown')
  })

  test('is found by its `kid`, and several are ambiguous', async () => {
    const keys = [oct(64, { kid: 'a' }), oct(32, { kid: 'b' })]
    expect(await codeOf(mac(256, octets, { kid: 'a' }), keys, ['HS256'])).toBe('verified')
    expect(await codeOf(mac(256, octets, { kid: 'b' }), keys, ['HS256'])).toBe('signature_invalid')
    expect(await codeOf(mac(256, octets), keys, ['HS256'])).toBe('key_ambiguous')
    expect(await codeOf(mac(256, octets, { alg: 'HS384' }), keys, ['HS256'])).toBe('algorithm_not_allowed')
  })

  test.each([
    ['empty', oct(0)],
    ['no text', oct(64, { k: 7 })],
    ['not spelled canonically', oct(64, { k: `${oct(64).k}=` })],
    ['missing', oct(64, { k: undefined })],
    ['beside a `kid` that is no text', oct(64, { kid: 7 })],
    ['beside an `alg` that is no text', oct(64, { alg: 7 })],
    ['beside a `use` that is no text', oct(64, { use: 7 })],
    ['beside operations that are no list', oct(64, { key_ops: 'verify' })],
    ['a public key', ec.jwk],
    ['a private key', ec.privateKey.export({ format: 'jwk' })],
    ['null', null],
  ])('T03 that is %s is a mistake', async (_, key) => {
    const error = await mistake(verify(mac(256, octets), [oct(64), key], ['HS256']))
    expect(error.option).toBe('jwks.keys[1]')
    expect(error.message).not.toContain(oct(64).k)
  })

  test('T01 beside a public key is a mistake, with either kind of algorithm', async () => {
    expect((await mistake(verify(es256(), [ec.jwk, oct(64)], ['ES256']))).option).toBe('jwks.keys[1]')
    expect((await mistake(verify(es256(), [oct(64), ec.jwk], ['HS256']))).option).toBe('jwks.keys[1]')
    expect((await mistake(verify(es256(), [ec.jwk], ['ES256', 'HS256']))).option).toBe('algorithms')
  })
})

describe('what is asked wrongly is a mistake of the program', () => {
  const jws = es256()
  test.each([
    [{ jwks: { keys: [ec.jwk] } }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: [] }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: 'ES256' }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['es256'] }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['none'] }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['ES256', 'none'] }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['ES256', 7] }, 'algorithms'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['RSA-OAEP'] }, 'algorithms'],
    [{ algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: null, algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: ec.jwk, algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: [ec.jwk], algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: { keys: ec.jwk }, algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: JSON.stringify({ keys: [ec.jwk] }), algorithms: ['ES256'] }, 'jwks'],
    [{ jwks: JSON.stringify({ keys: [ec.jwk] }), algorithms: ['HS256'] }, 'jwks'],
    [{ jwks: { keys: [ec.jwk] }, algorithms: ['ES256'], alg: 'ES256' }, 'alg'],
  ])('%j', async (options, option) => {
    expect((await mistake(verifyCompactJws(jws, options as unknown as CompactJwsOptions))).option).toBe(
      option,
    )
    expect((await mistake(verifyCompactJws('', options as unknown as CompactJwsOptions))).option).toBe(option)
  })

  test('a set as text, which could pass for a secret, is told to be parsed', async () => {
    const options = { jwks: JSON.stringify({ keys: [ec.jwk] }), algorithms: ['HS256'] }
    const error = await mistake(verifyCompactJws(jws, options as unknown as CompactJwsOptions))
    expect(error.message).toMatch(/write JSON\.parse/)
  })

  test('options that are none', async () => {
    for (const options of [undefined, null, 'ES256', []]) {
      await mistake(verifyCompactJws(jws, options as unknown as CompactJwsOptions))
      await mistake(verifyDpopProof('', options as unknown as DpopProofOptions))
    }
  })

  const good = { method: 'GET', url: 'https://a.example/', now: 1_562_262_618_000 }
  test.each([
    [{ method: undefined }, 'method'],
    // T17: what was looked up and is not there asks for no check less.
    [{ jkt: undefined }, 'jkt'],
    [{ nonce: undefined }, 'nonce'],
    [{ accessToken: undefined }, 'accessToken'],
    [{ method: '' }, 'method'],
    [{ method: ['GET'] }, 'method'],
    [{ url: undefined }, 'url'],
    [{ url: new URL('https://a.example') }, 'url'],
    [{ now: undefined }, 'now'],
    [{ now: '2030-01-01' }, 'now'],
    [{ now: NaN }, 'now'],
    [{ now: Infinity }, 'now'],
    [{ now: new Date('never') }, 'now'],
    [{ now: 1_562_262_618 }, 'now'],
    [{ accessToken: '' }, 'accessToken'],
    [{ accessToken: null }, 'accessToken'],
    [{ accessToken: ['token'] }, 'accessToken'],
    [{ nonce: '' }, 'nonce'],
    [{ jkt: '' }, 'jkt'],
    [{ algorithms: [] }, 'algorithms'],
    [{ algorithms: ['HS256'] }, 'algorithms'],
    [{ windowSeconds: 0 }, 'windowSeconds'],
    [{ windowSeconds: 301 }, 'windowSeconds'],
    [{ acessToken: 'token' }, 'acessToken'],
  ])('for a proof: %j', async (wrong, option) => {
    const options = { ...good, ...wrong } as unknown as DpopProofOptions
    expect((await mistake(verifyDpopProof('', options))).option).toBe(option)
  })
})

describe('whatever a peer sends', () => {
  const options = { jwks: { keys: [ec.jwk, rsa.jwk] }, algorithms: ['ES256', 'RS256'] } as const
  const proofOptions = { method: 'GET', url: 'https://a.example/', now: 1_562_262_618_000 }
  const json = fc.json().map((text) => segment(text))
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((parts) => parts.join('.')),
    fc.tuple(json, json, fc.base64String()).map((parts) => parts.join('.')),
    fc
      .tuple(fc.dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk'), fc.jsonValue()), json)
      .map(([header, body]) => `${segment({ alg: 'ES256', ...header })}.${body}.AAAA`),
    fc
      .tuple(fc.jsonValue(), fc.dictionary(fc.constantFrom('jti', 'htm', 'htu', 'iat'), fc.jsonValue()))
      .map(([jwk, claims]) => ec.jws({ typ: 'dpop+jwt', alg: 'ES256', jwk }, claims)),
  )

  test('is refused, and never thrown', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        expect(await verifyCompactJws(text, options)).toSatisfy(
          (answer) =>
            answer instanceof Refusal ||
            text.startsWith(segment({ typ: 'dpop+jwt', alg: 'ES256' }).slice(0, 20)),
        )
        expect(await verifyDpopProof(text, proofOptions)).toBeInstanceOf(Refusal)
      }),
      { numRuns: 1000 },
    )
  })

  test('T56 nothing of it that could be secret is in the refusal', async () => {
    const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ'
    for (const text of [
      secret,
      `${secret}.${secret}.${secret}`,
      ec.jws({ alg: 'ES256' }, secret).replace('.', `.${secret}.`),
    ]) {
      expect(JSON.stringify(await verifyCompactJws(text, options))).not.toContain(secret)
      expect(JSON.stringify(await verifyDpopProof(text, proofOptions))).not.toContain(secret)
    }
  })

  test('T55 nothing of it takes long, however large or deep', { timeout: 10_000 }, async () => {
    const deep = '['.repeat(500_000)
    for (const part of [
      deep,
      `{"alg":"ES256","a":${deep}${']'.repeat(500_000)}}`,
      `{"alg":"${'\\u0041'.repeat(200_000)}"}`,
    ]) {
      const jws = `${segment(part)}.${segment(part)}.AAAA`
      expect(await verifyCompactJws(jws, options)).toBeInstanceOf(Refusal)
      expect(await verifyDpopProof(jws, proofOptions)).toMatchObject({ code: 'token_oversized' })
    }
  })
})

test.each([
  ['ES256', ec],
  ['RS256', rsa],
  ['EdDSA', ed],
] as const)(
  'no mutant of a JWS by %s is accepted that jose refuses',
  { timeout: 600_000 },
  async (alg, signer) => {
    const original = {
      jws: signer.jws({ alg, typ: 'JWT', kid: 'a' }, { sub: 'checkout', exp: 1_900_000_000 }),
      signer,
      values: ['a', 'b', alg, 'ES256', 'RS256', 'JWT', signer.jwk],
    }
    const jwk = { ...signer.jwk, kid: 'a' }
    const key = await importJWK(jwk, alg)
    const random = createRandom(20_300_102)
    const outcomes = new Set<string>()
    for (let i = 0; i < runs; i += 1) {
      const { kind, jws } = mutate(original, random)
      const verified = await verifyCompactJws(jws, { jwks: { keys: [jwk] }, algorithms: [alg] })
      outcomes.add(verified instanceof Refusal ? verified.code : 'verified')
      if (verified instanceof Refusal) continue
      const { payload: octets, protectedHeader } = await compactVerify(jws, key, { algorithms: [alg] }).catch(
        () => {
          throw new Error(`jose refuses what was accepted: ${kind}: ${jws}`)
        },
      )
      expect(verified.header).toEqual(protectedHeader)
      expect(Buffer.from(verified.payload)).toEqual(Buffer.from(octets))
    }
    expect([...outcomes]).toEqual(
      expect.arrayContaining([
        'token_malformed',
        'algorithm_not_allowed',
        'key_unknown',
        'signature_invalid',
        'verified',
      ]),
    )
  },
)

test('a verified value cannot be written by hand', () => {
  expectTypeOf<{ header: { alg: string }; payload: Uint8Array }>().not.toExtend<VerifiedJws>()
  expectTypeOf<{
    jkt: string
    jti: string
    nonce: undefined
    expiresAtMs: number
  }>().not.toExtend<VerifiedProof>()
  expectTypeOf<{
    jwks: { keys: object[] }
    algorithms: ['ES256', 'HS256']
  }>().not.toExtend<CompactJwsOptions>()
  expectTypeOf<{ jwks: { keys: object[] }; algorithms: [] }>().not.toExtend<CompactJwsOptions>()
  expectTypeOf<{ method: string; url: string }>().not.toExtend<DpopProofOptions>()
})

test('the face has these names', () => {
  expect(Object.keys(token).toSorted()).toEqual([
    'ConfigurationError',
    'Refusal',
    'verifyCompactJws',
    'verifyDpopProof',
    'verifyJwtSvid',
  ])
})

test('an Ed448 key is none of ours', async () => {
  const { publicKey } = generateKeyPairSync('ed448')
  expect(
    await codeOf(ed.jws({ alg: 'EdDSA' }, payload), [publicKey.export({ format: 'jwk' })], ['EdDSA']),
  ).toBe('key_unknown')
})

function divisible(n: bigint): boolean {
  for (let d = 2n; d * d <= n; d += 1n) if (n % d === 0n) return true
  return false
}
