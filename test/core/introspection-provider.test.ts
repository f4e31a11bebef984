// A real authorization server, which knows nothing of us: what its opaque tokens mean, over real HTTPS.
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { createTestCa, createTestClock } from '@countersign/testing'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { afterAll, describe, expect, test } from 'vitest'
import { PublishedKeys } from '../../packages/core/src/identity/trust/published-keys.ts'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import type { Refusal } from '../../packages/core/src/refusal.ts'
import type { IntrospectionOptions } from '../../packages/core/src/options/parse-introspection.ts'
import { activeOf, codeOfResult, introspectorOf, refusalIn } from './support/introspecting.ts'

const ca = await createTestCa({ name: 'CA of the provider', trustDomain: 'shop.example' })
const workload = await ca.svid('/orders')
const stranger = await ca.svid('/stranger')
const { cert, key } = await ca.serverCertificate(['localhost'])
const server = createServer({ cert, key, ca: ca.bundle, requestCert: true, rejectUnauthorized: false })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `https://localhost:${portOf(server)}`

const jwkPair = () => generateKeyPair('ES256', { extractable: true })
const signingKey = {
  ...(await exportJWK((await jwkPair()).privateKey)),
  kid: 'provider-key',
  alg: 'ES256',
  use: 'sig',
}
const assertionKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
const proofKey = await jwkPair()
const billing = 'https://billing.internal'
const confidential = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256' as const,
  introspection_signed_response_alg: 'ES256' as const,
}
const secretOf = (client: string) => `%${client}: a secret & its spaces+`

