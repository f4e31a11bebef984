// The usual traps, each with the sentence that ends it; and that no sentence repeats what a peer wrote.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adviceFor, type RefusedToken } from '../../packages/core/src/identity/token/advice.ts'
import { refusals, type RefusalCode } from '../../packages/core/src/refusal.ts'

const realm = 'https://kc.internal/realms/shop'
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const entra2 = `https://login.microsoftonline.com/${tenant}/v2.0`
const entra1 = `https://sts.windows.net/${tenant}/`
const google = 'https://accounts.google.com'
const github = 'https://token.actions.githubusercontent.com'
const cluster = 'https://kubernetes.default.svc.cluster.local'
const auth0 = 'https://shop.eu.auth0.com/'
const audiences = ['https://orders.internal']

const strict = (issuer: string, typ?: unknown): RefusedToken => ({ issuer, profile: 'at+jwt', typ })
const unknown = (issuers: readonly string[], iss: unknown): RefusedToken => ({ issuers, iss })
const misdirected = (issuer: string, aud: unknown, own = audiences): RefusedToken => ({
  issuer,
  audiences: new Set(own),
  aud,
})

test.each<[RefusalCode, RefusedToken, RegExp | undefined]>([
  [
    'token_type_mismatch',
    strict(realm, 'JWT'),
    /Keycloak does not follow RFC 9068.*`keycloak\('https:\/\/kc\.internal\/realms\/shop'\)`/,
  ],
  ['token_type_mismatch', strict(`${realm}/`), /`keycloak\('https:\/\/kc\.internal\/realms\/shop'\)`/],
  ['token_type_mismatch', strict(entra2, 'JWT'), /`entraId\(\{ tenant: '72f988bf-[-0-9a-f]+' \}\)`/],
  ['token_type_mismatch', strict(entra1, 'jwt'), /version: '1\.0' \}\)`/],
  ['token_type_mismatch', strict('https://shop.eu.auth0.com/', 'JWT'), /`auth0\('shop\.eu\.auth0\.com'\)`/],
  [
    'token_type_mismatch',
    strict('https://shop.okta.com/oauth2/default'),
    /`okta\('https:\/\/shop\.okta\.com\/oauth2\/default'\)`/,
  ],
  [
    'token_type_mismatch',
    strict('https://shop.okta.com'),
    /`okta\('https:\/\/shop\.okta\.com\/oauth2\/<id>'\)`/,
  ],
  ['token_type_mismatch', strict(google, 'JWT'), /`google\(/],
  ['token_type_mismatch', strict(github, 'JWT'), /`githubActions\(/],
  ['token_type_mismatch', strict(cluster), /`kubernetes\(\{ issuer: 'https:\/\/kubernetes\.default/],
  ['token_type_mismatch', strict('https://idp.internal', 'JWT'), /no ID token.*profile: 'oauth'/],
  ['token_type_mismatch', strict('https://idp.internal', 'x+jwt'), undefined],
  ['token_type_mismatch', { issuer: realm, profile: 'oauth', typ: 'JWT' }, undefined],
  ['token_type_mismatch', { issuer: realm, profile: 'oauth', typ: 'logout+jwt' }, /logout token/],
  ['token_type_mismatch', strict('https://idp.internal', 'dpop+jwt'), /DPoP proof/],
  ['token_type_mismatch', strict('https://idp.internal', 'application/SecEvent+JWT'), /security event/],
  ['token_type_mismatch', { profile: 'oauth', typ: 'application/okta-internal-at+jwt' }, /custom one/],
  [
    'token_type_mismatch',
    { profile: 'oauth', typ: 'okta-internal-at+jwt' },
    /`?okta\('https:\/\/<domain>\/oauth2\/<id>'\)/,
  ],
  ['token_type_mismatch', strict(realm, 'x application/dpop+jwt'), undefined],
  ['token_type_mismatch', strict(realm, 'dpopapplication/+jwt'), undefined],
  ['token_type_mismatch', strict('https://shop.okta.com.evil.example', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://kc.internal/realms/shop/x', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://xkubernetes.default', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://xoidc.eks.a.amazonaws.com', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://xcontainer.googleapis.com', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://container.googleapis.com.evil.example', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://a.oic.prod-aks.azure.com.evil.example', 'JWT'), /no ID token/],
  ['token_type_mismatch', strict('https://kubernetes.default', 'JWT'), /`kubernetes\(/],
  ['token_type_mismatch', strict('https://oidc.eks.eu-west-1.amazonaws.com/id/A', 'JWT'), /`kubernetes\(/],
  ['token_type_mismatch', strict('https://ab.oic.prod-aks.azure.com/x/', 'JWT'), /`kubernetes\(/],
  ['token_type_mismatch', strict(`x ${entra2}`, 'JWT'), /no ID token/],
  ['token_type_mismatch', strict(`${entra2}/x`, 'JWT'), /no ID token/],
  ['token_type_mismatch', strict(`https://login.evil.example/${tenant}/v2.0`, 'JWT'), /no ID token/],
  ['claim_missing', strict(realm), /`keycloak\(/],
  ['claim_missing', strict('https://idp.internal'), undefined],
  ['claim_missing', { issuer: realm, profile: 'oauth' }, undefined],

  [
    'issuer_unknown',
    unknown(['https://a.example'], 'https://a.example/'),
    /ends with a slash: write `issuer: 'https:\/\/a\.example\/'`/,
  ],
  [
    'issuer_unknown',
    unknown(['https://a.example/'], 'https://a.example'),
    /without a slash: write `issuer: 'https:\/\/a\.example'`/,
  ],
  [
    'issuer_unknown',
    unknown([entra2], entra1),
    /version 1\.0: set `requestedAccessTokenVersion` to 2 .* version: '1\.0' \}\)/,
  ],
  [
    'issuer_unknown',
    unknown([entra1], entra2),
    /version 2\.0: set `requestedAccessTokenVersion` to 1 .* version: '2\.0' \}\)/,
  ],
  ['issuer_unknown', unknown([entra2], entra1.replace('72f9', '0000')), /character by character/],
  ['issuer_unknown', unknown(['https://A.example'], 'https://a.example'), /capital letters/],
  ['issuer_unknown', unknown([realm], realm.replace('https', 'http')), /`https` only/],
  ['issuer_unknown', unknown([entra2], entra2.replace('.com', '.us')), /character by character/],
  ['issuer_unknown', unknown(['https://a.example'], 'https://b.example'), /character by character/],
  ['issuer_unknown', unknown(['https://a.example'], 'HTTPS://ab.example'), /character by character/],
  ['issuer_unknown', unknown(['https://a.example/x'], '//a.example/http:x'), /character by character/],
  ['issuer_unknown', unknown([entra2], `https://evil.example/${entra1}`), /character by character/],
  ['issuer_unknown', unknown([`https://evil.example/${tenant}`], entra2), /character by character/],
  ['issuer_unknown', unknown(['https://a.example/undefined'], 'https://b.example'), /character by character/],
  [
    'issuer_unknown',
    unknown([realm], 'http://keycloak:8080/realms/shop'),
    /`discoveryUrl`.* or set `hostname` in Keycloak$/,
  ],
  [
    'issuer_unknown',
    unknown(['https://kc.internal/auth/realms/shop'], 'http://keycloak:8080/realms/shop'),
    /character by character/,
  ],
  ['issuer_unknown', unknown([realm], 'http://keycloak:8080/realms/other'), /character by character/],
  [
    'issuer_unknown',
    unknown(['https://b.example', 'https://a.example'], 'https://a.example/'),
    /'https:\/\/a\.example\/'/,
  ],
  ['issuer_unknown', unknown([cluster], 'kubernetes/serviceaccount'), /legacy/],
  ['issuer_unknown', unknown([], 'https://a.example'), /character by character/],
  ['issuer_unknown', unknown([realm], 7), undefined],

  [
    'audience_mismatch',
    misdirected(realm, 'account'),
    /mapper `Audience` with the custom audience `https:\/\/orders\.internal`/,
  ],
  ['audience_mismatch', misdirected(realm, ['account', 'broker']), /mapper/],
  ['audience_mismatch', misdirected(realm, ['account', 'billing']), undefined],
  ['audience_mismatch', misdirected(realm, 'realm-management'), /mapper/],
  ['audience_mismatch', misdirected(entra2, ['x', 'https://graph.microsoft.com']), /Microsoft Graph/],
  ['audience_mismatch', misdirected(entra2, ['x', tenant], ['api://orders']), /client id in `aud`/],
  ['audience_mismatch', misdirected(entra2, `x${tenant}`, ['api://orders']), undefined],
  ['audience_mismatch', misdirected(entra2, `${tenant}x`, ['api://orders']), undefined],
  ['audience_mismatch', misdirected(github, [5, 'x', 'https://github.com/octo-org']), /core\.getIDToken/],
  ['audience_mismatch', misdirected(github, 'https://billing'), undefined],
  ['audience_mismatch', misdirected(github, 'https://github.com/octo-org', []), /core\.getIDToken\(''\)/],
  ['audience_mismatch', { issuer: github, aud: 'https://github.com/octo-org' }, /core\.getIDToken\(''\)/],
  ['audience_mismatch', misdirected(google, ['x', '3.apps.googleusercontent.com']), /a person who signed in/],
  ['audience_mismatch', misdirected(auth0, ['x', `${auth0}userinfo`]), /identifier of this API/],
  ['audience_mismatch', misdirected(auth0, `x ${auth0}userinfo`), undefined],
  ['audience_mismatch', misdirected(auth0, `${auth0}userinfo/x`), undefined],
  ['audience_mismatch', misdirected(entra1, 'https://management.azure.com/'), /cloud platform/],
  ['audience_mismatch', misdirected(entra1, 'https://management.core.windows.net/'), /cloud platform/],
  ['audience_mismatch', misdirected(cluster, 'pods.eks.amazonaws.com'), /cloud platform/],
  ['audience_mismatch', misdirected(realm, 'orders/', ['x', 'orders']), /final slash/],
  ['audience_mismatch', misdirected(entra2, '00000003-0000-0000-c000-000000000000'), /Microsoft Graph/],
  ['audience_mismatch', misdirected(entra1, 'https://graph.microsoft.com'), /Microsoft Graph/],
  ['audience_mismatch', misdirected(entra2, tenant, ['api://orders']), /client id in `aud`/],
  ['audience_mismatch', misdirected(entra2, tenant, [tenant.replace('72', '00')]), undefined],
  [
    'audience_mismatch',
    misdirected('https://shop.eu.auth0.com/', 'https://shop.eu.auth0.com/userinfo'),
    /`audience=https:\/\/orders\.internal`/,
  ],
  [
    'audience_mismatch',
    misdirected('https://shop.eu.auth0.com/', 'https://shop.eu.auth0.com/api/v2/'),
    /identifier of this API/,
  ],
  [
    'audience_mismatch',
    misdirected('https://shop.okta.com/oauth2/default', 'api://default'),
    /authorization server the audience/,
  ],
  ['audience_mismatch', misdirected(google, '3.apps.googleusercontent.com'), /a person who signed in/],
  ['audience_mismatch', misdirected(google, 'https://billing'), /metadata server/],
  [
    'audience_mismatch',
    misdirected(github, 'https://github.com/octo-org'),
    /core\.getIDToken\('https:\/\/orders\.internal'\)/,
  ],
  ['audience_mismatch', misdirected(cluster, [cluster]), /`audience: https:\/\/orders\.internal`/],
  [
    'audience_mismatch',
    misdirected('https://oidc.eks.eu-west-1.amazonaws.com/id/A', ['sts.amazonaws.com']),
    /cloud platform/,
  ],
  ['audience_mismatch', misdirected(entra2, 'api://AzureADTokenExchange'), /cloud platform/],
  ['audience_mismatch', misdirected('https://idp.internal', 'https://orders.internal/'), /final slash/],
  [
    'audience_mismatch',
    misdirected('https://idp.internal', 'https://orders.internal', ['https://orders.internal/']),
    /final slash/,
  ],
  ['audience_mismatch', misdirected('https://idp.internal', 'billing'), undefined],
  ['audience_mismatch', misdirected('https://idp.internal', { a: 1 }), undefined],

  ['token_lifetime_excessive', { issuer: cluster, profile: 'kubernetes' }, /expirationSeconds/],
  ['token_lifetime_excessive', { issuer: realm, profile: 'oauth' }, undefined],
  ['key_unknown', { issuer: entra2, profile: 'oauth' }, /\?appid=/],
  ['key_unknown', { issuer: realm, profile: 'oauth' }, undefined],
  ['signature_invalid', strict(realm, 'JWT'), undefined],
])('%s for %j: %s', (code, token, advice) => {
  const given = adviceFor(code, token)
  if (advice === undefined) expect(given).toBeUndefined()
  else expect(given).toMatch(advice)
})

test.each([
  [entra2, 'Entra ID'],
  [`https://login.microsoftonline.us/${tenant}/v2.0`, 'Entra ID'],
  [`https://login.partner.microsoftonline.cn/${tenant}/v2.0`, 'Entra ID'],
  [`https://sts.chinacloudapi.cn/${tenant}/`, 'Entra ID'],
  [realm, 'Keycloak'],
  [auth0, 'Auth0'],
  ['https://shop.okta.com', 'Okta'],
  [google, 'Google'],
  [github, 'GitHub Actions'],
  [cluster, 'Kubernetes'],
])('whose tokens those of %s are is said: of %s', (issuer, name) => {
  expect(adviceFor('claim_missing', strict(issuer))).toMatch(`${name} does not follow RFC 9068`)
})

test('advice is lower case, has no full stop and fits a line', () => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    // the table's own names
    const given = adviceFor(code, {
      ...strict('https://idp.internal', 'JWT'),
      issuers: [],
      audiences: new Set(audiences),
      aud: 'x',
    })
    if (given !== undefined) expect(given).toMatch(/^[^\n]{10,300}[^.\n]$/)
  }
})

test('whatever a peer writes, advice is given without it, and soon', () => {
  const mark = 'zqzq'
  const near = [
    `http://${mark}/realms/shop`,
    `https://${mark}/userinfo`,
    `https://github.com/${mark}`,
    `${mark}.apps.googleusercontent.com`,
    `application/${mark}+jwt`,
  ]
  const long = ['https://', '/realms/', '/v2.0', `${realm}/`, 'https://oidc.eks.', 'a.'].map(
    (part) => mark + part.repeat(700),
  )
  const peers = fc.oneof(
    fc.constantFrom(...near, ...long),
    fc.string({ maxLength: 8000 }).map((text) => mark + text),
    fc.anything(),
  )
  const codes = fc.constantFrom(...(Object.keys(refusals) as RefusalCode[])) // the table's own names
  fc.assert(
    fc.property(codes, peers, peers, peers, (code, iss, aud, typ) => {
      for (const issuer of [
        undefined,
        realm,
        entra2,
        google,
        github,
        cluster,
        'https://shop.eu.auth0.com/',
      ]) {
        const token = {
          issuer,
          issuers: [realm, entra2],
          audiences: new Set(audiences),
          profile: 'at+jwt',
          iss,
          aud,
          typ,
        } as const
        expect(adviceFor(code, token) ?? '').not.toContain(mark)
      }
    }),
  )
})
