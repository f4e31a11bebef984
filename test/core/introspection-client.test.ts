// How this service says who it is when it asks, and what options for that are refused at start-up.
import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { ConfigurationError } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify, type JWTVerifyResult } from 'jose'
import { describe, expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import {
  parseClientAuthentication,
  type ClientAuthenticationOptions,
} from '../../packages/core/src/options/parse-client-authentication.ts'
import { parseIntrospection } from '../../packages/core/src/options/parse-introspection.ts'
import { contextOf, introspectorOf, openAuthorizationServer, secret } from './support/introspecting.ts'

const issuer = 'https://idp.test'
const clock = createTestClock()
let ids = 0
const newId = () => `id-${(ids += 1)}`
const authenticationOf = (options: object, clientId = 'orders') =>
  parseClientAuthentication(options as ClientAuthenticationOptions, 'authentication', {
    clientId,
    issuer,
    clock,
    newId,
  }) // the type is what is tested

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed = generateKeyPairSync('ed25519')
const pemOf = (pair: typeof ec) => pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const jwkOf = (pair: typeof ec) => pair.privateKey.export({ format: 'jwk' })
const ca = await createTestCa()
const leaf = await ca.svid('/orders')
const otherLeaf = await ca.svid('/billing')

describe('private_key_jwt', () => {
  async function assertionOf(options: object, pair: typeof ec): Promise<JWTVerifyResult & { form: object }> {
    const { headers, form, tls } = await authenticationOf({
      method: 'private_key_jwt',
      ...options,
    }).credentials()
    expect([headers, tls]).toEqual([{}, {}])
    const verified = await jwtVerify(form['client_assertion'] ?? '', pair.publicKey, {
      currentDate: new Date(clock.now()),
    })
    return { ...verified, form }
  }

  test('is an assertion of RFC 10070: typed, for the issuer alone, for a minute, once', async () => {
    const first = await assertionOf({ key: { ...jwkOf(ec), kid: 'orders-1' } }, ec)
    const now = Math.floor(clock.now() / 1000)
    expect(first.protectedHeader).toEqual({ alg: 'ES256', typ: 'client-authentication+jwt', kid: 'orders-1' })
    expect(first.payload).toEqual({
      iss: 'orders',
      sub: 'orders',
      aud: issuer,
      iat: now,
      exp: now + 60,
      jti: `id-${ids}`,
    })
    expect(first.form).toEqual({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.any(String),
    })
    const second = await assertionOf({ key: jwkOf(ec) }, ec)
    expect(second.payload.jti).not.toBe(first.payload.jti)
  })

  test.each([
    ['an EC key, which says which algorithm', { key: pemOf(ec) }, ec, { alg: 'ES256' }],
    ['an RSA key', { key: pemOf(rsa), algorithm: 'PS256' }, rsa, { alg: 'PS256' }],
    ['an RSA key in another algorithm', { key: pemOf(rsa), algorithm: 'RS512' }, rsa, { alg: 'RS512' }],
    ['an Ed25519 key', { key: pemOf(ed), algorithm: 'Ed25519' }, ed, { alg: 'Ed25519' }],
    ['an Ed25519 key under its old name', { key: { ...jwkOf(ed), alg: 'EdDSA' } }, ed, { alg: 'EdDSA' }],
    ['a JWK for signing', { key: { ...jwkOf(ec), use: 'sig', key_ops: ['sign'] } }, ec, { alg: 'ES256' }],
    [
      'a `keyId`, before the one in the key',
      { key: { ...jwkOf(ec), kid: 'a' }, keyId: 'b' },
      ec,
      { kid: 'b' },
    ],
  ])('signs with %s', async (_, options, pair, header) => {
    expect((await assertionOf(options, pair)).protectedHeader).toMatchObject(header)
  })

  test.skipIf(!isAvailable('ML-DSA-44'))('signs with ML-DSA where Node has it', async () => {
    const pair = generateKeyPairSync('ml-dsa-44' as 'ed25519') // newer than the types of Node
    expect((await assertionOf({ key: pemOf(pair) }, pair)).protectedHeader.alg).toBe('ML-DSA-44')
  })

  test('signs with keys as jose makes them', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true })
    for (const key of [await exportPKCS8(privateKey), await exportJWK(privateKey)]) {
      const { form } = await authenticationOf({ method: 'private_key_jwt', key }).credentials()
      const current = { currentDate: new Date(clock.now()) }
      const { protectedHeader } = await jwtVerify(form['client_assertion'] ?? '', publicKey, current)
      expect(protectedHeader.alg).toBe('ES384')
    }
  })
})

