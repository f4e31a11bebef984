import { generateKeyPairSync, sign } from 'node:crypto'
import { Refusal, verifyDpopProof, type DpopProofOptions } from '@countersign/core/token'
import { createTestClock } from '@countersign/testing'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { readProof } from '../../packages/core/src/evidence/dpop.ts'
import { requestWith } from './support/asking.ts'
import { createProver, request, sha256 } from './support/prover.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

const clock = createTestClock()
const accessToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
const prover = await createProver({ now: clock.now, accessToken })
const rsa = await createProver({ algorithm: 'RS256', now: clock.now, accessToken })
const now = Math.floor(clock.now() / 1000)

const verify = (proof: string, changes: Partial<DpopProofOptions> = {}) =>
  verifyDpopProof(proof, { ...request, now: clock.now(), accessToken, ...changes })

async function codeOf(proof: string, changes: Partial<DpopProofOptions> = {}): Promise<string> {
  const verified = await verify(proof, changes)
  return verified instanceof Refusal ? verified.code : 'verified'
}

describe('a proof', () => {
  test.each(['ES256', 'ES384', 'Ed25519', 'RS256', 'PS256'] as const)(
    'by %s is accepted',
    async (algorithm) => {
      const { proof, jkt } = await createProver({ algorithm, now: clock.now, accessToken })
      expect(await verify(proof({ jti: 'one' }))).toEqual({
        jkt,
        jti: 'one',
        nonce: undefined,
        expiresAtMs: clock.now() + 60_000,
      })
    },
  )

  test('by EdDSA, as Ed25519 was called, is accepted', async () => {
    const { proof, signer } = await createProver({ algorithm: 'Ed25519', now: clock.now, accessToken })
    expect(await codeOf(proof({}, { alg: 'EdDSA' }))).toBe('verified')
    // A key that names one of the two names is for that name, as with jose.
    expect(await codeOf(proof({}, { alg: 'EdDSA', jwk: { ...signer.jwk, alg: 'Ed25519' } }))).not.toBe(
      'verified',
    )
  })

  const hasMlDsa = isAvailable('ML-DSA-44')
  const aloud = hasMlDsa ? '' : ` (skipped: Node ${process.versions.node} has no ML-DSA)`
  test.skipIf(!hasMlDsa)(`by ML-DSA-44 is accepted where it is asked for${aloud}`, async () => {
    const algorithm = 'ml-dsa-44' as 'ed25519' // newer than the types that the oldest supported Node has
    const { publicKey, privateKey } = generateKeyPairSync(algorithm)
    const header = { typ: 'dpop+jwt', alg: 'ML-DSA-44', jwk: publicKey.export({ format: 'jwk' }) }
    const input = `${segment(header)}.${segment(prover.claims())}`
    const proof = `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
    expect(await codeOf(proof, { algorithms: ['ML-DSA-44'] })).toBe('verified')
    expect(await codeOf(proof)).toBe('dpop_proof_malformed')
  })

  test('may say of its key that it is for this, and whatever else', async () => {
    const said = { use: 'sig', key_ops: ['verify'], alg: 'ES256', kid: 'mine', x5u: 'https://evil.example' }
    const verified = await verify(prover.proof({}, { jwk: { ...prover.signer.jwk, ...said } }))
    expect(verified).toMatchObject({ jkt: prover.jkt })
  })

  test('is frozen once verified', async () => {
    expect(Object.isFrozen(await verify(prover.proof()))).toBe(true)
  })

  test('that is for no access token needs none', async () => {
    const { proof } = await createProver({ now: clock.now })
    expect(await verifyDpopProof(proof(), { ...request, now: new Date(clock.now()) })).toMatchObject({
      nonce: undefined,
    })
  })
})

describe('the form of a proof', () => {
  const [header = '', payload = '', signature = ''] = prover.proof().split('.')
  test.each([
    ['is empty', ''],
    ['is one word', 'proof'],
    ['has two parts', `${header}.${payload}`],
    ['has four parts', `${header}.${payload}.${signature}.`],
    ['has no signature', `${header}.${payload}.`],
    ['is padded', `${header}.${payload}.${signature}=`],
    ['is in base64', `${header}.${payload}.${signature.replaceAll('_', '/').replaceAll('-', '+')}+`],
    ['has a space in front', ` ${header}.${payload}.${signature}`],
    ['has a space behind', `${header}.${payload}.${signature} `],
    ['has a line break', `${header}.${payload}.${signature}\n`],
    ['is a list of two', `${header}.${payload}.${signature}, ${header}.${payload}.${signature}`],
    ['has a header that is no object', prover.jws('[]', prover.claims())],
    ['has claims that are no object', prover.jws(prover.header, '[]')],
    ['has claims that are no JSON', prover.jws(prover.header, '{')],
    ['has claims that are no UTF-8', prover.jws(prover.header, Buffer.from('{"jti":"\xff"}', 'latin1'))],
    ['names a claim twice', prover.jws(prover.header, '{"jti":"a","jti":"b"}')],
    ['names a header member twice', prover.jws('{"typ":"dpop+jwt","typ":"dpop+jwt"}', prover.claims())],
    ['has a critical header', prover.proof({}, { crit: ['x'], x: 1 })],
    ['has an unencoded payload', prover.proof({}, { b64: true })],
  ])('that %s is refused', async (_, proof) => {
    expect(await codeOf(proof)).toBe('dpop_proof_malformed')
  })

  test('is not looked at beyond 8192 characters', async () => {
    expect(await codeOf('a'.repeat(8192))).toBe('dpop_proof_malformed')
    expect(await codeOf('a'.repeat(8193))).toBe('token_oversized')
    const long = prover.proof({ padding: 'a'.repeat(7000) })
    expect(await codeOf(long)).toBe('token_oversized')
  })

  test('is text', async () => {
    // A program without types may hand over what a request did not have.
    for (const none of [undefined, null, 7, {}]) {
      expect(await codeOf(none as string)).toBe('dpop_proof_missing')
    }
  })
})

describe('the header of a proof', () => {
  test.each([
    ['no type', { typ: undefined }],
    ['the type of an access token', { typ: 'at+jwt' }],
    ['the type JWT', { typ: 'JWT' }],
    ['its type in capitals', { typ: 'DPOP+JWT' }],
    ['its type in full', { typ: 'application/dpop+jwt' }],
    ['a type that is no text', { typ: ['dpop+jwt'] }],
    ['no algorithm', { alg: undefined }],
    ['an algorithm that is no text', { alg: ['ES256'] }],
    ['an algorithm of a shared secret', { alg: 'HS256' }],
    ['an algorithm that is not asked for', { alg: 'ES512' }],
    ['an algorithm that nobody knows', { alg: 'ES256K' }],
    ['an algorithm in small letters', { alg: 'es256' }],
    ['the algorithm of another key', { alg: 'ES384' }],
    ['the algorithm of another kind of key', { alg: 'RS256' }],
  ])('with %s is refused', async (_, header) => {
    expect(await codeOf(prover.proof({}, header))).toBe('dpop_proof_malformed')
  })

  test('T36 that asks for no signature is refused', async () => {
    const [, payload] = prover.proof().split('.')
    for (const alg of ['none', 'None', 'NONE']) {
      const header = Buffer.from(JSON.stringify({ ...prover.header, alg })).toString('base64url')
      expect(await codeOf(`${header}.${payload}.`)).toBe('dpop_proof_malformed')
      expect(await codeOf(prover.proof({}, { alg }))).toBe('dpop_proof_malformed')
    }
  })

  test('T36 that has a shared secret for a key is refused, also where the secret is the signature’s', async () => {
    const jwk = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') }
    expect(await codeOf(prover.proof({}, { jwk }))).toBe('dpop_proof_malformed')
    expect(await codeOf(prover.proof({}, { alg: 'HS256', jwk }))).toBe('dpop_proof_malformed')
  })

  const es256 = prover.signer.jwk
  const { d } = prover.signer.privateKey.export({ format: 'jwk' })
  const rsaPrivate = rsa.signer.privateKey.export({ format: 'jwk' })
  test.each([
    ['of an elliptic curve', prover, { ...es256, d }],
    ['of which only the member is there', prover, { ...es256, d: '' }],
    ['of RSA', rsa, rsaPrivate],
    ...(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const).map(
      (name) =>
        [
          `of RSA, of which \`${name}\` shows`,
          rsa,
          { ...rsa.signer.jwk, [name]: rsaPrivate[name] ?? [] },
        ] as const,
    ),
    ['of a kind of its own', prover, { ...es256, priv: 'AA' }],
    ['beside which a secret stands', prover, { ...es256, k: 'AA' }],
  ] as const)('T36 with a private key %s is refused, though the signature is right', async (_, by, jwk) => {
    const proof = by.proof({}, { jwk })
    const { alg, jwk: publicKey } = by.header
    await compactVerify(proof, await importJWK(publicKey, alg))
    expect(await codeOf(proof)).toBe('dpop_proof_malformed')
    expect((await verify(proof)) as Refusal).toMatchObject({
      detail: { actual: 'a private or symmetric one' },
    })
  })

  test.each([
    ['no key', undefined],
    ['a key that is null', null],
    ['a key that is a text', JSON.stringify(es256)],
    ['a list of keys', [es256]],
    ['a key set', { keys: [es256] }],
    ['a key without its kind', { ...es256, kty: undefined }],
    ['a key of an unknown kind', { ...es256, kty: 'ec' }],
    ['a key on another curve', { ...es256, crv: 'P-384' }],
    ['a key on a curve that is not for signatures', { kty: 'OKP', crv: 'X25519', x: es256.x }],
    ['a key without a coordinate', { ...es256, y: undefined }],
    ['a key with a short coordinate', { ...es256, x: 'AAAA' }],
    ['a key that is spelled in another way', { ...es256, x: `${es256.x}=` }],
    ['a key for encryption', { ...es256, use: 'enc' }],
    ['a key for signing alone', { ...es256, key_ops: ['sign'] }],
    ['a key for nothing', { ...es256, key_ops: [] }],
    ['a key whose operations are no list', { ...es256, key_ops: 'verify' }],
    // What no WebCrypto imports: a guard that knows the key from an earlier proof must not accept it either.
    ['a key for checking and signing', { ...es256, key_ops: ['verify', 'sign'] }],
    ['a key whose `ext` is no boolean', { ...es256, ext: 'true' }],
    ['a key with the further primes of an RSA key', { ...es256, oth: { 0: {} } }],
    ['a key with a member of RSA keys that is no text', { ...es256, qi: { toString: 'a' } }],
    ['a key for another algorithm', { ...es256, alg: 'ES384' }],
    ['a key whose algorithm is no text', { ...es256, alg: ['ES256'] }],
  ])('with %s is refused', async (_, jwk) => {
    expect(await codeOf(prover.proof({}, { jwk }))).toBe('dpop_proof_malformed')
  })

  test('T36 with a point that is on no curve is refused', async () => {
    const jwk = { ...es256, y: Buffer.alloc(32, 1).toString('base64url') }
    expect(await codeOf(prover.proof({}, { jwk }))).toBe('dpop_proof_signature_invalid')
  })

  test.each([
    [1024, 'dpop_proof_malformed'],
    [2047, 'dpop_proof_malformed'],
    [2048, 'dpop_proof_signature_invalid'],
    [4096, 'dpop_proof_signature_invalid'],
    [4097, 'dpop_proof_malformed'],
    [8192, 'dpop_proof_malformed'],
  ] as const)('with an RSA key of %s bits: %s', async (bits, code) => {
    // A number of that size and nobody's key, which is as far as the check has to come.
    const modulus = Buffer.alloc(Math.ceil(bits / 8), 0x55)
    modulus[0] = 1 << ((bits - 1) % 8)
    const jwk = { ...rsa.signer.jwk, n: modulus.toString('base64url') }
    expect(await codeOf(rsa.proof({}, { jwk }))).toBe(code)
  })

  test('with an RSA key of a huge or even exponent is refused', async () => {
    for (const e of ['AQ', 'AA', 'AQAA', 'AQAAAAAB', Buffer.alloc(256, 255).toString('base64url')]) {
      expect(await codeOf(rsa.proof({}, { jwk: { ...rsa.signer.jwk, e } }))).toBe('dpop_proof_malformed')
    }
  })
})

