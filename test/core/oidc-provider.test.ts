// A real authorization server, which knows nothing of us: its access tokens are accepted, and nothing else of it is.
import { once } from 'node:events'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import { createGuard, scopes } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'

const ca = await createTestCa({ name: 'CA of the provider' })
const { cert, key } = await ca.serverCertificate(['localhost'])
const server = createServer({ cert, key })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `https://localhost:${portOf(server)}`

const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const signingKey = { ...(await exportJWK(privateKey)), kid: 'provider-key', alg: 'ES256', use: 'sig' }
const provider = new Provider(issuer, {
  jwks: { keys: [signingKey] },
  clients: [
    {
      client_id: 'checkout',
      client_secret: 'a-secret-of-the-checkout-service',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => [],
      getResourceServerInfo: (_context, resource) => ({
        scope: 'orders:read orders:write',
        audience: resource,
        accessTokenFormat: 'jwt',
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

describe('a guard that trusts it', () => {
  const guard = createGuard({ audience: orders, issuers: [{ issuer, ca: ca.bundle }], log: false })

  test('accepts its access token for this service, and knows the client', async () => {
    const token = await tokenFor({ resource: orders, scope: 'orders:read' })
    expect(await callerFor(guard, token)).toMatchObject({
      id: `${issuer}#client=checkout`,
      service: { clientId: 'checkout', issuer },
      user: undefined,
    })
    expect(await codeFor(guard, token, scopes('orders:read'))).toBe('allow')
    expect(await codeFor(guard, token, scopes('orders:write'))).toBe('scope_missing')
  })

  test('refuses its access token for another service', async () => {
    expect(await codeFor(guard, await tokenFor({ resource: 'https://billing.internal' }))).toBe(
      'audience_mismatch',
    )
  })

  test('refuses its opaque tokens', async () => {
    expect(await codeFor(guard, await tokenFor({}))).toBe('token_malformed')
  })

  test('refuses a token of it that was changed', async () => {
    const [head, , tail] = (await tokenFor({ resource: orders })).split('.')
    const claims = { iss: issuer, aud: orders, sub: 'admin', client_id: 'admin' }
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${tail}`
    expect(await codeFor(guard, forged)).toBe('signature_invalid')
  })
})

/** The client-credentials grant (RFC 6749 §4.4), with a resource indicator (RFC 8707). */
async function tokenFor(parameters: { resource?: string; scope?: string }): Promise<string> {
  const sent = httpsRequest(`${issuer}/token`, {
    method: 'POST',
    ca: ca.bundle,
    agent: false,
    headers: {
      authorization: `Basic ${Buffer.from('checkout:a-secret-of-the-checkout-service').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
  sent.end(new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString())
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const answer: unknown = JSON.parse(Buffer.concat(chunks).toString())
  if (
    typeof answer === 'object' &&
    answer !== null &&
    'access_token' in answer &&
    typeof answer.access_token === 'string'
  ) {
    return answer.access_token
  }
  throw new Error(`expected a token, got ${JSON.stringify(answer)}`)
}

function portOf(listening: Server): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  return address.port
}
