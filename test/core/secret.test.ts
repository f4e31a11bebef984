import { createHmac } from 'node:crypto'
import { ConfigurationError, createGuard, type Guard, type GuardOptions } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

const { claims, clock, signer, header } = createHouse()
const octets = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 37 + 11) % 256))
const rsa = createRawSigner('RS256')
const ca = await createTestCa()

type Hash = 'HS256' | 'HS384' | 'HS512'
type Options = Readonly<Record<string, unknown>>

const guardOf = (options: Options): Guard =>
  createGuard(
    { audience: 'orders', issuers: [{ issuer, ...options }], log: false } as unknown as GuardOptions,
    { clock },
  )

function hmac(alg: string, secret: string | Uint8Array, hash = alg.slice(2)): string {
  const input = `${segment({ alg, typ: 'at+jwt' })}.${segment(claims())}`
  return `${input}.${createHmac(`sha${hash}`, secret).update(input).digest('base64url')}`
}

const mistakeIn = (options: Options): unknown => {
  try {
    return guardOf(options)
  } catch (error) {
    return error
  }
}

describe.each<[Hash, number]>([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
])('a secret for %s', (alg, length) => {
  const secret = octets.subarray(0, length)
  const guard = guardOf({ secret, algorithms: [alg] })

  test('verifies what was signed with it, and nothing else', async () => {
    expect(await codeFor(guard, hmac(alg, secret))).toBe('allow')
    expect(await codeFor(guard, hmac(alg, octets.subarray(1, length + 1)))).toBe('signature_invalid')
    expect(await codeFor(guard, `${hmac(alg, secret).slice(0, -4)}AAAA`)).toBe('signature_invalid')
  })

  test(`has ${length} octets at least`, () => {
    expect(mistakeIn({ secret: octets.subarray(0, length - 1), algorithms: [alg] })).toMatchObject({
      option: 'issuers[0].secret',
      message: expect.stringContaining(`at least ${length} octets`),
    })
    // An octet of UTF-8 counts, not a character.
    expect(mistakeIn({ secret: '\u00e9'.repeat(length / 2), algorithms: [alg] })).not.toBeInstanceOf(Error)
  })

  test('T03 is never empty, and a token signed with nothing is not accepted', async () => {
    for (const empty of ['', new Uint8Array(), Buffer.alloc(0), null, undefined, 0, false, {}, []]) {
      expect(mistakeIn({ secret: empty, algorithms: [alg] })).toBeInstanceOf(ConfigurationError)
    }
    for (const forged of ['', '\0', 'undefined', Buffer.alloc(length)]) {
      expect(await codeFor(guard, hmac(alg, forged))).toBe('signature_invalid')
    }
  })
})

test('a secret is long enough for every algorithm that it is for', () => {
  expect(mistakeIn({ secret: octets.subarray(0, 48), algorithms: ['HS256', 'HS512'] })).toMatchObject({
    option: 'issuers[0].secret',
  })
})

test('a secret that the application overwrites later is the one that was given', async () => {
  const secret = Buffer.from(octets)
  const guard = guardOf({ secret, algorithms: ['HS256'] })
  secret.fill(0)
  expect(await codeFor(guard, hmac('HS256', octets))).toBe('allow')
  expect(await codeFor(guard, hmac('HS256', secret))).toBe('signature_invalid')
})

