// Tokens as their vendors write them. Names and types of all members are from the vendors' documentation or, where it shows
// none, from tokens in public; values are invented. `now` is in seconds.
import type { Shape } from './scripted-issuers.ts'

const jwt = { typ: 'JWT' }
const user = 'c18502d5-0a22-4ccf-8674-12ec55b10e0b'

/** Keycloak 26. */
export function keycloakTokens(iss: string, now: number) {
  const base = { exp: now + 300, iat: now, jti: 'trrtcc:312ee6d2-0673-4496-b3af-12f3505edab6', iss }
  const access = {
    ...base,
    aud: ['orders', 'account'],
    sub: user,
    typ: 'Bearer',
    acr: '1',
    'allowed-origins': ['/*'],
    realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-shop', 'auditor'] },
    resource_access: {
      orders: { roles: ['orders:write'] },
      account: { roles: ['manage-account', 'view-profile'] },
    },
  }
  const person = { sid: 'f73a4a37-9550-4f88-97ef-3b45abee06f1', name: 'Alice', preferred_username: 'alice' }
  return {
    workload: {
      header: jwt,
      claims: {
        ...access,
        sub: '7ddaf89f-69eb-4ecf-a9ca-acba11211986',
        azp: 'Checkout',
        scope: 'email profile orders:read',
        clientHost: '10.0.0.7',
        clientAddress: '10.0.0.7',
        email_verified: false,
        preferred_username: 'service-account-checkout',
        client_id: 'Checkout',
      },
    },
    user: {
      header: jwt,
      claims: {
        ...access,
        ...person,
        auth_time: now - 60,
        azp: 'shop-web',
        scope: 'openid email profile orders:read',
        email_verified: true,
      },
    },
    idToken: {
      header: jwt,
      claims: {
        ...base,
        ...person,
        auth_time: now - 60,
        aud: 'shop-web',
        sub: user,
        typ: 'ID',
        azp: 'shop-web',
        nonce: 'n-0S6_WzA2Mj',
        at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng',
        acr: '1',
      },
    },
    refreshToken: {
      header: { ...jwt, alg: 'HS512', kid: '9d5e3a3b-b7ae-4d68-9d3a-c5c4a6a1a1d2' },
      claims: {
        ...base,
        aud: iss,
        sub: user,
        typ: 'Refresh',
        azp: 'shop-web',
        sid: person.sid,
        scope: 'openid',
      },
    },
    logoutToken: {
      header: { typ: 'logout+jwt' },
      claims: {
        ...base,
        aud: 'shop-web',
        sub: user,
        typ: 'Logout',
        sid: person.sid,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
    },
  } satisfies Record<string, Shape>
}

/** Microsoft Entra ID. The API's client id is the audience of version 2.0, and often also that of its own ID tokens. */
export function entraTokens(iss: string, version: '1.0' | '2.0', now: number) {
  const isNew = version === '2.0'
  const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const app = 'a8f1a6c2-10a3-4e59-85fd-8c127544f17c'
  const header = isNew ? jwt : { ...jwt, x5t: 'i6lGk3FZzxRcUb2C3nEQ7syHJlY' }
  const base = {
    aud: 'orders',
    iss,
    iat: now - 300,
    nbf: now - 300,
    exp: now + 3600,
    tid,
    uti: 'fqiBqXLPj0eQa82S-IYFAA',
    rh: '0.AX',
    ver: version,
  }
  const client = (authentication: string) =>
    isNew ? { azp: app, azpacr: authentication } : { appid: app, appidacr: authentication }
  const oid = '690222be-ff1a-4d56-abd1-7e4f7d38e474'
  const person = { name: 'Abe Lincoln', oid, sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ' }
  return {
    app: { header, claims: { ...base, ...client('1'), oid, sub: oid, roles: ['orders:read'] } },
    managedIdentity: {
      header,
      claims: {
        ...base,
        ...client('2'),
        exp: now + 24 * 3600,
        idtyp: 'app',
        oid,
        sub: oid,
        roles: ['orders:read'],
        xms_mirid:
          '/subscriptions/0/resourcegroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/checkout',
      },
    },
    user: {
      header,
      claims: { ...base, ...client('0'), ...person, scp: 'orders:read profile', roles: ['orders:admin'] },
    },
    idToken: {
      header,
      claims: {
        ...base,
        ...person,
        nonce: '12345',
        preferred_username: 'abeli@example.com',
        aio: 'AXQAi/8IAAAA',
      },
    },
  } satisfies Record<string, Shape>
}

/** Auth0, with its own token profile and with that of RFC 9068. */
export function auth0Tokens(iss: string, now: number) {
  const times = { iat: now, exp: now + 86_400 }
  const client = 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx'
  const machine = { iss, sub: `${client}@clients`, aud: 'orders', ...times, scope: 'orders:read' }
  const person = {
    iss,
    sub: 'auth0|6553da60a54af58e29493993',
    aud: ['orders', `${iss}userinfo`],
    ...times,
    scope: 'openid profile orders:read',
    permissions: ['orders:write'],
  }
  return {
    machine: { header: jwt, claims: { ...machine, azp: client, gty: 'client-credentials' } },
    standardMachine: {
      header: { typ: 'at+jwt' },
      claims: { ...machine, client_id: client, jti: '73WakrfVbNJBaAmhQtEeDv' },
    },
    user: { header: jwt, claims: { ...person, azp: 'my_client_id' } },
    standardUser: {
      header: { typ: 'at+jwt' },
      claims: { ...person, client_id: 'my_client_id', jti: 'aBv9njtYfwL4xfPZyEwz9m' },
    },
    idToken: {
      header: jwt,
      claims: {
        iss,
        sub: person.sub,
        aud: 'my_client_id',
        ...times,
        name: 'Jane Doe',
        email: 'janedoe@example.com',
        sid: 'k2x5',
        nonce: 'AbC',
      },
    },
  } satisfies Record<string, Shape>
}

/** Okta, a custom authorization server. Its headers have no `typ`. */
export function oktaTokens(iss: string, now: number) {
  const base = { ver: 1, iss, iat: now, exp: now + 3600 }
  return {
    service: {
      claims: {
        ...base,
        jti: 'AT.EmHCGDFHE18hC5j3stjbarVonh46twW7tWutB9v8hsw',
        aud: 'orders',
        cid: '0oa8acv8gbBPRCZ7I5d7',
        scp: ['orders:read'],
        sub: '0oa8acv8gbBPRCZ7I5d7',
      },
    },
    user: {
      claims: {
        ...base,
        jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
        aud: 'orders',
        sub: 'joe.smith@example.com',
        cid: 'nmdP1fcyvdVO11AL7ECm',
        uid: '00ujmkLgagxeRrAg20g3',
        scp: ['openid', 'orders:read'],
        auth_time: now - 60,
      },
    },
    idToken: {
      claims: {
        ...base,
        sub: '00ujmkLgagxeRrAg20g3',
        aud: 'nmdP1fcyvdVO11AL7ECm',
        amr: ['pwd'],
        idp: '00ok1u7AsAkrwdZL3z0g3',
        jti: 'ID.4eAWJOCMB3SX8XewDfVR',
        auth_time: now - 60,
        at_hash: 'cpqKfdQA5eH891Ff5oJr_Q',
        name: 'John Doe',
      },
    },
  } satisfies Record<string, Shape>
}

/** Google: the metadata server's (format full), a key file's, and a person's. */
export function googleTokens(now: number) {
  const iss = 'https://accounts.google.com'
  const times = { iat: now, exp: now + 3600 }
  const sub = '112233445566778899001'
  const email = '123456789012-compute@developer.gserviceaccount.com'
  return {
    serviceAccount: {
      header: jwt,
      claims: {
        aud: 'orders',
        azp: sub,
        email,
        email_verified: true,
        ...times,
        google: {
          compute_engine: {
            instance_confidentiality: 1,
            instance_creation_timestamp: now - 1000,
            instance_id: '1234567890123456789',
            instance_name: 'vm-1',
            project_id: 'example-project',
            project_number: 123456789012,
            zone: 'us-central1-c',
          },
        },
        iss,
        sub,
      },
    },
    keyFile: {
      header: jwt,
      claims: { aud: 'orders', azp: email, email, email_verified: true, ...times, iss, sub },
    },
    person: {
      header: jwt,
      claims: {
        iss,
        azp: '32555940559.apps.googleusercontent.com',
        aud: '32555940559.apps.googleusercontent.com',
        sub: '104943293997971332223',
        email: 'somebody@gmail.com',
        email_verified: true,
        at_hash: 'cpqKfdQA5eH891Ff5oJr_Q',
        ...times,
      },
    },
  } satisfies Record<string, Shape>
}

/** A job of GitHub Actions, in the form of repositories made since July 2026. */
export function githubTokens(iss: string, now: number) {
  const job = {
    jti: '6f4762ed-0758-4ccb-808d-ee3af5d723a8',
    sub: 'repo:octo-org@123456/octo-repo@456789:environment:production',
    aud: 'orders',
    ref: 'refs/heads/main',
    sha: 'a1b2c3',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    repository_owner_id: '123456',
    run_id: '1',
    run_number: '1',
    run_attempt: '1',
    repository_visibility: 'private',
    repository_id: '456789',
    actor_id: '12',
    actor: 'octocat',
    workflow: 'deploy',
    head_ref: '',
    base_ref: '',
    event_name: 'push',
    ref_protected: 'true',
    ref_type: 'branch',
    workflow_ref: 'octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main',
    job_workflow_ref: 'octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main',
    environment: 'production',
    runner_environment: 'github-hosted',
    iss,
    nbf: now - 600,
    iat: now,
    exp: now + 300,
  }
  const header = { ...jwt, x5t: 'i6lGk3FZzxRcUb2C3nEQ7syHJlY' }
  return { job: { header, claims: job } } satisfies Record<string, Shape>
}

/** Kubernetes: a projected token for this service, and the ones that a pod has otherwise. Their headers have no `typ`. */
export function kubernetesTokens(iss: string, now: number) {
  const claims = {
    aud: ['orders'],
    exp: now + 3600,
    iat: now,
    iss,
    jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
    'kubernetes.io': {
      namespace: 'shop',
      node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
      pod: { name: 'checkout-5d', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
      serviceaccount: { name: 'checkout', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    },
    nbf: now,
    sub: 'system:serviceaccount:shop:checkout',
  }
  return {
    projected: { claims },
    mountedByDefault: {
      claims: {
        ...claims,
        aud: [iss],
        exp: now + 365 * 24 * 3600,
        'kubernetes.io': { ...claims['kubernetes.io'], warnafter: now + 3607 },
      },
    },
    legacy: {
      claims: {
        iss: 'kubernetes/serviceaccount',
        'kubernetes.io/serviceaccount/namespace': 'shop',
        'kubernetes.io/serviceaccount/secret.name': 'checkout-token-x2x',
        'kubernetes.io/serviceaccount/service-account.name': 'checkout',
        'kubernetes.io/serviceaccount/service-account.uid': '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798',
        sub: claims.sub,
      },
    },
  } satisfies Record<string, Shape>
}
