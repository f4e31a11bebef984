import { describe, expect, test } from 'vitest'
import {
  metadataUrl,
  resourceMetadata,
  type ResourceFacts,
} from '../../packages/core/src/enforcement/resource-metadata.ts'

const resource = { identifier: 'https://api.example/orders' }
const facts: ResourceFacts = {
  authorizationServers: [],
  scopes: [],
  proofAlgorithms: undefined,
  requiresProof: false,
  seesCertificates: false,
}
const documentOf = (...[options, known]: Parameters<typeof resourceMetadata>): unknown =>
  JSON.parse(resourceMetadata(options, known).body)

test.each([
  ['https://api.example', 'https://api.example/.well-known/oauth-protected-resource'],
  ['https://api.example/', 'https://api.example/.well-known/oauth-protected-resource'],
  ['https://api.example/orders', 'https://api.example/.well-known/oauth-protected-resource/orders'],
  ['https://api.example/orders/', 'https://api.example/.well-known/oauth-protected-resource/orders/'],
  ['https://api.example:8443/a/b', 'https://api.example:8443/.well-known/oauth-protected-resource/a/b'],
])('the well-known name stands between host and path of %s (RFC 9728 §3.1)', (identifier, url) => {
  expect(metadataUrl(identifier)).toBe(url)
  expect(resourceMetadata({ identifier }, facts)).toMatchObject({ url, path: new URL(url).pathname })
})

describe('the document', () => {
  test('says nothing that is not known', () => {
    expect(documentOf(resource, facts)).toEqual({
      resource: resource.identifier,
      bearer_methods_supported: ['header'],
    })
  })

  test.each<[Partial<typeof resource & Record<string, string>>, Partial<ResourceFacts>, object]>([
    [{}, { authorizationServers: ['https://a'] }, { authorization_servers: ['https://a'] }],
    [{}, { scopes: ['a:b', 'c:d'] }, { scopes_supported: ['a:b', 'c:d'] }],
    [{ name: 'Orders' }, {}, { resource_name: 'Orders' }],
    [{ documentation: 'https://d' }, {}, { resource_documentation: 'https://d' }],
    [{ policyUri: 'https://p' }, {}, { resource_policy_uri: 'https://p' }],
    [{ tosUri: 'https://t' }, {}, { resource_tos_uri: 'https://t' }],
    [{}, { seesCertificates: true }, { tls_client_certificate_bound_access_tokens: true }],
    [{}, { proofAlgorithms: ['ES256'] }, { dpop_signing_alg_values_supported: ['ES256'] }],
    [{}, { requiresProof: true }, { dpop_bound_access_tokens_required: true }],
  ])('of %j and %j says %j', (options, known, said) => {
    expect(documentOf({ ...resource, ...options }, { ...facts, ...known })).toEqual({
      resource: resource.identifier,
      bearer_methods_supported: ['header'],
      ...said,
    })
  })

  test('cannot be changed', () => {
    expect(() => Object.assign(resourceMetadata(resource, facts), { body: '{}' })).toThrow(TypeError)
  })
})