describe('the claims of a proof', () => {
  const required = ['jti', 'htm', 'htu', 'iat']
  test.each(required)('are refused without `%s`', async (name) => {
    expect(await codeOf(prover.proof({ [name]: undefined }))).toBe('dpop_proof_malformed')
  })

  const wrong = [null, true, 7, [], ['GET'], {}, '']
  test.each(['jti', 'htm', 'htu', 'ath', 'nonce'])('are refused where `%s` is no text', async (name) => {
    for (const value of wrong) {
      expect(await codeOf(prover.proof({ [name]: value })), JSON.stringify(value)).toBe(
        'dpop_proof_malformed',
      )
    }
  })

  test.each(['iat', 'exp', 'nbf'])('are refused where `%s` is no number of seconds', async (name) => {
    for (const value of [null, true, '', `${now}`, [now], {}]) {
      expect(await codeOf(prover.proof({ [name]: value })), JSON.stringify(value)).toBe(
        'dpop_proof_malformed',
      )
    }
    for (const value of ['1e400', '-1e400', '9e15']) {
      const claims = JSON.stringify(prover.claims({ [name]: 'HERE' })).replace('"HERE"', value)
      expect(await codeOf(prover.jws(prover.header, claims)), value).toBe('dpop_proof_malformed')
    }
  })

  test('are refused where `jti` is longer than 256 characters', async () => {
    expect(await codeOf(prover.proof({ jti: 'a'.repeat(256) }))).toBe('verified')
    expect(await codeOf(prover.proof({ jti: 'a'.repeat(257) }))).toBe('dpop_proof_malformed')
  })
})

