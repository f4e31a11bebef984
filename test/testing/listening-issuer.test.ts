import { get } from 'node:https'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import { createLocalJWKSet, jwtVerify, type JWK } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'

let idp: TestIssuer
beforeEach(async () => {
  idp = await createTestIssuer({ listen: true })
})
afterEach(() => idp.close())

test('has only issuer options as own enumerable properties, and no keys among them', () => {
  expect(Object.keys(idp).toSorted()).toEqual(['ca', 'issuer'])
  expect(idp.issuer).toMatch(/^https:\/\/localhost:\d+$/)
  expect(idp.ca).toMatch(/^-----BEGIN CERTIFICATE-----/)
})

test.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])(
  'answers %s over HTTPS with its own identifier and the place of its keys',
  async (path) => {
    const { status, text } = await fetchText(path)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({ issuer: idp.issuer, jwks_uri: `${idp.issuer}/jwks` })
  },
)

test('answers nothing else', async () => {
  expect(await fetchText('/token')).toEqual({ status: 404, text: '' })
})

test('is not trusted without its CA', async () => {
  await expect(fetchText('/jwks', {})).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
})

test('publishes the key that verifies its tokens', async () => {
  const token = await idp.token('checkout')
  await expect(jwtVerify(token, await publishedKeys(), { issuer: idp.issuer })).resolves.toBeDefined()
})

test('publishes old and new keys after a rotation, and only the new one after a withdrawal', async () => {
  const old = await idp.token('checkout')
  await idp.rotate()
  const renewed = await idp.token('checkout')
  const both = await publishedKeys()
  await expect(jwtVerify(old, both)).resolves.toBeDefined()
  await expect(jwtVerify(renewed, both)).resolves.toBeDefined()

  idp.withdrawOldKeys()
  const onlyNew = await publishedKeys()
  await expect(jwtVerify(old, onlyNew)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
  await expect(jwtVerify(renewed, onlyNew)).resolves.toBeDefined()
})

test('counts how often its keys were asked for, and only that', async () => {
  expect(idp.requests).toBe(0)
  await fetchText('/.well-known/openid-configuration')
  expect(idp.requests).toBe(0)
  await fetchText('/jwks')
  await fetchText('/jwks')
  expect(idp.requests).toBe(2)
})

test('answers 503 during an outage and recovers after it', async () => {
  idp.outage(true)
  expect((await fetchText('/.well-known/openid-configuration')).status).toBe(503)
  expect((await fetchText('/jwks')).status).toBe(503)
  expect(idp.requests).toBe(1)
  idp.outage(false)
  expect((await fetchText('/jwks')).status).toBe(200)
})

test('closes once, twice, or by `await using`', async () => {
  await idp.close()
  await expect(fetchText('/jwks')).rejects.toThrow()
  await idp.close()

  const another = await createTestIssuer({ listen: true })
  await another[Symbol.asyncDispose]()
  await expect(fetchText('/jwks', { ca: another.ca }, another.issuer)).rejects.toThrow()
})

test('refuses an identifier of its own choosing, since its port names it', async () => {
  await expect(createTestIssuer({ listen: true, issuer: 'https://issuer.test' })).rejects.toThrow(
    '`issuer`: a listening issuer is named by its port, leave `issuer` out',
  )
})

async function publishedKeys(): Promise<ReturnType<typeof createLocalJWKSet>> {
  const jwks: { keys: JWK[] } = JSON.parse((await fetchText('/jwks')).text)
  return createLocalJWKSet(jwks)
}

function fetchText(
  path: string,
  { ca }: { ca?: string | undefined } = { ca: idp.ca },
  origin: string = idp.issuer,
): Promise<{ status: number | undefined; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>()
  get(`${origin}${path}`, { ...(ca && { ca }), agent: false }, async (response) => {
    resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() })
  }).on('error', reject)
  return promise
}
