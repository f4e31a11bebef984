import {
  brokenTokenKinds,
  createTestClock,
  createTestIssuer,
  type BrokenTokenKind,
  type TestIssuer,
} from '@countersign/testing'
import {
  EmbeddedJWK,
  UnsecuredJWT,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  importJWK,
  jwtVerify,
  type JWK,
  type JWTVerifyOptions,
} from 'jose'
import { expect, test } from 'vitest'

const now = new Date('2031-05-01T12:00:00Z')
const strict = {
  currentDate: now,
  issuer: 'https://issuer.test',
  audience: 'orders',
  typ: 'at+jwt',
  algorithms: ['ES256'],
  requiredClaims: ['exp', 'iat', 'jti', 'client_id'],
}

interface Expectation {
  /** What a strict verifier says. */
  readonly code: string
  readonly claim?: string
  /** Accepts the token by giving up just the check that the kind is about. */
  readonly withoutTheCheck: (token: string, idp: TestIssuer) => unknown
}

const expectations: Record<BrokenTokenKind, Expectation> = {
  expired: {
    code: 'ERR_JWT_EXPIRED',
    claim: 'exp',
    withoutTheCheck: relaxed({ currentDate: minutesLater(-6) }),
  },
  'not-yet-valid': invalidClaim('nbf', { currentDate: minutesLater(6) }),
  'wrong-audience': invalidClaim('aud', { audience: 'another-service' }),
  'wrong-issuer': invalidClaim('iss', { issuer: 'https://another-issuer.test' }),
  'forged-signature': {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    withoutTheCheck: looksLikeAnHonestOne,
  },
  'alg-none': {
    code: 'ERR_JOSE_ALG_NOT_ALLOWED',
    withoutTheCheck: (token) =>
      UnsecuredJWT.decode(token, { issuer: strict.issuer, audience: strict.audience, currentDate: now }),
  },
  'hmac-with-public-key': {
    code: 'ERR_JOSE_ALG_NOT_ALLOWED',
    withoutTheCheck: async (token, idp) =>
      jwtVerify(token, await publicKeyAsSecret(idp), { ...strict, algorithms: ['HS256'] }),
  },
  'tampered-payload': {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    withoutTheCheck: (token, idp) => {
      expect(decodeJwt(token)['scope']).toBe('orders:read admin:everything')
      return looksLikeAnHonestOne(token, idp)
    },
  },
  'unknown-kid': {
    code: 'ERR_JWKS_NO_MATCHING_KEY',
    withoutTheCheck: async (token, idp) => jwtVerify(token, await importJWK(publishedKey(idp)), strict),
  },
  'wrong-typ': invalidClaim('typ', { typ: 'JWT' }),
  'id-token': invalidClaim('typ', { typ: 'JWT', requiredClaims: ['exp', 'iat', 'nonce', 'azp'] }),
  'no-expiry': invalidClaim('exp', { requiredClaims: ['iat', 'jti', 'client_id'] }),
  'no-audience': {
    ...invalidClaim('aud', {}),
    withoutTheCheck: (token, idp) => {
      const { audience: _, ...rest } = strict
      return jwtVerify(token, createLocalJWKSet({ keys: [publishedKey(idp)] }), rest)
    },
  },
  'critical-header': {
    code: 'ERR_JOSE_NOT_SUPPORTED',
    withoutTheCheck: relaxed({ crit: { 'urn:test:unknown': true } }),
  },
  'embedded-jwk': {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    withoutTheCheck: (token) => jwtVerify(token, EmbeddedJWK, strict),
  },
  truncated: {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    withoutTheCheck: (token, idp) => {
      expect(token).toHaveLength(token.lastIndexOf('.') + 1 + 86 - 10)
      return looksLikeAnHonestOne(token, idp)
    },
  },
}

test.each(brokenTokenKinds)('makes a token that is %s, and nothing else is wrong with it', async (kind) => {
  const idp = await createTestIssuer({ clock: createTestClock(now) })
  const { code, claim, withoutTheCheck } = expectations[kind]
  const token = await idp.broken(kind, 'checkout', { scopes: ['orders:read'] })
  const refusal = expect(jwtVerify(token, createLocalJWKSet({ keys: [publishedKey(idp)] }), strict)).rejects
  await refusal.toMatchObject(claim ? { code, claim } : { code })
  await withoutTheCheck(token, idp)
})

test('makes broken tokens for every algorithm', async () => {
  for (const alg of ['RS256', 'PS256', 'Ed25519'] as const) {
    const idp = await createTestIssuer({ alg })
    for (const kind of ['forged-signature', 'embedded-jwk', 'truncated'] as const) {
      const verified = jwtVerify(
        await idp.broken(kind, 'checkout'),
        createLocalJWKSet({ keys: [publishedKey(idp)] }),
      )
      await expect(verified).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
    }
  }
})

test('breaks the time against the issuer’s own clock', async () => {
  const idp = await createTestIssuer({ clock: { now: () => 10_000_000 } })
  expect(decodeJwt(await idp.broken('expired', 'checkout')).exp).toBe(10_000 - 300)
  expect(decodeJwt(await idp.broken('not-yet-valid', 'checkout')).nbf).toBe(10_000 + 300)
})

function invalidClaim(claim: string, options: JWTVerifyOptions): Expectation {
  return { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim, withoutTheCheck: relaxed(options) }
}

function relaxed(options: JWTVerifyOptions): Expectation['withoutTheCheck'] {
  return (token, idp) =>
    jwtVerify(token, createLocalJWKSet({ keys: [publishedKey(idp)] }), { ...strict, ...options })
}

async function looksLikeAnHonestOne(token: string, idp: TestIssuer): Promise<void> {
  const honest = await idp.token('checkout', { scopes: ['orders:read'] })
  expect(decodeProtectedHeader(token)).toEqual(decodeProtectedHeader(honest))
  expect(Object.keys(decodeJwt(token))).toEqual(Object.keys(decodeJwt(honest)))
  expect(decodeJwt(token)).toMatchObject({ iss: strict.issuer, aud: strict.audience, sub: 'checkout' })
}

async function publicKeyAsSecret(idp: TestIssuer): Promise<Uint8Array> {
  const key = await importJWK({ ...publishedKey(idp), ext: true }, 'ES256')
  if (key instanceof Uint8Array) throw new Error('expected a public key')
  return Buffer.from(await exportSPKI(key))
}

function publishedKey(idp: TestIssuer): JWK {
  const key = idp.jwks?.keys[0]
  if (!key) throw new Error('expected an issuer in memory')
  return key
}

function minutesLater(minutes: number): Date {
  return new Date(now.getTime() + minutes * 60_000)
}