describe('the request of a proof', () => {
  test.each(['POST', 'get', 'Get', 'HEAD', 'GET ', '*'])('is refused where `htm` is %j', async (htm) => {
    expect(await codeOf(prover.proof({ htm }))).toBe('dpop_proof_mismatch')
  })

  test('is refused where the request has another method', async () => {
    expect(await codeOf(prover.proof(), { method: 'DELETE' })).toBe('dpop_proof_mismatch')
    expect(await codeOf(prover.proof({ htm: 'head' }), { method: 'HEAD' })).toBe('dpop_proof_mismatch')
  })

  test.each([
    'https://api.example.com/orders/8',
    'https://api.example.com/orders/7/',
    'https://api.example.com/Orders/7',
    'https://api.example.com/orders%2F7',
    'https://api.example.com//orders/7',
    'https://api.example.com/orders',
    'https://api.example.com',
    'http://api.example.com/orders/7',
    'https://api.example.com:8443/orders/7',
    'https://api.example.com./orders/7',
    'https://api.example.org/orders/7',
    'https://api.example.com@evil.example/orders/7',
    'https://evil.example/https://api.example.com/orders/7',
    'https://api.example.com/orders/7\\',
    '/orders/7',
    'api.example.com/orders/7',
    'orders',
  ])('is refused where `htu` is %s', async (htu) => {
    expect(await codeOf(prover.proof({ htu }))).toBe('dpop_proof_mismatch')
  })

  test.each([
    'HTTPS://API.example.COM:443/orders/7',
    'https://api.example.com/orders/7?full=1',
    'https://api.example.com/orders/7#top',
    'https://api.example.com/%6Frders/x/../7',
  ])('is the same where `htu` is %s', async (htu) => {
    expect(await codeOf(prover.proof({ htu }))).toBe('verified')
    expect(await codeOf(prover.proof(), { url: htu })).toBe('verified')
  })

  test('is none where the URL of the request is none', async () => {
    for (const url of ['/orders/7', 'https://api.example.com/a b', 'https://me@api.example.com/', 'x']) {
      expect(await codeOf(prover.proof({ htu: url }), { url })).toBe('dpop_proof_mismatch')
    }
  })

  test('is told to the operator as it was expected and as it came, without what is secret in it', async () => {
    const refusal = async (claims: object) => ((await verify(prover.proof({ ...claims }))) as Refusal).detail
    expect(await refusal({ htu: 'http://10.0.0.7:3000/orders/7?access_token=secret' })).toEqual({
      expected: '`htu` "https://api.example.com/orders/7"',
      actual: '"http://10.0.0.7:3000/orders/7"',
      advice: 'give as `url` what callers use, not what a proxy makes of it',
    })
    expect(await refusal({ htu: 'https://me:secret@api.example.com/' })).toMatchObject({
      actual: 'no http(s) URL',
    })
    expect(await refusal({ htm: 'POST' })).toMatchObject({ expected: '`htm` "GET"', actual: '"POST"' })
    expect(((await verify(prover.proof(), { url: 'x' })) as Refusal).detail.expected).toBe(
      '`htu` of a request to a plain path',
    )
  })
})

