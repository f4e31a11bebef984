// Kubernetes: a pod's own mount is all the configuration there is, and the tokens that pods have anyway are refused.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubernetes, scopes, type KubernetesOptions } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openSite } from './support/issuer-site.ts'
import { guardOf, openScript, publishedKeys, signShape } from './support/scripted-issuers.ts'
import { kubernetesTokens } from './support/vendor-tokens.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const clock = createTestClock()
const tokens = kubernetesTokens(issuer, clock.now() / 1000)
const own = signShape(tokens.mountedByDefault)

// The API server shows its keys to service accounts only (ClusterRole system:service-account-issuer-discovery).
const apiServer = await openSite(() => ({
  '/openid/v1/jwks': (response, { headers }) => {
    response.statusCode = headers.authorization === `Bearer ${own}` ? 200 : 401
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify(response.statusCode === 200 ? publishedKeys : {}))
  },
}))
const directory = mkdtempSync(join(tmpdir(), 'serviceaccount-'))
writeFileSync(join(directory, 'token'), `${own}\n`)
writeFileSync(join(directory, 'ca.crt'), apiServer.ca)
afterAll(async () => {
  rmSync(directory, { recursive: true })
  await apiServer[Symbol.asyncDispose]()
})

const inside = { directory, apiServer: apiServer.origin }
const guardWith = (options: KubernetesOptions = {}, grants = {}) =>
  guardOf(kubernetes({ ...inside, ...options }), clock, { grants })

describe('inside of a cluster', () => {
  const id = `${issuer}#sub=system:serviceaccount:shop:checkout`
  const guard = guardWith({}, { [id]: ['orders:read'] })

  test('accepts a projected token, by its service account', async () => {
    const caller = await callerFor(guard, signShape(tokens.projected))
    expect(caller.id).toBe(id)
    expect([...caller.scopes]).toEqual(['orders:read'])
    expect(caller.claims['kubernetes.io']).toMatchObject({ pod: { name: 'checkout-5d' } })
  })

  test('gives it no scopes that the token says', async () => {
    const token = signShape(tokens.projected, { scope: 'orders:write' })
    expect(await codeFor(guard, token, scopes('orders:write'))).toBe('scope_missing')
  })

  test.each([
    [
      'the token that every pod has for the API server',
      signShape(tokens.mountedByDefault),
      'token_lifetime_excessive',
    ],
    [
      'the same, where the API server does not stretch its life',
      signShape(tokens.mountedByDefault, { exp: clock.now() / 1000 + 3607 }),
      'audience_mismatch',
    ],
    ['a legacy token', signShape(tokens.legacy), 'issuer_unknown'],
    ['a legacy token with this issuer', signShape(tokens.legacy, { iss: issuer }), 'claim_missing'],
    [
      'a token of another cluster',
      signShape(tokens.projected, { iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/A' }),
      'issuer_unknown',
    ],
    [
      'a token whose subject is not the account it is bound to',
      signShape(tokens.projected, { sub: 'system:serviceaccount:shop:admin' }),
      'token_type_mismatch',
    ],
    [
      'a token that is bound to nothing',
      signShape(tokens.projected, { 'kubernetes.io': undefined }),
      'token_type_mismatch',
    ],
    ['a token of AWS', signShape(tokens.projected, { aud: ['sts.amazonaws.com'] }), 'audience_mismatch'],
  ])('refuses %s', async (_, token, code) => {
    expect(await codeFor(guard, token)).toBe(code)
  })

  test.each([
    [{ namespaces: ['shop', 'back-office'] }, 'allow'],
    [{ namespaces: ['sho', 'shop-2'] }, 'claim_mismatch'],
    [{ serviceAccounts: ['shop/other', 'shop/checkout'] }, 'allow'],
    [{ serviceAccounts: ['shop/check', 'other/checkout'] }, 'subject_not_permitted'],
    [{ namespaces: ['other'], serviceAccounts: ['shop/checkout'] }, 'claim_mismatch'],
  ] as const)('with %j, a caller of shop/checkout: %s', async (options, code) => {
    expect(await codeFor(guardWith(options), signShape(tokens.projected))).toBe(code)
  })

  test('is where Kubernetes says, in brackets if the address is one of IPv6', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.96.0.1')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '6443')
    expect(kubernetes({ directory }).jwksUri).toBe('https://10.96.0.1:6443/openid/v1/jwks')
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00:10:96::1')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', undefined)
    expect(kubernetes({ directory }).jwksUri).toBe('https://[fd00:10:96::1]:443/openid/v1/jwks')
    for (const absent of [undefined, '']) {
      vi.stubEnv('KUBERNETES_SERVICE_HOST', absent)
      expect(() => kubernetes({ directory })).toThrow(/outside, write kubernetes\(\{ issuer \}\)/)
    }
    vi.unstubAllEnvs()
  })

  test('is refused at an address that is no URL', () => {
    expect(() => kubernetes({ directory, apiServer: '10.96.0.1' })).toThrow(
      /`kubernetes.apiServer`: expected a URL/,
    )
  })

  test('names the API server that reviews tokens where that is asked for', () => {
    const { ca, bearerFile } = kubernetes(inside)
    expect(kubernetes({ ...inside, review: true }).tokenReview).toEqual({
      apiServer: apiServer.origin,
      ca,
      bearerFile,
    })
    expect(kubernetes({ ...inside, review: false }).tokenReview).toBeUndefined()
  })
})