describe('a secret', () => {
  test('in the header is form-encoded before it is joined (RFC 6749 §2.3.1)', async () => {
    const authentication = authenticationOf(
      { method: 'client_secret_basic', secret: 'p:ä+% &/' },
      'https://orders',
    )
    expect(await authentication.credentials()).toEqual({
      headers: {
        authorization: `Basic ${Buffer.from('https%3A%2F%2Forders:p%3A%C3%A4%2B%25+%26%2F').toString('base64')}`,
      },
      form: {},
      tls: {},
    })
  })

  test('in the form stands beside the client', async () => {
    await using server = await openAuthorizationServer({ active: false })
    await server
      .introspector({ authentication: { method: 'client_secret_post', secret: 'a&b=c' } })
      .introspect('t')
    const [asked] = server.asked
    expect(Object.fromEntries(asked?.form ?? [])).toMatchObject({
      client_id: 'orders',
      client_secret: 'a&b=c',
    })
    expect(asked?.headers.authorization).toBeUndefined()
  })
})

describe('mtls', () => {
  test('is a certificate on the connection, and the client in the form (RFC 8705 §2)', async () => {
    const { cert, key } = leaf
    expect(await authenticationOf({ method: 'mtls', cert, key }).credentials()).toEqual({
      headers: {},
      form: { client_id: 'orders' },
      tls: { cert, key },
    })
  })

  test('uses the endpoint that the issuer keeps for it (RFC 8705 §5)', async () => {
    await using server = await openAuthorizationServer({ active: false }, (o) => ({
      '/.well-known/openid-configuration': {
        issuer: o,
        introspection_endpoint: `${o}/elsewhere`,
        mtls_endpoint_aliases: { introspection_endpoint: `${o}/introspect` },
      },
    }))
    const { cert, key } = leaf
    const endpoint = { endpoint: undefined } as object // as though it were not written
    await server.introspector({ ...endpoint, authentication: { method: 'mtls', cert, key } }).introspect('t')
    expect(server.asked).toHaveLength(1)
    await server.introspector(endpoint).introspect('t')
    expect(server.site.hits).toContain('/elsewhere')
  })
})

describe('T56 secrets', () => {
  test.each([
    ['private_key_jwt', { method: 'private_key_jwt', key: jwkOf(ec) }, String(jwkOf(ec).d)],
    ['mtls', { method: 'mtls', cert: leaf.cert, key: leaf.key }, leaf.key.split('\n')[1] ?? ''],
    ['client_secret_basic', { method: 'client_secret_basic', secret }, secret],
    ['client_secret_post', { method: 'client_secret_post', secret }, secret],
  ])('of %s are not seen by whoever prints what holds them', (_, options, hidden) => {
    const authentication = authenticationOf(options)
    const introspector = introspectorOf(issuer, clock, {
      authentication: options as ClientAuthenticationOptions,
    })
    for (const holder of [authentication, introspector]) {
      const printed = `${inspect(holder, { depth: 9, showHidden: true })}${JSON.stringify(holder)}`
      expect(hidden.length).toBeGreaterThan(20)
      expect(printed).not.toContain(hidden)
    }
  })
})

/** The option that is at fault, and all that is said of it. */
function faultOf(make: () => unknown): { option: string; said: string } {
  try {
    make()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { option: error.option, said: `${error.message}${inspect(error)}` }
  }
  throw new Error('expected a ConfigurationError')
}

