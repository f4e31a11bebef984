// What presets refuse to be given, and that what they return can be spread and changed.
import {
  ConfigurationError,
  auth0,
  createGuard,
  entraId,
  githubActions,
  google,
  keycloak,
  kubernetes,
  okta,
  spiffe,
  type IssuerOptions,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
/** Written by somebody whom no type checker stops. */
const untyped = (value: unknown): never => value as never

/** What a preset throws: a ConfigurationError for this option, in words that say what to write. */
function expectError(make: () => unknown, option: string, advice: RegExp): void {
  expect(make).toThrow(ConfigurationError)
  expect(make).toThrow(expect.objectContaining({ option }))
  expect(make).toThrow(advice)
}

describe('keycloak', () => {
  test.each([
    ['https://kc.internal', /realm, such as/],
    ['https://kc.internal/realms/', /without the final slash/],
    ['https://kc.internal/realms/shop/', /without the final slash/],
    ['https://kc.internal/realms/shop/account', /realm, such as/],
    ['https://kc.internal/realms/shop?x=1', /without query/],
    ['https://kc.internal/realms/shop#x', /without query/],
    ['https://admin:pass@kc.internal/realms/shop', /user name/],
    ['ftp://kc.internal/realms/shop', /https/],
    ['shop', /got a string/],
    [undefined, /got a undefined/],
  ])('refuses the realm %s', (realm, advice) => {
    expectError(() => keycloak(untyped(realm)), 'keycloak', advice)
  })

  test.each(['client', '', [], {}, { client: '' }, { client: 7 }, null, false])(
    'refuses the roles %j',
    (roles) => {
      expectError(
        () => keycloak('https://kc.internal/realms/shop', { roles: untyped(roles) }),
        'keycloak.roles',
        /'realm'/,
      )
    },
  )

  test('refuses an option that it does not have', () => {
    expectError(
      () => keycloak('https://kc.internal/realms/shop', untyped({ role: 'realm' })),
      'keycloak.role',
      /`roles`/,
    )
  })

  test('takes a realm of a server that still has /auth in its path', () => {
    expect(keycloak('http://localhost:8080/auth/realms/shop').issuer).toBe(
      'http://localhost:8080/auth/realms/shop',
    )
  })
})

describe('entraId', () => {
  test.each(['common', 'organizations', 'consumers'])('refuses the tenant %s, and says why', (name) => {
    expectError(() => entraId({ tenant: name }), 'entraId.tenant', /every organisation of the world/)
  })

  test.each(['contoso.onmicrosoft.com', tenant.toUpperCase(), `${tenant}/`, '', undefined])(
    'refuses the tenant %s',
    (name) => {
      expectError(() => entraId({ tenant: untyped(name) }), 'entraId.tenant', /GUID in lower case/)
    },
  )

  test.each([
    [{ version: '3.0' }, 'entraId.version', /'2.0'/],
    [{ version: 2 }, 'entraId.version', /'2.0'/],
    [{ authority: 'https://login.microsoftonline.us/' }, 'entraId.authority', /final slash/],
    [{ authority: 'login.microsoftonline.us' }, 'entraId.authority', /expected a URL/],
    [{ tenantId: tenant }, 'entraId.tenantId', /`tenant`/],
  ])('refuses %j', (options, option, advice) => {
    expectError(() => entraId(untyped({ tenant, ...options })), option, advice)
  })

  test.each([
    ['2.0', 'https://login.microsoftonline.us', `https://login.microsoftonline.us/${tenant}/v2.0`],
    ['1.0', 'https://login.microsoftonline.us', `https://sts.windows.net/${tenant}/`],
    ['1.0', 'https://login.partner.microsoftonline.cn', `https://sts.chinacloudapi.cn/${tenant}/`],
  ] as const)('knows the issuer of version %s at %s', (version, authority, issuer) => {
    expect(entraId({ tenant, version, authority }).issuer).toBe(issuer)
  })

  test('looks for version 1.0 where it is, since its issuer is another host', () => {
    const { discoveryUrl } = entraId({ tenant, version: '1.0' })
    expect(discoveryUrl).toBe(`https://login.microsoftonline.com/${tenant}/.well-known/openid-configuration`)
    expect(entraId({ tenant })).not.toHaveProperty('discoveryUrl')
  })
})

describe('auth0', () => {
  test.each([
    'https://shop.eu.auth0.com/',
    'shop.eu.auth0.com/',
    'Shop.eu.auth0.com',
    'shop',
    'shop.eu.auth0.com:443',
    '',
    undefined,
  ])('refuses the domain %s', (domain) => {
    expectError(() => auth0(untyped(domain)), 'auth0', /domain alone/)
  })

  test('refuses permissions that are no boolean', () => {
    expectError(
      () => auth0('shop.eu.auth0.com', { permissions: untyped('yes') }),
      'auth0.permissions',
      /true/,
    )
  })
})

describe('okta', () => {
  test.each([
    'https://shop.okta.com',
    'https://shop.okta.com/oauth2',
    'https://shop.okta.com/oauth2/default/v1',
    'https://shop.okta.com/default',
  ])('refuses %s, and says which servers there are', (url) => {
    expectError(() => okta(url), 'okta', /custom authorization server, such as/)
  })
})

describe('google', () => {
  test.each([[[]], [['checkout@shop.iam.gserviceaccount.com']], ['112'], [[112]], [[`1\n2`]]])(
    'refuses the subjects %j',
    (subjects) => {
      expectError(() => google({ subjects: untyped(subjects) }), 'google.subjects', /uniqueId/)
    },
  )
})

describe('githubActions', () => {
  test.each([
    [{ repositoryIds: ['octo-org/octo-repo'] }, 'repositoryIds', /gh api repos/],
    [{ repositoryIds: [] }, 'repositoryIds', /expected a list/],
    [{ repositoryIds: [456789] }, 'repositoryIds', /'456789'/],
    [{ ownerIds: ['octo-org'] }, 'ownerIds', /gh api users/],
    [{ ownerIds: ['1'], environments: [''] }, 'environments', /production/],
    [{ ownerIds: ['1'], refs: ['main'] }, 'refs', /refs\/heads\/main/],
    // Every repository can have an environment of that name, and a main branch.
    [{ environments: ['production'] }, 'environments', /`repositoryIds` or `ownerIds`/],
    [{ refs: ['refs/heads/main'] }, 'refs', /`repositoryIds` or `ownerIds`/],
    [{ enterprise: 'octocat/inc' }, 'enterprise', /slug/],
    [
      { enterprise: 'octocat', issuer: 'https://github.internal/_services/token' },
      'enterprise',
      /or the whole/,
    ],
    [{ repositories: ['a/b'] }, 'repositories', /`repositoryIds`/],
  ])('refuses %j', (options, option, advice) => {
    expectError(() => githubActions(untyped(options)), `githubActions.${option}`, advice)
  })

  test('knows issuers at other places', () => {
    const issuer = 'https://github.internal/_services/token'
    expect(githubActions({ issuer, ownerIds: ['1'] }).issuer).toBe(issuer)
    expect(githubActions({ enterprise: 'octocat-inc' }).issuer).toBe(
      'https://token.actions.githubusercontent.com/octocat-inc',
    )
  })
})

describe('kubernetes', () => {
  const issuer = 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE'
  test.each([
    [{ issuer, namespaces: ['Shop'] }, 'kubernetes.namespaces', /'shop'/],
    [{ issuer, namespaces: [] }, 'kubernetes.namespaces', /an empty array/],
    [{ issuer, namespaces: [7] }, 'kubernetes.namespaces', /'shop'/],
    [{ issuer, serviceAccounts: ['checkout'] }, 'kubernetes.serviceAccounts', /shop\/checkout/],
    [{ issuer, serviceAccounts: ['a/b/c'] }, 'kubernetes.serviceAccounts', /shop\/checkout/],
    [{ issuer, serviceAccounts: ['shop:a/b'] }, 'kubernetes.serviceAccounts', /shop\/checkout/],
    [{ issuer, review: true }, 'kubernetes.review', /apiServer/],
    [{ issuer, directory: '/tmp' }, 'kubernetes.issuer', /outside of the cluster/],
    [{ issuer, apiServer: 'https://10.96.0.1' }, 'kubernetes.issuer', /outside of the cluster/],
    [{ issuer: 7 }, 'kubernetes.issuer', /outside of the cluster/],
    [{ jwksUri: 'https://a.example/jwks' }, 'kubernetes.issuer', /write the `issuer`/],
    [{ ca: './ca.crt' }, 'kubernetes.issuer', /write the `issuer`/],
    [
      { directory: '/nowhere', apiServer: 'https://10.96.0.1' },
      'kubernetes',
      /write kubernetes\(\{ issuer \}\)/,
    ],
    [{ namespace: 'shop' }, 'kubernetes.namespace', /`namespaces`/],
  ])('refuses %j', (options, option, advice) => {
    expectError(() => kubernetes(untyped(options)), option, advice)
  })

  test('takes what API servers sign with, and no more', () => {
    expect(kubernetes({ issuer }).algorithms).toEqual(['RS256', 'ES256', 'ES384', 'ES512'])
  })

  test('names the API server that reviews tokens of a cluster elsewhere', () => {
    const review = { apiServer: 'https://cluster.internal', bearerFile: './token' }
    expect(kubernetes({ issuer, review }).tokenReview).toEqual(review)
  })
})

describe('spiffe', () => {
  test.each(['spiffe://prod.example', 'Prod.example', 'prod.example/', '', undefined])(
    'refuses the trust domain %s',
    (trustDomain) => {
      expectError(() => spiffe(untyped(trustDomain), { keys: [] }), 'spiffe', /trust domain alone/)
    },
  )

  test.each([
    {},
    { keys: {} },
    '',
    undefined,
    7,
    'http://bundle.example',
    'ftp://bundle.example',
    'HTTP://a.example',
  ])('refuses the bundle %j', (bundle) => {
    expectError(() => spiffe('prod.example', untyped(bundle)), 'spiffe.bundle', /bundle/)
  })

  test('takes a bundle, a file or an https URL', () => {
    const bundle = { keys: [], spiffe_sequence: 1 }
    expect(spiffe('prod.example', bundle).jwks).toBe(bundle)
    expect(spiffe('prod.example', './bundle.json').jwks).toBe('./bundle.json')
    expect(spiffe('prod.example', 'https://prod.example/bundle')).toMatchObject({
      issuer: 'spiffe://prod.example',
      jwksUri: 'https://prod.example/bundle',
    })
  })
})

describe('what a preset returns', () => {
  const presets: readonly IssuerOptions[] = [
    keycloak('https://kc.internal/realms/shop'),
    entraId({ tenant }),
    auth0('shop.eu.auth0.com'),
    okta('https://shop.okta.com/oauth2/default'),
    google({ subjects: ['112233445566778899001'] }),
    githubActions({ ownerIds: ['1'] }),
    kubernetes({ issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE' }),
    spiffe('prod.example', 'https://prod.example/bundle'),
  ]

  test('is what a guard takes, several side by side', () => {
    const issuers = presets as [IssuerOptions, ...IssuerOptions[]] // eight of them
    expect(() => createGuard({ audience: 'orders', issuers }).close()).not.toThrow()
  })

  test.each(presets.map((preset) => [preset.issuer, preset] as const))(
    'of %s can be spread and changed',
    (_, preset) => {
      const changed = {
        ...preset,
        audience: 'billing',
        jwks: undefined,
        jwksUri: 'https://keys.internal/jwks',
      } as const
      const { jwks: _none, ...issuer } = changed
      expect(() => createGuard({ audience: 'orders', issuers: [issuer] }).close()).not.toThrow()
    },
  )

  test('never names a caller by what only a token says of scopes', () => {
    for (const { profile, represents, scopeClaims } of presets.slice(4)) {
      expect(['id-token', 'kubernetes', 'jwt-svid']).toContain(profile)
      expect(represents).toBe('workload')
      expect(scopeClaims).toBeUndefined()
    }
  })
})