describe('T01 what everybody may read is no secret:', () => {
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const certificate = Buffer.from(ca.bundle.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')

  test.each<[string, string | Uint8Array]>([
    ['PEM', pem],
    ['PEM of PKCS#1', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['PEM behind white space', `\n ${pem}`],
    ['PEM as octets', Buffer.from(pem)],
    ['a certificate', ca.bundle],
    ['a certificate in DER', certificate],
    ['a certificate as in `x5c`', certificate.toString('base64')],
    ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a JWK', JSON.stringify(rsa.jwk)],
    ['a JWK Set', JSON.stringify({ keys: [rsa.jwk] }, undefined, 2)],
    ['a list of JWKs', JSON.stringify([rsa.jwk])],
    ['DER', spki],
    ['DER in base64, as consoles show it', spki.toString('base64')],
    ['DER in base64url', spki.toString('base64url')],
    ['DER of P-256 in base64', signer.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
  ])('T01 not %s', (_, secret) => {
    const mistake = mistakeIn({ secret, algorithms: ['HS256'] })
    expect(mistake).toMatchObject({ option: 'issuers[0].secret', message: expect.stringMatching(/`jwks`/) })
    expect(String(mistake)).not.toContain(String(secret).slice(0, 20))
  })

  test('T01 nor does an issuer have a secret beside keys', () => {
    const secret = { secret: octets, algorithms: ['HS256'] }
    for (const [name, value] of Object.entries({
      jwks: { keys: [rsa.jwk] },
      jwksUri: 'https://issuer.test/keys',
      discoveryUrl: 'https://issuer.test/.well-known/openid-configuration',
    })) {
      expect(mistakeIn({ ...secret, [name]: value })).toMatchObject({ option: `issuers[0].${name}` })
    }
  })
})

describe('T01 a secret is for symmetric algorithms, which are said:', () => {
  test.each<[string, unknown]>([
    ['none', undefined],
    ['an empty list', []],
    ['an asymmetric one', ['RS256']],
    ['both kinds', ['HS256', 'RS256']],
    ['none of that name', ['none']],
    ['one in another case', ['hs256']],
    ['a text', 'HS256'],
  ])('T01 not %s', (_, algorithms) => {
    expect(mistakeIn({ secret: octets, algorithms })).toMatchObject({ option: 'issuers[0].algorithms' })
  })

  test('T01 and they are for a secret', () => {
    const jwks = { keys: [rsa.jwk] }
    for (const algorithms of [['HS256'], ['RS256', 'HS256']]) {
      expect(mistakeIn({ jwks, algorithms })).toMatchObject({ option: 'issuers[0].algorithms' })
    }
  })
})

describe('an issuer with a secret and one with keys, side by side,', () => {
  const other = 'https://keys.test'
  const both = createGuard(
    {
      audience: 'orders',
      issuers: [
        { issuer, secret: octets, algorithms: ['HS256'] },
        { issuer: other, jwks: { keys: [rsa.jwk] }, algorithms: ['RS256'] },
      ],
      log: false,
    },
    { clock },
  )

  test('T01 never take the algorithms of each other', async () => {
    const rs256 = (iss: string) => rsa.jws({ alg: 'RS256', typ: 'at+jwt' }, claims({ iss }))
    const hs256 = (iss: string, secret: string | Uint8Array) => {
      const input = `${segment({ alg: 'HS256', typ: 'at+jwt' })}.${segment(claims({ iss }))}`
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
    }
    expect(await codeFor(both, rs256(other))).toBe('allow')
    expect(await codeFor(both, hs256(issuer, octets))).toBe('allow')
    expect(await codeFor(both, rs256(issuer))).toBe('algorithm_not_allowed')
    for (const secret of [octets, rsa.publicKey.export({ type: 'spki', format: 'pem' }), '']) {
      expect(await codeFor(both, hs256(other, secret))).toBe('algorithm_not_allowed')
    }
  })

  test('T02 take no token without a signature', async () => {
    for (const iss of [issuer, other]) {
      for (const alg of ['none', 'None', '']) {
        const unsigned = `${segment({ alg, typ: 'at+jwt' })}.${segment(claims({ iss }))}.`
        expect(await codeFor(both, unsigned)).toBe('algorithm_not_allowed')
      }
    }
    expect(await codeFor(both, `${segment({ ...header, alg: 'HS256' })}.${segment(claims())}.`)).toBe(
      'token_malformed',
    )
  })

  test('are both ready without a network', async () => {
    expect(await both.ready()).toMatchObject({ ready: true, issuers: [{ issuer: other }] })
  })
})
