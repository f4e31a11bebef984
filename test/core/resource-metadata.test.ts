import {
  authenticated,
  callerOptional,
  ConfigurationError,
  createGuard,
  type Guard,
  type GuardOptions,
} from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { refusalOf, requestWith, present } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { parseChallenges } from './support/parse-challenges.ts'

const { signer, clock } = createHouse()
const given = { issuer, jwks: { keys: [signer.jwk] } }

const guardOf = (options: Partial<GuardOptions>): Guard =>
  createGuard({ audience: 'orders', issuers: [given], log: false, ...options }, { clock })

/** What a service serves, as a client reads it. */
const documentOf = (guard: Guard) => {
  const { url, path, body } = present(guard.open(requestWith()).resourceMetadata)
  return { url, path, document: JSON.parse(body) as Record<string, unknown> }
}

describe('the metadata of a resource (RFC 9728)', () => {
  test.each([
    ['https://resource.example.com', 'https://resource.example.com/.well-known/oauth-protected-resource'],
    ['https://resource.example.com/', 'https://resource.example.com/.well-known/oauth-protected-resource'],
    [
      'https://resource.example.com/resource1',
      'https://resource.example.com/.well-known/oauth-protected-resource/resource1',
    ],
    [
      'https://resource.example.com:8443/a/b/',
      'https://resource.example.com:8443/.well-known/oauth-protected-resource/a/b/',
    ],
  ])('of %s is at %s', (resource, url) => {
    const metadata = documentOf(guardOf({ resource }))
    expect(metadata).toMatchObject({ url, path: new URL(url).pathname, document: { resource } })
  })

  test('is where the challenge says', async () => {
    const guard = guardOf({ resource: 'https://orders.test/v1' })
    const { response } = await refusalOf(guard, requestWith())
    const [challenge] = parseChallenges(present(response.headers['www-authenticate']))
    expect(challenge?.parameters['resource_metadata']).toBe(documentOf(guard).url)
  })

  test('says who issues tokens, how they are sent, and nothing that is not so', () => {
    expect(documentOf(guardOf({ resource: 'https://orders.test' })).document).toEqual({
      resource: 'https://orders.test',
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    })
  })

  test('says what its operator adds', () => {
    const resource = {
      identifier: 'https://orders.test',
      name: 'Orders',
      documentation: 'https://docs.test',
      policyUri: 'https://docs.test/policy',
      tosUri: 'https://docs.test/terms',
    }
    expect(documentOf(guardOf({ resource })).document).toMatchObject({
      resource_name: 'Orders',
      resource_documentation: 'https://docs.test',
      resource_policy_uri: 'https://docs.test/policy',
      resource_tos_uri: 'https://docs.test/terms',
    })
  })

  test('says which scopes its routes ask for, as soon as they are known', () => {
    const guard = guardOf({ resource: 'https://orders.test' })
    expect(documentOf(guard).document).not.toHaveProperty('scopes_supported')
    const route = {
      method: 'GET',
      path: '/orders',
      requirement: 'x',
      status: 'declared',
      declaredAt: null,
    } as const
    const routes = [{ ...route, scopes: ['orders:read'] }]
    guard.register(() => routes)
    expect(documentOf(guard).document['scopes_supported']).toEqual(['orders:read'])
    routes.push({ ...route, scopes: ['orders:write', 'orders:read'] }, { ...route, scopes: [] })
    expect(documentOf(guard).document['scopes_supported']).toEqual(['orders:read', 'orders:write'])
  })

  test('says that tokens may be bound to certificates where those are seen', async () => {
    const ca = await createTestCa({ now: new Date(clock.now()) })
    const certificates = { trustDomains: { 'test.example': ca.bundle } }
    const both = guardOf({
      resource: 'https://orders.test',
      certificates,
      issuers: [{ ...given, represents: 'user' }],
    })
    expect(documentOf(both).document['tls_client_certificate_bound_access_tokens']).toBe(true)
  })

  test('says by which algorithms proofs may be made, and whether tokens must be bound by one', () => {
    const resource = 'https://orders.test'
    const dpop = { externalUrl: resource }
    const both = documentOf(
      guardOf({ resource, dpop: { ...dpop, algorithms: ['ES256', 'Ed25519'] } }),
    ).document
    expect(both['dpop_signing_alg_values_supported']).toEqual(['ES256', 'Ed25519'])
    expect(both).not.toHaveProperty('dpop_bound_access_tokens_required')
    const required = documentOf(guardOf({ resource, dpop: { ...dpop, required: true } })).document
    expect(required['dpop_bound_access_tokens_required']).toBe(true)
    const none = documentOf(guardOf({ resource })).document
    expect(Object.keys(none).filter((name) => name.startsWith('dpop'))).toEqual([])
  })

  test('names nobody as an authorization server who only says who callers are', () => {
    const platform = { issuer: 'https://platform.test', profile: 'id-token', jwks: given.jwks } as const
    expect(
      documentOf(guardOf({ resource: 'https://orders.test', issuers: [given, platform] })).document,
    ).toMatchObject({
      authorization_servers: [issuer],
    })
    expect(
      documentOf(guardOf({ resource: 'https://orders.test', issuers: [platform] })).document,
    ).not.toHaveProperty('authorization_servers')
  })

  test('is none where the guard has no `resource`, nor does a challenge name any', async () => {
    const guard = guardOf({})
    expect(guard.open(requestWith()).resourceMetadata).toBeUndefined()
    for (const placement of [authenticated(), callerOptional('prices')]) {
      const { response } = await refusalOf(guard, requestWith('Bearer x'), placement)
      expect(response.headers['www-authenticate']).not.toContain('resource_metadata')
    }
  })
})

describe('a resource that cannot be meant is refused by name:', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'resource'],
    ['a number', 5, 'resource'],
    ['an empty text', '', 'resource'],
    ['a path', '/orders', 'resource'],
    ['a name', 'orders', 'resource'],
    ['without TLS', 'http://orders.test', 'resource'],
    ['with a query', 'https://orders.test/?a=1', 'resource'],
    ['with a fragment', 'https://orders.test/#a', 'resource'],
    ['with a space', 'https://orders.test/a b', 'resource'],
    ['with a quote', 'https://orders.test/"', 'resource'],
    ['with a backslash', 'https://orders.test\\a', 'resource'],
    ['without a host', 'https://', 'resource'],
    ['with a port that is none', 'https://orders.test:99999', 'resource'],
    ['with a user', 'https://user@orders.test', 'resource'],
    ['with a password', 'https://user:hunter2@orders.test', 'resource'],
    ['an object without it', {}, 'resource.identifier'],
    ['an object with another', { identifier: 'http://orders.test' }, 'resource.identifier'],
    ['a misspelt member', { identifier: 'https://orders.test', title: 'x' }, 'resource.title'],
    ['an empty name', { identifier: 'https://orders.test', name: '' }, 'resource.name'],
    [
      'a documentation that is no text',
      { identifier: 'https://orders.test', documentation: 5 },
      'resource.documentation',
    ],
  ])('%s', (_, resource, option) => {
    const make = () => guardOf({ resource } as Partial<GuardOptions>)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(expect.objectContaining({ option }))
    expect(make).not.toThrow(/hunter2/)
  })
})