describe('authentication that is refused at start-up', () => {
  const signing = (members: object) => ({ method: 'private_key_jwt', ...members })
  const { cert, key } = leaf
  const encrypted = ec.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' })
    .toString()
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
  const unsaid = 'authentication.algorithm'
  const bad: readonly (readonly [string, unknown, string, RegExp])[] = [
    ['nothing', undefined, 'authentication', /an object/],
    ['null', null, 'authentication', /an object/],
    ['a string', secret, 'authentication', /an object/],
    ['no method', { secret }, 'authentication.method', /'private_key_jwt' or 'mtls'/],
    ['an unknown method', { method: 'none' }, 'authentication.method', /write/],
    ['a method of every object', { method: 'toString', secret }, 'authentication.method', /write/],
    [
      'a misspelt option',
      { method: 'client_secret_basic', clientSecret: secret },
      'authentication.clientSecret',
      /no such/,
    ],
    [
      'an option of another method',
      { method: 'client_secret_basic', secret, key },
      'authentication.key',
      /no such/,
    ],
    [
      'no secret',
      { method: 'client_secret_basic' },
      'authentication.secret',
      /client secret, got a undefined/,
    ],
    ['an empty secret', { method: 'client_secret_post', secret: '' }, 'authentication.secret', /empty/],
    [
      'a secret with a line break',
      { method: 'client_secret_basic', secret: `${secret}\n` },
      'authentication.secret',
      /white space/,
    ],
    ['no key', signing({}), 'authentication.key', /PEM/],
    ['null for a key', signing({ key: null }), 'authentication.key', /private key/],
    ['a list of keys', signing({ key: [jwkOf(ec)] }), 'authentication.key', /private key/],
    ['a file that is not there', signing({ key: './not-there.pem' }), 'authentication.key', /cannot be read/],
    ['a certificate for a key', signing({ key: cert }), 'authentication.key', /private key/],
    [
      'a public key',
      signing({ key: ec.publicKey.export({ format: 'jwk' }) }),
      'authentication.key',
      /private key/,
    ],
    ['an encrypted key', signing({ key: encrypted }), 'authentication.key', /not encrypted/],
    ['a key of 1024 bits', signing({ key: pemOf(small), algorithm: 'RS256' }), 'authentication.key', /2048/],
    ['a key on another curve', signing({ key: pemOf(odd) }), 'authentication.key', /P-256/],
    ['a key of a kind that no JWK is for', signing({ key: pemOf(dsa) }), 'authentication.key', /ML-DSA/],
    [
      'a shared secret for a key',
      signing({ key: { kty: 'oct', k: 'c2VjcmV0' } }),
      'authentication.key',
      /private key/,
    ],
    ['a key for encryption', signing({ key: { ...jwkOf(ec), use: 'enc' } }), 'authentication.key', /`use`/],
    [
      'a key for verifying',
      signing({ key: { ...jwkOf(ec), key_ops: ['verify'] } }),
      'authentication.key',
      /`key_ops`/,
    ],
    [
      'operations in words',
      signing({ key: { ...jwkOf(ec), key_ops: 'sign' } }),
      'authentication.key',
      /`key_ops`/,
    ],
    ['an RSA key without algorithm', signing({ key: pemOf(rsa) }), unsaid, /RS256 or .*PS512/],
    ['an Ed25519 key without algorithm', signing({ key: pemOf(ed) }), unsaid, /Ed25519 or EdDSA/],
    [
      'an algorithm that the key is not for',
      signing({ key: pemOf(ec), algorithm: 'RS256' }),
      unsaid,
      /ES256/,
    ],
    ['an algorithm of shared secrets', signing({ key: pemOf(rsa), algorithm: 'HS256' }), unsaid, /RS256/],
    ['no signature', signing({ key: pemOf(rsa), algorithm: 'none' }), unsaid, /RS256/],
    [
      'two algorithms',
      signing({ key: { ...jwkOf(rsa), alg: 'RS256' }, algorithm: 'PS256' }),
      unsaid,
      /another `alg`/,
    ],
    ['an empty `keyId`', signing({ key: pemOf(ec), keyId: '' }), 'authentication.keyId', /`kid`/],
    ['a `keyId` that is a number', signing({ key: pemOf(ec), keyId: 7 }), 'authentication.keyId', /`kid`/],
    ['no certificate', { method: 'mtls', key }, 'authentication.cert', /PEM/],
    ['no key of the certificate', { method: 'mtls', cert }, 'authentication.key', /PEM/],
    ['a key for a certificate', { method: 'mtls', cert: key, key }, 'authentication.cert', /certificate/],
    ['a certificate for its key', { method: 'mtls', cert, key: cert }, 'authentication.key', /private key/],
    ['the key of another', { method: 'mtls', cert, key: otherLeaf.key }, 'authentication.key', /not the key/],
  ]

  test.each(bad)('because of %s', (_, options, option, problem) => {
    const fault = faultOf(() => authenticationOf(options as object))
    expect(fault.option).toBe(option)
    expect(fault.said).toMatch(problem)
    const given = JSON.stringify(options) ?? ''
    // T56: nothing secret that was given is said again.
    const pieces = [secret, ...(given.match(/[\w+/-]{32,}/g) ?? [])]
    expect(pieces.filter((piece) => fault.said.includes(piece))).toEqual([])
  })
})

