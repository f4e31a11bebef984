// What is easily written and would open a door: each is a mistake at start-up, told by the name of the option.
import {
  ConfigurationError,
  createGuard,
  githubActions,
  google,
  keycloak,
  kubernetes,
  type FetchDocument,
  type Guard,
  type GuardOptions,
} from '@countersign/core'
import { createTlsServer } from '@countersign/core/adapter'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { issuer } from './support/house.ts'

const jwksUri = `${issuer}/keys`
const introspection = {
  clientId: 'orders',
  authentication: { method: 'client_secret_basic', secret: 'a-secret' },
} as const

/** The option that a guard finds fault with; `none` where it finds none. */
const faultOf = (...issuers: readonly unknown[]): string => faultIn({ issuers })

function faultIn(options: object): string {
  const fetch: FetchDocument = () => Promise.reject(new Error('expected no request'))
  try {
    createGuard({ audience: 'orders', log: false, ...options } as GuardOptions, { fetch }).close() // or what is none
    return 'none'
  } catch (error) {
    if (error instanceof ConfigurationError) return error.option
    throw error
  }
}

describe('`discoveryUrl` beside the place of the keys', () => {
  test.each([
    ['over plain http', 'http://issuer.test/metadata'],
    ['that is no URL', 'metadata'],
    ['that is no text', 5],
    ['with a password', 'https://orders:secret@issuer.test/metadata'],
  ])('%s is a mistake, since secrets are sent where it leads', (_, discoveryUrl) => {
    for (const keys of [{ jwksUri }, { jwks: './keys.json' }, {}]) {
      expect(faultOf({ issuer, ...keys, discoveryUrl, introspection })).toBe('issuers[0].discoveryUrl')
      expect(faultOf({ issuer, ...keys, discoveryUrl })).toBe('issuers[0].discoveryUrl')
    }
  })

  test('is read where it is https', () => {
    const discoveryUrl = 'https://inside.test/metadata'
    expect(faultOf({ issuer, jwksUri, discoveryUrl, introspection })).toBe('none')
  })
})

describe('`tokenReview.apiServer`', () => {
  test.each([
    'https://a:b@api.test',
    'https://api.test?x=1',
    'https://api.test/#x',
    'http://api.test',
    '',
    5,
  ])('is a mistake where it is %j', (apiServer) => {
    const tokenReview = { apiServer, bearerFile: './token' }
    expect(faultOf({ issuer, profile: 'kubernetes', tokenReview })).toBe('issuers[0].tokenReview.apiServer')
  })
})

test('`introspection` that is null is a mistake like any other', () => {
  expect(faultOf({ issuer, introspection: null })).toBe('issuers[0].introspection')
})

describe('an issuer that knows everybody', () => {
  const github = githubActions({ repositoryIds: ['456789'] })
  const environment = { claim: 'environment', value: 'production' }

  test.each<[string, object]>([
    ['Google by its name alone', { issuer: 'https://accounts.google.com', profile: 'id-token' }],
    [
      'Google with a claim that anybody can have',
      {
        issuer: 'https://accounts.google.com',
        profile: 'id-token',
        requiredClaims: [{ claim: 'email_verified', value: true }],
      },
    ],
    ['GitHub by its name alone', { issuer: github.issuer, profile: 'id-token' }],
    [
      'GitHub, its repositories replaced by what every repository can have',
      { ...github, requiredClaims: [environment] },
    ],
    ['GitHub, its repositories taken away', { ...github, requiredClaims: [] }],
    [
      'GitHub by a name of a repository',
      {
        ...github,
        requiredClaims: [{ claim: 'repository', value: 'shop/deploy' }],
      },
    ],
  ])('is not accepted without whom to know: %s', (_, one) => {
    expect(faultOf(one)).toBe('issuers[0].subjects')
  })

  test('is accepted with the subjects, or with the claim that tells whose tokens they are', () => {
    const owner = { claim: 'repository_owner_id', value: '123456' }
    expect(faultOf(google({ subjects: ['112233445566778899001'] }))).toBe('none')
    expect(faultOf(github)).toBe('none')
    expect(faultOf({ ...github, requiredClaims: [owner, environment] })).toBe('none')
    expect(
      faultOf({ ...github, requiredClaims: undefined, subjects: ['repo:o@1/r@2:environment:e'] }),
    ).not.toBe('none')
    expect(
      faultOf({ issuer: github.issuer, profile: 'id-token', subjects: ['repo:o@1/r@2:environment:e'] }),
    ).toBe('none')
    expect(faultOf(githubActions({ enterprise: 'shop', ownerIds: ['1'] }))).toBe('none')
  })
})