describe('the time of a proof', () => {
  test.each([
    ['just made', 0, 'verified'],
    ['59.999 s old', 59.999, 'verified'],
    ['60 s old', 60, 'dpop_proof_expired'],
    ['years old', 1e8, 'dpop_proof_expired'],
    ['30 s ahead', -30, 'verified'],
    ['30.001 s ahead', -30.001, 'dpop_proof_expired'],
    ['years ahead', -1e8, 'dpop_proof_expired'],
    ['from before 1970', 2 * now, 'dpop_proof_expired'],
  ])('%s: %s', async (_, age, code) => {
    expect(await codeOf(prover.proof({ iat: now - age }))).toBe(code)
  })

  test('may be long ago if the window is long', async () => {
    expect(await codeOf(prover.proof({ iat: now - 299 }), { windowSeconds: 300 })).toBe('verified')
    expect(await codeOf(prover.proof({ iat: now - 300 }), { windowSeconds: 300 })).toBe('dpop_proof_expired')
    expect(await codeOf(prover.proof({ iat: now - 1 }), { windowSeconds: 1 })).toBe('dpop_proof_expired')
  })

  test.each([
    ['an end in the future', { exp: now + 5 }, 'verified'],
    ['an end just past, by clocks that differ', { exp: now - 29 }, 'verified'],
    ['an end past', { exp: now - 30 }, 'dpop_proof_expired'],
    ['a start past', { nbf: now - 5 }, 'verified'],
    ['a start ahead, by clocks that differ', { nbf: now + 30 }, 'verified'],
    ['a start ahead', { nbf: now + 31 }, 'dpop_proof_expired'],
    ['an old start beside a new `iat`', { nbf: 0, iat: now + 31 }, 'dpop_proof_expired'],
  ])('with %s: %s', async (_, claims, code) => {
    expect(await codeOf(prover.proof(claims))).toBe(code)
  })

  test('ends when it is not accepted any more, to the millisecond', async () => {
    const end = async (claims: object): Promise<number> => {
      const verified = await verify(prover.proof({ ...claims }))
      return verified instanceof Refusal ? NaN : verified.expiresAtMs
    }
    const at = clock.now()
    expect(await end({ iat: now - 10 })).toBe(at + 50_000)
    expect(await end({ iat: now - 10.5004 })).toBe(at + 49_500)
    expect(await end({ iat: now + 20 })).toBe(at + 80_000)
    expect(await end({ exp: now + 3600 })).toBe(at + 60_000)
    expect(await end({ exp: now + 1 })).toBe(at + 31_000)
    const proof = prover.proof({ iat: now - 10.5 })
    expect(await codeOf(proof, { now: at + 49_499 })).toBe('verified')
    expect(await codeOf(proof, { now: at + 49_500 })).toBe('dpop_proof_expired')
  })

  test('is told to the operator in seconds', async () => {
    const detail = async (claims: object) => ((await verify(prover.proof({ ...claims }))) as Refusal).detail
    const advice = "compare the caller's clock with this one"
    expect(await detail({ iat: now - 90 })).toEqual({
      expected: 'a proof made in the last 60 s',
      actual: 'one made 90 s ago',
      advice,
    })
    expect(await detail({ iat: now + 45 })).toEqual({
      expected: 'a proof made by now, give or take 30 s',
      actual: 'one of 45 s ahead',
      advice,
    })
    expect(await detail({ exp: now - 40 })).toMatchObject({ actual: 'one made 0 s ago, with an `exp`' })
  })
})