describe('outside of a cluster', () => {
  test('takes the keys from the issuer', async () => {
    const cloud = 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE'
    const script = await openScript(cloud, { metadata: '/.well-known/openid-configuration', keys: '/keys' })
    const guard = script.guard(kubernetes({ issuer: cloud, namespaces: ['shop'] }))
    const { projected } = kubernetesTokens(cloud, script.now)
    expect((await callerFor(guard, script.sign(projected))).id).toBe(`${cloud}#sub=${projected.claims.sub}`)
    await script.site[Symbol.asyncDispose]()
  })

  test('takes them from where it is told', () => {
    const jwksUri = 'https://cluster.internal/openid/v1/jwks'
    expect(kubernetes({ issuer, jwksUri, ca: './ca.crt' })).toMatchObject({ issuer, jwksUri, ca: './ca.crt' })
    expect(kubernetes({ issuer })).not.toHaveProperty('bearerFile')
  })
})

describe('the mount', () => {
  const mounted = (token: string | undefined): (() => unknown) => {
    const other = mkdtempSync(join(directory, 'other-'))
    if (token !== undefined) writeFileSync(join(other, 'token'), token)
    return () => kubernetes({ ...inside, directory: other })
  }

  test.each([
    ['is not there', undefined, /automountServiceAccountToken/],
    ['holds a legacy token', signShape(tokens.legacy), /mount a projected token/],
    ['holds something else', 'a-secret-word', /does not name an https issuer/],
    [
      'holds an issuer that is no text',
      signShape(tokens.projected, { iss: 7 }),
      /does not name an https issuer/,
    ],
    [
      'names an issuer without TLS',
      signShape(tokens.projected, { iss: 'http://k8s' }),
      /does not name an https issuer/,
    ],
    ['is empty', '', /does not name an https issuer/],
  ])('that %s ends the start, with what to write', (_, token, problem) => {
    expect(mounted(token)).toThrow(problem)
  })

  test('is never repeated in a message', () => {
    const secret = 'eyJzZWNyZXQ'
    expect(mounted(`${secret}.${secret}.${secret}`)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    )
  })

  test('that cannot be read ends the start', () => {
    const unreadable = mkdtempSync(join(directory, 'unreadable-'))
    writeFileSync(join(unreadable, 'token'), own)
    chmodSync(unreadable, 0o000)
    // Root reads everything: then the issuer is found.
    const attempt = (): unknown => kubernetes({ ...inside, directory: unreadable })
    if (process.getuid?.() === 0) expect(attempt()).toMatchObject({ issuer })
    else expect(attempt).toThrow(/cannot be read/)
    chmodSync(unreadable, 0o700)
  })
})