const provider = new Provider(issuer, {
  jwks: { keys: [signingKey] },
  scopes: ['orders:read', 'offline_access', 'openid'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
  enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'PS256'], introspectionSigningAlgValues: ['ES256'] },
  clients: [
    { ...confidential, client_id: 'checkout', client_secret: secretOf('checkout') },
    { ...confidential, client_id: 'bound', client_secret: secretOf('bound'), dpop_bound_access_tokens: true },
    {
      ...confidential,
      client_id: 'https://orders basic',
      client_secret: secretOf('orders'),
    },
    {
      ...confidential,
      client_id: 'orders-post',
      client_secret: secretOf('orders'),
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...confidential,
      client_id: 'orders-key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...assertionKey.publicKey.export({ format: 'jwk' }), kid: 'orders-1', use: 'sig' }] },
    },
    {
      ...confidential,
      client_id: 'orders-certificate',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_uri: workload.spiffeId,
    },
    { ...confidential, client_id: 'nosy', client_secret: secretOf('nosy') },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId.includes('orders') },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true },
    dPoP: { enabled: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      getCertificate: ({ socket }) => (socket as TLSSocket).getPeerX509Certificate()?.toString(), // all are TLS
      certificateAuthorized: ({ socket }) => (socket as TLSSocket).authorized,
      certificateSubjectMatches: ({ socket }, _property, expected) =>
        (socket as TLSSocket).getPeerX509Certificate()?.subjectAltName === `URI:${expected}`,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => [],
      getResourceServerInfo: (_context, resource) => ({
        scope: 'orders:read',
        audience: resource,
        accessTokenFormat: resource === billing ? 'jwt' : 'opaque',
        accessTokenTTL: 120,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})
const callback = provider.callback()
server.on('request', (request, response) => void callback(request, response))
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

const orders = 'https://orders.internal'
/** The provider goes by the real time, and so must its guest. */
const clock = createTestClock(new Date())

const basic = {
  clientId: 'https://orders basic',
  authentication: { method: 'client_secret_basic', secret: secretOf('orders') },
} as const
const keys = new PublishedKeys({
  issuer,
  location: { kind: 'discovery', issuer, url: undefined, mayUse: () => true },
  format: 'jwks',
  ca: ca.bundle,
  bearer: undefined,
  maxStaleMs: 86_400_000,
  clock,
  fetch: fetchDocument,
})
const introspectorBy = (options: Partial<IntrospectionOptions>) =>
  introspectorOf(issuer, clock, { ...basic, ...options }, { ca: ca.bundle, keys })

describe('an opaque token of a real issuer', () => {
  const pem = assertionKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const ways: readonly (readonly [string, Partial<IntrospectionOptions>])[] = [
    ['client_secret_basic', basic],
    [
      'client_secret_post',
      {
        clientId: 'orders-post',
        authentication: { method: 'client_secret_post', secret: secretOf('orders') },
      },
    ],
    [
      'private_key_jwt',
      {
        clientId: 'orders-key',
        authentication: { method: 'private_key_jwt', key: pem, algorithm: 'PS256', keyId: 'orders-1' },
      },
    ],
    [
      'tls_client_auth',
      {
        clientId: 'orders-certificate',
        authentication: { method: 'mtls', cert: workload.cert, key: workload.key },
      },
    ],
    ['client_secret_basic, answered by a signed JWT', { ...basic, signedResponse: true }],
  ]

  test.each(ways)('is active until it is revoked, asked about by %s', async (_, options) => {
    const introspector = introspectorBy(options)
    const token = await tokenOf('checkout', { resource: orders, scope: 'orders:read' })
    expect(activeOf(await introspector.introspect(token))).toMatchObject({
      claims: { iss: issuer, aud: orders, client_id: 'checkout', scope: 'orders:read', token_type: 'Bearer' },
      boundBy: 'audience',
      cacheUntilMs: clock.now() + 30_000,
    })
    await post('/token/revocation', { token }, authorizationOf('checkout'))
    expect(codeOfResult(await introspector.introspect(token))).toBe('token_inactive')
  })

  test('that it never issued is inactive', async () => {
    for (const options of [basic, { ...basic, signedResponse: true }]) {
      expect(codeOfResult(await introspectorBy(options).introspect('never-issued'))).toBe('token_inactive')
    }
  })

  test('T58 for no audience is refused, unless its client is named', async () => {
    const token = await tokenOf('checkout', {})
    expect(codeOfResult(await introspectorBy({}).introspect(token))).toBe('audience_mismatch')
    expect(codeOfResult(await introspectorBy({ clients: ['bound'] }).introspect(token))).toBe(
      'audience_mismatch',
    )
    expect(activeOf(await introspectorBy({ clients: ['checkout'] }).introspect(token)).boundBy).toBe('client')
  })

  test('T58 for another audience says for which', async () => {
    const token = await tokenOf('checkout', { resource: 'https://stock.internal' })
    expect(activeOf(await introspectorBy({}).introspect(token)).claims['aud']).toBe('https://stock.internal')
  })

  test('T35 that is bound to a key says to which', async () => {
    const proof = await new SignJWT({ htm: 'POST', htu: `${issuer}/token`, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(proofKey.publicKey) })
      .setIssuedAt()
      .sign(proofKey.privateKey)
    const token = await tokenOf('bound', { resource: orders }, { dpop: proof })
    const jkt = await calculateJwkThumbprint(await exportJWK(proofKey.publicKey))
    for (const options of [basic, { ...basic, signedResponse: true }]) {
      const { claims } = activeOf(await introspectorBy(options).introspect(token))
      expect(claims).toMatchObject({ cnf: { jkt }, token_type: 'DPoP' })
    }
  })

  test('T22 that is a refresh token is refused, although the issuer calls it active', async () => {
    const client = await provider.Client.find('checkout')
    if (client === undefined) throw new Error('expected the client')
    const grant = new provider.Grant({ accountId: 'alice', clientId: 'checkout' })
    grant.addOIDCScope('openid offline_access')
    const refresh = new provider.RefreshToken({
      accountId: 'alice',
      client,
      grantId: await grant.save(),
      gty: 'authorization_code',
      scope: 'openid offline_access',
    })
    const token = await refresh.save()
    expect(codeOfResult(await introspectorBy({}).introspect(token))).toBe('audience_mismatch')
    expect(codeOfResult(await introspectorBy({ clients: ['checkout'] }).introspect(token))).toBe(
      'token_type_mismatch',
    )
  })

  test('that is a JWT is no token for that endpoint, and says nothing of the caller', async () => {
    const token = await tokenOf('checkout', { resource: billing })
    expect(codeOfResult(await introspectorBy({}).introspect(token))).toBe('introspection_unavailable')
  })
})

describe('who asks', () => {
  const wrong: readonly (readonly [string, Partial<IntrospectionOptions>])[] = [
    [
      'with another secret',
      { ...basic, authentication: { method: 'client_secret_basic', secret: 'another' } },
    ],
    ['in another way', { ...basic, clientId: 'orders-key' }],
    ['as nobody it knows', { ...basic, clientId: 'nobody' }],
    [
      'with another certificate',
      {
        clientId: 'orders-certificate',
        authentication: { method: 'mtls', cert: stranger.cert, key: stranger.key },
      },
    ],
    [
      'with another key',
      {
        clientId: 'orders-key',
        authentication: {
          method: 'private_key_jwt',
          key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
          algorithm: 'PS256',
        },
      },
    ],
  ]

  test.each(wrong)('%s learns nothing, and the operator why', async (_, options) => {
    const token = await tokenOf('checkout', { resource: orders })
    const refusal = refusalIn(await introspectorBy(options).introspect(token))
    expect(refusal.code).toBe('introspection_unavailable')
    expect(refusal.detail.actual).toMatch(/got 40[01]/)
    expect(refusal.detail.advice).toContain('could not authenticate')
    const told = JSON.stringify(refusal satisfies Refusal)
    expect(told).not.toContain(token)
  })

  test('and may not, is told that every token is inactive', async () => {
    const token = await tokenOf('checkout', { resource: orders })
    const nosy = introspectorBy({
      clientId: 'nosy',
      authentication: { method: 'client_secret_basic', secret: secretOf('nosy') },
    })
    expect(codeOfResult(await nosy.introspect(token))).toBe('token_inactive')
  })

  test('gives an assertion that counts once', async () => {
    const digest = (text: string) => createHash('sha256').update(text).digest('hex')
    const seen = new Set<string>()
    const introspector = introspectorOf(
      issuer,
      clock,
      {
        clientId: 'orders-key',
        authentication: {
          method: 'private_key_jwt',
          key: assertionKey.privateKey.export({ format: 'jwk' }),
          algorithm: 'PS256',
        },
      },
      {
        ca: ca.bundle,
        fetch: (url, options) => {
          if (options.body !== undefined) seen.add(digest(String(options.body)))
          return fetchDocument(url, options)
        },
      },
    )
    const token = await tokenOf('checkout', { resource: orders })
    expect(codeOfResult(await introspector.introspect(token))).toBe('active')
    expect(codeOfResult(await introspector.introspect(token))).toBe('active')
    expect(seen.size).toBe(2)
  })
})

const authorizationOf = (client: string) => ({
  authorization: `Basic ${Buffer.from([client, secretOf(client)].map(encodeURIComponent).join(':')).toString('base64')}`,
})

/** The client-credentials grant (RFC 6749 §4.4), with a resource indicator (RFC 8707). */
async function tokenOf(
  client: string,
  parameters: { readonly resource?: string; readonly scope?: string },
  headers: Record<string, string> = {},
): Promise<string> {
  const form = { grant_type: 'client_credentials', ...parameters }
  const answer = await post('/token', form, { ...authorizationOf(client), ...headers })
  const token: unknown = JSON.parse(answer)['access_token']
  if (typeof token === 'string') return token
  throw new Error(`expected a token, got ${answer}`)
}

async function post(
  path: string,
  form: Record<string, string>,
  headers: Record<string, string>,
): Promise<string> {
  const sent = httpsRequest(`${issuer}${path}`, {
    method: 'POST',
    ca: ca.bundle,
    agent: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })
  sent.end(new URLSearchParams(form).toString())
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function portOf(listening: Server): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  return address.port
}