describe('the access token of a proof', () => {
  test.each([
    ['none', undefined],
    ['another', sha256('another')],
    ['the token itself', accessToken],
    ['the same with padding', `${sha256(accessToken)}=`],
    ['the same in base64', Buffer.from(sha256(accessToken), 'base64url').toString('base64')],
    ['the same in hexadecimal digits', Buffer.from(sha256(accessToken), 'base64url').toString('hex')],
    ['one without its end', sha256(accessToken.slice(0, -1))],
    ['one with its scheme', sha256(`DPoP ${accessToken}`)],
  ])('T36 is refused where `ath` is of %s', async (_, ath) => {
    expect(await codeOf(prover.proof({ ath }))).toBe('dpop_proof_mismatch')
  })

  test('is not repeated to the operator', async () => {
    const refusal = (await verify(prover.proof({ ath: 'another' }))) as Refusal
    expect(JSON.stringify(refusal)).not.toContain(sha256(accessToken))
    expect(refusal.detail).toEqual({ expected: '`ath` of the access token beside it', actual: 'another' })
    expect(((await verify(prover.proof({ ath: undefined }))) as Refusal).detail.actual).toBe('no `ath`')
  })

  test('T35 that is bound to another key is refused', async () => {
    expect(await codeOf(prover.proof(), { jkt: prover.jkt })).toBe('verified')
    expect(await codeOf(prover.proof(), { jkt: rsa.jkt })).toBe('dpop_key_mismatch')
    for (const jkt of [`${prover.jkt}=`, prover.jkt.toLowerCase(), prover.jkt.slice(1), 'jkt']) {
      expect(await codeOf(prover.proof(), { jkt }), jkt).toBe('dpop_key_mismatch')
    }
  })
})