describe('a limit that is written and undefined', () => {
  test.each(['subjects', 'requiredClaims', 'mayGrant', 'isAccessToken'])(
    'is none, and a mistake: %s',
    (limit) => {
      expect(faultOf({ ...keycloak('https://kc.test/realms/shop'), [limit]: undefined })).toBe(
        `issuers[0].${limit}`,
      )
    },
  )

  test.each([
    ['kubernetes.namespaces', () => kubernetes({ issuer, namespaces: undefined } as object)],
    ['kubernetes.serviceAccounts', () => kubernetes({ issuer, serviceAccounts: undefined } as object)],
    [
      'githubActions.environments',
      () => githubActions({ ownerIds: ['1'], environments: undefined } as object),
    ],
    ['githubActions.refs', () => githubActions({ ownerIds: ['1'], refs: undefined } as object)],
    [
      'githubActions.repositoryIds',
      () => githubActions({ ownerIds: ['1'], repositoryIds: undefined } as object),
    ],
  ])('is none, and a mistake: %s', (option, preset) => {
    expect(preset).toThrow(expect.objectContaining({ option }))
  })
})

describe('a list with a hole in it', () => {
  const hole = (...rest: readonly unknown[]): unknown[] =>
    Object.assign([], Object.fromEntries(rest.map((one, i) => [i + 1, one])))

  test.each<[string, object]>([
    ['audience', { audience: hole('orders') }],
    ['algorithms', { algorithms: hole('ES256') }],
    ['subjects', { subjects: hole('checkout') }],
    ['mayGrant', { mayGrant: hole('orders:read') }],
    ['trustDomains', { workloadClaim: 'spiffe_id', trustDomains: hole('prod.example') }],
    ['scopeClaims[0]', { scopeClaims: hole('scope') }],
    ['scopeClaims.user[0]', { scopeClaims: { user: hole('scope'), workload: [] } }],
    ['scopeClaims[0]', { scopeClaims: [hole('roles')] }],
    ['requiredClaims[0]', { requiredClaims: hole({ claim: 'tid', value: 'shop' }) }],
    ['requiredClaims[0].value', { requiredClaims: [{ claim: 'tid', value: hole('shop') }] }],
    ['requiredClaims[0].claim', { requiredClaims: [{ claim: hole('tid'), value: 'shop' }] }],
    ['introspection.clients', { introspection: { ...introspection, clients: hole('checkout') } }],
  ])('is a mistake: %s', (option, change) => {
    expect(faultOf({ issuer, ...change })).toBe(`issuers[0].${option}`)
  })

  test('is a mistake: issuers, audience', () => {
    expect(faultIn({ issuers: hole(issuer) })).toBe('issuers[0]')
    expect(faultIn({ issuers: [issuer], audience: hole('orders') })).toBe('audience')
    expect(() => kubernetes({ issuer, serviceAccounts: hole('shop/cart') } as object)).toThrow(
      ConfigurationError,
    )
  })
})

describe('`jwks`', () => {
  test.each([
    ['text of a key set', '{"keys":[]}', /JSON\.parse/],
    ['text of a key set in lines', ' \n{"keys":[]}', /JSON\.parse/],
    ['a URL', 'https://issuer.test/keys', /jwksUri/],
  ])('that is %s is a mistake, not the path of a file', (_, jwks, advice) => {
    const make = () => createGuard({ audience: 'orders', issuers: [{ issuer, jwks }], log: false })
    expect(make).toThrow(
      expect.objectContaining({ option: 'issuers[0].jwks', message: expect.stringMatching(advice) }),
    )
    expect(make).not.toThrow(/keys"/)
  })
})

test('a `profile` in a list is no profile', () => {
  expect(faultOf({ issuer: 'spiffe://prod.example', profile: ['jwt-svid'], jwksUri })).toBe(
    'issuers[0].profile',
  )
})

test.each([[undefined], [null], [{}], [{ audience: 'orders' }]])(
  'a TLS server without a guard is a mistake: %j',
  async (guard) => {
    const { cert, key } = await (await createTestCa()).serverCertificate(['localhost'])
    const make = () => createTlsServer(() => undefined, { cert, key, guard: guard as Guard }) // it is none
    expect(make).toThrow(expect.objectContaining({ code: 'configuration_invalid', option: 'guard' }))
  },
)
