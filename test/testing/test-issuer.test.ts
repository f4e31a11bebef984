import { createTestClock, createTestIssuer, type SigningAlgorithm } from '@countersign/testing'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JWK } from 'jose'
import { expect, test } from 'vitest'

const rfc9068 = { typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'jti', 'client_id'] }

test.each<SigningAlgorithm>(['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'])(
  'signs with %s what an independent verifier accepts',
  async (alg) => {
    const idp = await createTestIssuer({ alg })
    const token = await idp.token('checkout', { scopes: ['orders:read', 'orders:write'] })
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(publishedKeys(idp)), {
      ...rfc9068,
      algorithms: [alg],
      issuer: 'https://issuer.test',
      audience: 'orders',
    })
    expect(protectedHeader.alg).toBe(alg)
    expect(payload).toMatchObject({
      sub: 'checkout',
      client_id: 'checkout',
      scope: 'orders:read orders:write',
    })
  },
)

test('has only issuer options as own enumerable properties', async () => {
  const idp = await createTestIssuer()
  expect(Object.keys(idp).toSorted()).toEqual(['issuer', 'jwks'])
  const options = {
    represents: 'user',
    workloadClaim: 'azp',
    trustDomains: ['prod.example'],
    algorithms: ['ES256'],
    audience: 'billing',
  } as const
  const given = Object.entries(await createTestIssuer({ issuer: 'https://kc.test', ...options }))
  expect(Object.fromEntries(given.filter(([name]) => name !== 'jwks'))).toEqual({
    issuer: 'https://kc.test',
    ...options,
  })
})

test('publishes no private key member', async () => {
  const [key] = publishedKeys(await createTestIssuer({ alg: 'RS256' })).keys
  expect(Object.keys(key ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
})

test('puts the user in `sub` and keeps the workload in `client_id`', async () => {
  const idp = await createTestIssuer()
  expect(decodeJwt(await idp.token('checkout', { user: 'alice' }))).toMatchObject({
    sub: 'alice',
    client_id: 'checkout',
  })
})

test('leaves `scope` out where no scopes are given', async () => {
  const idp = await createTestIssuer()
  expect(decodeJwt(await idp.token('checkout'))).not.toHaveProperty('scope')
})

test('takes the audience from the token, then from the issuer', async () => {
  const idp = await createTestIssuer({ audience: 'billing' })
  expect(decodeJwt(await idp.token('checkout')).aud).toBe('billing')
  expect(decodeJwt(await idp.token('checkout', { audience: ['a', 'b'] })).aud).toEqual(['a', 'b'])
})

test('takes the time from the token, then from its clock', async () => {
  const idp = await createTestIssuer({ clock: createTestClock(new Date(5_000_999)) })
  expect(decodeJwt(await idp.token('checkout'))).toMatchObject({ iat: 5000, exp: 5300 })
  const token = await idp.token('checkout', { now: new Date(9_000_000), expiresIn: 60 })
  expect(decodeJwt(token)).toMatchObject({ iat: 9000, exp: 9060 })
})

test('adds, replaces and leaves out claims and header members', async () => {
  const idp = await createTestIssuer()
  const token = await idp.token('checkout', {
    claims: { tenant: 't1', sub: 'other', jti: undefined },
    header: { kid: undefined, typ: 'application/at+jwt' },
  })
  expect(decodeJwt(token)).toMatchObject({ tenant: 't1', sub: 'other', client_id: 'checkout' })
  expect(decodeJwt(token)).not.toHaveProperty('jti')
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'application/at+jwt' })
})

test('gives every token its own `jti`', async () => {
  const idp = await createTestIssuer()
  expect(decodeJwt(await idp.token('checkout')).jti).not.toBe(decodeJwt(await idp.token('checkout')).jti)
})

test('makes the headers of a request', async () => {
  const { authorization } = await (
    await createTestIssuer()
  ).headersFor('checkout', { scopes: ['orders:read'] })
  expect(authorization).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
})

test('shows a rotation in `jwks`, and forgets the old key when told to', async () => {
  const idp = await createTestIssuer()
  const before = publishedKeys(idp)
  const token = await idp.token('checkout')
  await idp.rotate()
  expect(publishedKeys(idp).keys).toHaveLength(2)
  expect(before.keys).toHaveLength(1)
  await expect(jwtVerify(token, createLocalJWKSet(publishedKeys(idp)))).resolves.toBeDefined()
  await expect(jwtVerify(await idp.token('checkout'), createLocalJWKSet(before))).rejects.toMatchObject({
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  })

  idp.withdrawOldKeys()
  await expect(jwtVerify(token, createLocalJWKSet(publishedKeys(idp)))).rejects.toMatchObject({
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  })
  await expect(
    jwtVerify(await idp.token('checkout'), createLocalJWKSet(publishedKeys(idp))),
  ).resolves.toBeDefined()
})

test('cannot be down in memory, and closes without ado', async () => {
  const idp = await createTestIssuer()
  expect(() => idp.outage(true)).toThrow('only a listening issuer can be down, write `listen: true`')
  expect(idp.requests).toBe(0)
  await idp.close()
})

function publishedKeys(idp: { jwks?: { keys: JWK[] } }): { keys: JWK[] } {
  if (!idp.jwks) throw new Error('expected an issuer in memory')
  return idp.jwks
}