describe('introspection that is refused at start-up', () => {
  const good = { clientId: 'orders', authentication: { method: 'client_secret_basic', secret } }
  const bad: readonly (readonly [string, unknown, string])[] = [
    ['nothing', undefined, 'introspection'],
    ['a list', [], 'introspection'],
    ['a misspelt option', { ...good, cacheSecond: 3 }, 'introspection.cacheSecond'],
    ['no client', { ...good, clientId: undefined }, 'introspection.clientId'],
    ['an empty client', { ...good, clientId: '' }, 'introspection.clientId'],
    ['a client with a line break', { ...good, clientId: 'orders\n' }, 'introspection.clientId'],
    ['no authentication', { ...good, authentication: undefined }, 'introspection.authentication'],
    [
      'an endpoint without TLS',
      { ...good, endpoint: 'http://idp.test/introspect' },
      'introspection.endpoint',
    ],
    [
      'an endpoint with a password',
      { ...good, endpoint: 'https://a:b@idp.test/i' },
      'introspection.endpoint',
    ],
    ['an endpoint with a name', { ...good, endpoint: 'https://a@idp.test/i' }, 'introspection.endpoint'],
    ['a relative endpoint', { ...good, endpoint: '/introspect' }, 'introspection.endpoint'],
    ['a URL for an endpoint', { ...good, endpoint: new URL('https://idp.test') }, 'introspection.endpoint'],
    ['an answer about signatures', { ...good, signedResponse: 'yes' }, 'introspection.signedResponse'],
    ['a negative time', { ...good, cacheSeconds: -1 }, 'introspection.cacheSeconds'],
    ['more than five minutes', { ...good, cacheSeconds: 301 }, 'introspection.cacheSeconds'],
    ['a time that is none', { ...good, cacheSeconds: NaN }, 'introspection.cacheSeconds'],
    ['one client in words', { ...good, clients: 'checkout' }, 'introspection.clients'],
    ['a client without name', { ...good, clients: [''] }, 'introspection.clients'],
    ['nobody at a time', { ...good, maxConcurrent: 0 }, 'introspection.maxConcurrent'],
    ['too many at a time', { ...good, maxConcurrent: 1001 }, 'introspection.maxConcurrent'],
    ['half a token at a time', { ...good, maxConcurrent: 1.5 }, 'introspection.maxConcurrent'],
  ]

  test.each(bad)('because of %s', (_, options, option) => {
    const parse = () => parseIntrospection(options as never, 'introspection', contextOf(issuer, clock)) // not its type
    expect(faultOf(parse).option).toBe(option)
  })

  test('is accepted where all is well, and at every bound', () => {
    for (const more of [
      {},
      { cacheSeconds: 0, maxConcurrent: 1 },
      { cacheSeconds: 300, maxConcurrent: 1000, clients: ['a'] },
    ]) {
      const options = { ...good, ...more } as Parameters<typeof parseIntrospection>[0] // spread from parts
      expect(() => parseIntrospection(options, 'introspection', contextOf(issuer, clock))).not.toThrow()
    }
  })
})
