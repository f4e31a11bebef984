// The building block for JWT-SVIDs: the same code that a guard runs, for those who bring the bundles themselves.
import { ConfigurationError } from '@countersign/core'
import { Refusal, verifyJwtSvid, type JwtSvidOptions } from '@countersign/core/token'
import { describe, expect, test } from 'vitest'
import vectors from '../vectors/jwt-svid.json' with { type: 'json' }
import { createRawSigner } from './support/raw-signer.ts'

const now = new Date('2026-11-22T00:00:00Z')
const signer = createRawSigner('ES256')
const bundle = { keys: [{ ...signer.jwk, kid: 'key-1', use: 'jwt-svid' }] }
const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' }
const seconds = now.getTime() / 1000
const claims = { sub: 'spiffe://prod.example/ns/shop/sa/checkout', aud: ['orders'], exp: seconds + 300 }
const options = {
  bundles: { 'prod.example': bundle },
  audience: 'orders',
  now,
} as const satisfies JwtSvidOptions

const codeOf = async (token: string, changes: Partial<JwtSvidOptions> = {}): Promise<string> => {
  const result = await verifyJwtSvid(token, { ...options, ...changes })
  return result instanceof Refusal ? result.code : 'verified'
}

test('a JWT-SVID says who its bearer is, and until when', async () => {
  const verified = await verifyJwtSvid(signer.jws(header, { ...claims, extra: { a: 1 } }), options)
  expect(verified).toMatchObject({
    spiffeId: 'spiffe://prod.example/ns/shop/sa/checkout',
    audience: ['orders'],
    expiresAt: (seconds + 300) * 1000,
    claims: { extra: { a: 1 } },
  })
  expect(Object.isFrozen(verified)).toBe(true)
})

describe('is refused', () => {
  test.each([
    ['expired, to the millisecond', { exp: seconds }, {}, 'token_expired'],
    ['not valid yet', { nbf: seconds + 1 }, {}, 'token_not_yet_valid'],
    ['for another audience', { aud: 'stock' }, {}, 'audience_mismatch'],
    ['for nobody', { aud: [] }, {}, 'claim_malformed'],
    ['without audience', { aud: undefined }, {}, 'claim_missing'],
    ['without end', { exp: undefined }, {}, 'claim_missing'],
    ['of another trust domain', { sub: 'spiffe://other.example/x' }, {}, 'issuer_unknown'],
    ['of the trust domain itself', { sub: 'spiffe://prod.example' }, {}, 'issuer_unknown'],
    ['of no workload', { sub: 'checkout' }, {}, 'claim_missing'],
    ['without key id', {}, { kid: undefined }, 'key_unknown'],
    ['with another key id', {}, { kid: 'key-2' }, 'key_unknown'],
    ['with a header of more members', {}, { jku: 'https://evil.example' }, 'token_type_mismatch'],
    ['of another type', {}, { typ: 'wit+jwt' }, 'token_type_mismatch'],
    ['with an algorithm that SVIDs do not have', {}, { alg: 'EdDSA' }, 'algorithm_not_allowed'],
  ])('one %s', async (_, changes, extra, code) => {
    const token = signer.jws({ ...header, ...extra }, { ...claims, ...changes })
    expect(await codeOf(token)).toBe(code)
  })

  test('one that is signed with a key of another use, of another domain, or of nobody', async () => {
    const token = signer.jws(header, claims)
    for (const use of ['x509-svid', 'wit-svid', 'sig', undefined]) {
      const keys = [{ ...signer.jwk, kid: 'key-1', use }]
      expect(await codeOf(token, { bundles: { 'prod.example': { keys } } })).toBe('key_unknown')
    }
    const bundles = { 'prod.example': { keys: [] }, 'other.example': bundle }
    expect(await codeOf(token, { bundles })).toBe('key_unknown')
    expect(await codeOf(createRawSigner('ES256').jws(header, claims))).toBe('signature_invalid')
    expect(await codeOf(token, { clockToleranceSeconds: 30, now: now.getTime() + 329_000 })).toBe('verified')
    expect(await codeOf(token, { clockToleranceSeconds: 30, now: now.getTime() + 330_000 })).toBe(
      'token_expired',
    )
  })

  test.each(['', 'x', 'a.b.c', 'x'.repeat(10_000), 7 as never, undefined as never])(
    'what is none: %j',
    async (token) => {
      expect(await codeOf(token)).toBe('token_malformed')
    },
  )
})

test('the published examples are what they are said to be', async () => {
  const codes = []
  for (const { token, jwk, audience } of vectors) {
    const keys = [{ ...jwk, use: 'jwt-svid' }]
    codes.push(await codeOf(token, { bundles: { 'example.org': { keys } }, audience }))
  }
  expect(codes).toEqual(['verified', 'key_unknown', 'issuer_unknown', 'key_unknown'])
})

test.each([
  ['bundles', { bundles: new Map() as never }],
  ["bundles['PROD']", { bundles: { PROD: bundle } }],
  ["bundles['prod.example']", { bundles: { 'prod.example': [] as never } }],
  [
    "bundles['prod.example']",
    { bundles: { 'prod.example': { keys: [{ ...signer.jwk, use: 'jwt-svid' }] } } },
  ],
  ['audience', { audience: '' }],
  ['now', { now: Number.NaN }],
  ['clockToleranceSeconds', { clockToleranceSeconds: -1 }],
  ['bundle', { bundle } as never],
])('a mistake in %s is told to the programmer', async (option, changes) => {
  const error: unknown = await codeOf('x', changes).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error).toMatchObject({ option })
})