describe('the nonce of a proof', () => {
  test('is demanded as soon as there is one', async () => {
    expect(await codeOf(prover.proof({ nonce: 'now' }), { nonce: 'now' })).toBe('verified')
    expect(await verify(prover.proof({ nonce: 'now' }), { nonce: 'now' })).toMatchObject({ nonce: 'now' })
    for (const nonce of [undefined, 'then', 'now ', 'no', 'NOW']) {
      expect(await codeOf(prover.proof({ nonce }), { nonce: 'now' }), nonce).toBe('dpop_nonce_required')
    }
  })

  test('is no reason to refuse where none is asked for', async () => {
    expect(await verify(prover.proof({ nonce: 'theirs' }))).toMatchObject({ nonce: 'theirs' })
  })

  test('is asked for before the time is looked at, so that a caller can learn it', async () => {
    expect(await codeOf(prover.proof({ iat: 0 }), { nonce: 'now' })).toBe('dpop_nonce_required')
  })
})

describe('the signature of a proof', () => {
  test('is refused where another key made it', async () => {
    const stranger = createRawSigner('ES256')
    expect(await codeOf(stranger.jws(prover.header, prover.claims()))).toBe('dpop_proof_signature_invalid')
  })

  test('is refused where anything it covers was changed', async () => {
    const [header, , signature] = prover.proof().split('.')
    const other = prover.proof({ jti: 'other' }).split('.')[1]
    expect(await codeOf(`${header}.${other}.${signature}`)).toBe('dpop_proof_signature_invalid')
  })

  test('is refused where it is cut, zero or in DER', async () => {
    const [header, payload, signature = ''] = prover.proof().split('.')
    const octets = Buffer.from(signature, 'base64url')
    for (const other of [
      octets.subarray(1),
      octets.subarray(0, 63),
      Buffer.alloc(64),
      Buffer.concat([octets, octets]),
    ]) {
      const proof = `${header}.${payload}.${other.toString('base64url')}`
      expect(await codeOf(proof)).toBe('dpop_proof_signature_invalid')
    }
  })
})

describe('the DPoP field of a request', () => {
  const proof = prover.proof()
  const withFields = (...values: string[]) => ({
    ...requestWith(),
    headers: values.length === 0 ? {} : { dpop: values.join(', ') },
    rawHeaders: values.flatMap((value, i) => [i % 2 === 0 ? 'DPoP' : 'dpop', value]),
  })
  const read = (...values: string[]): unknown => {
    const found = readProof(withFields(...values))
    return found instanceof Refusal ? found.code : found
  }

  test('is read as it stands, or not there', () => {
    expect(read()).toBeUndefined()
    expect(read(proof)).toBe(proof)
    expect(read('')).toBe('')
    expect(read('a'.repeat(8192))).toBe('a'.repeat(8192))
  })

  test.each([
    ['twice', [proof, proof]],
    ['with two proofs', [proof, prover.proof()]],
    ['with an empty second', [proof, '']],
    ['with an empty first', ['', proof]],
    ['joined by a comma', [`${proof},${proof}`]],
    ['joined by a comma and a space', [`${proof}, ${proof}`]],
    ['with a comma at its end', [`${proof},`]],
  ])('is refused if there %s', (_, values) => {
    expect(read(...values)).toBe('dpop_proof_duplicated')
  })

  test('is refused twice, though Node or a framework shows one', () => {
    const once = { ...withFields(proof, proof), headers: { dpop: proof } }
    expect(readProof(once)).toMatchObject({ code: 'dpop_proof_duplicated' })
    const listed = { ...withFields(proof), headers: { dpop: [proof] as unknown as string } }
    expect(readProof(listed)).toMatchObject({ code: 'dpop_proof_duplicated' })
  })

  test('is refused beyond 8192 characters', () => {
    expect(read('a'.repeat(8193))).toBe('token_oversized')
  })
})
