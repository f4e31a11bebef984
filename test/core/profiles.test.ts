import type { IssuerOptions, ProfileName } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { createHouse, issuer, type House } from './support/house.ts'

type Members = Readonly<Record<string, unknown>>

interface Kind {
  readonly profile: ProfileName
  /** Values of `typ` that one has, `undefined` for none. */
  readonly typed: readonly (string | undefined)[]
  readonly otherwiseTyped: readonly (string | undefined)[]
  /** What such a token says. */
  readonly says: Members
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

const account = { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'u-1' } }
const kubernetes = { 'kubernetes.io': account, sub: 'system:serviceaccount:shop:checkout' }
// What else a signed JWT can call itself: RFC 9449, 8417, 9701, 7523bis, OpenID Connect, WIMSE, transaction tokens.
const otherTypes = [
  'dpop+jwt',
  'application/dpop+jwt',
  'secevent+jwt',
  'logout+jwt',
  'token-introspection+jwt',
  'client-authentication+jwt',
  'rt+jwt',
  'wit+jwt',
  'wpt+jwt',
  'txntoken+jwt',
  '',
]

const kinds: readonly Kind[] = [
  {
    profile: 'at+jwt',
    typed: ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'],
    otherwiseTyped: [
      ...otherTypes,
      undefined,
      'JWT',
      'JOSE',
      'at+jwt ',
      'xat+jwt',
      'text/at+jwt',
      'at+jwt;v=1',
    ],
    says: {},
    required: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
    optional: [],
  },
  {
    profile: 'oauth',
    typed: [undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'],
    otherwiseTyped: [...otherTypes, 'JOSE', 'JWT '],
    says: { scope: 'orders:read' },
    required: ['iss', 'sub', 'aud', 'exp'],
    optional: ['iat', 'jti', 'client_id'],
  },
  {
    profile: 'id-token',
    typed: [undefined, 'JWT', 'jwt'],
    otherwiseTyped: [...otherTypes, 'at+jwt', 'application/at+jwt', 'JOSE'],
    says: {},
    required: ['iss', 'sub', 'aud', 'exp', 'iat'],
    optional: ['jti', 'client_id'],
  },
  {
    profile: 'kubernetes',
    typed: [undefined, 'JWT'],
    otherwiseTyped: [...otherTypes, 'at+jwt', 'JOSE'],
    says: kubernetes,
    required: ['iss', 'sub', 'aud', 'exp', 'iat'],
    optional: ['jti', 'client_id'],
  },
]

const houseOf = (profile: ProfileName, more: Partial<IssuerOptions> = {}): House =>
  createHouse({ issuerOptions: { profile, ...more } })

describe.each(kinds)('a token of profile $profile', (kind) => {
  const { guard, token } = houseOf(kind.profile)
  const [typ] = kind.typed
  const correct = (changes: Members = {}, header: Members = {}) =>
    token({ ...kind.says, ...changes }, { typ, ...header })

  test.each(kind.typed)('may have the `typ` %j', async (one) => {
    expect(await codeFor(guard, correct({}, { typ: one }))).toBe('allow')
  })

  test.each(kind.otherwiseTyped)('does not have the `typ` %j', async (one) => {
    expect(await codeFor(guard, correct({}, { typ: one }))).toBe('token_type_mismatch')
  })

  test.each(kind.required)('has `%s`', async (name) => {
    expect(await codeFor(guard, correct({ [name]: undefined }))).toBe('claim_missing')
  })

  test.each(kind.optional)('may leave out `%s`, but not write it as anything', async (name) => {
    expect(await codeFor(guard, correct({ [name]: undefined }))).toBe('allow')
    expect(await codeFor(guard, correct({ [name]: [] }))).toBe('claim_malformed')
  })

  test.each(['sub', 'jti', 'client_id', 'acr'])('has a `%s` that is text, if any', async (name) => {
    for (const value of ['', null, 5, {}, ['checkout']]) {
      expect(await codeFor(guard, correct({ [name]: value })), JSON.stringify(value)).toBe('claim_malformed')
    }
  })

  test('has an `auth_time` that is a number, if any', async () => {
    for (const value of ['1893456000', null, {}, [1_893_456_000]]) {
      expect(await codeFor(guard, correct({ auth_time: value })), JSON.stringify(value)).toBe(
        'claim_malformed',
      )
    }
  })
})

describe('at an issuer of profile oauth, which leaves access tokens unmarked,', () => {
  const { guard, token } = houseOf('oauth')
  const ask = (changes: Members, typ: string | undefined = 'JWT') => codeFor(guard, token(changes, { typ }))

  test.each<[string, Members]>([
    ['an ID token', { client_id: undefined, jti: undefined, azp: 'orders' }],
    ['an ID token of an authentication request', { nonce: 'n-0S6' }],
    ['an ID token of the hybrid flow', { c_hash: 'x', at_hash: 'x' }],
    ['an ID token beside an access token', { at_hash: 'x' }],
    ['an ID token beside a state', { s_hash: 'x' }],
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, sid: 's' }],
    ['a security event token', { events: {} }],
    ['a DPoP proof', { htm: 'GET', htu: 'https://orders.test/' }],
    ['a DPoP proof of a method', { htm: 'GET' }],
    ['a proof for a token', { ath: 'x' }],
    ['a signed introspection answer', { token_introspection: { active: true } }],
    ['an ID token of AWS Cognito', { token_use: 'id' }],
    ['a token whose use is no text', { token_use: ['access'] }],
    ['a token of which nothing shows that it gives access', { client_id: undefined }],
  ])('T22 %s is no access token', async (_, changes) => {
    expect(await ask(changes)).toBe('token_type_mismatch')
    expect(await ask(changes, 'at+jwt')).toBe('token_type_mismatch')
  })

  test.each<[string, Members]>([
    ['a client', {}],
    ['scopes', { client_id: undefined, scope: 'orders:read' }],
    ['scopes as Okta and Entra write them', { client_id: undefined, scp: ['orders:read'] }],
    ['its use', { token_use: 'access' }],
  ])('a token that names %s is one', async (_, changes) => {
    expect(await ask(changes)).toBe('allow')
  })

  test('a token carries scopes, for a workload or for a user', async () => {
    const said = { client_id: 'web', scope: 'orders:read' }
    const workload = await callerFor(guard, token({ ...said, sub: 'web' }, { typ: 'JWT' }))
    expect([...workload.scopes]).toEqual(['orders:read'])
    expect(workload.user).toBeUndefined()
    const user = await callerFor(guard, token({ ...said, sub: 'alice' }, { typ: 'JWT' }))
    expect([...user.scopes]).toEqual(['orders:read'])
    expect(user.user).toMatchObject({ id: expect.stringContaining('alice') })
  })
})

describe('an ID token that a platform gives a workload', () => {
  const { guard, token } = houseOf('id-token')
  const ask = (changes: Members) =>
    codeFor(guard, token({ client_id: undefined, ...changes }, { typ: 'JWT' }))

  test.each([{ events: {} }, { htm: 'GET' }, { htu: 'x' }, { ath: 'x' }, { token_introspection: {} }])(
    'has no %j',
    async (mark) => {
      expect(await ask(mark)).toBe('token_type_mismatch')
    },
  )

  test('may have what ID tokens have', async () => {
    expect(await ask({ nonce: 'n-0S6', at_hash: 'x', azp: 'orders' })).toBe('allow')
  })

  test('names a workload by its subject', async () => {
    const caller = await callerFor(guard, token({ sub: '1122' }, { typ: 'JWT' }))
    expect(caller).toMatchObject({
      id: `${issuer}#sub=1122`,
      user: undefined,
      service: { clientId: undefined },
    })
  })
})

describe('a service account token of Kubernetes', () => {
  const { guard, token } = houseOf('kubernetes')
  const ask = (changes: Members) => codeFor(guard, token({ ...kubernetes, ...changes }, { typ: undefined }))

  test.each<[string, Members]>([
    ['another service account', { sub: 'system:serviceaccount:shop:reports' }],
    ['another namespace', { sub: 'system:serviceaccount:back:checkout' }],
    ['a user of the cluster', { sub: 'system:admin' }],
    ['an account of another case', { sub: 'system:serviceaccount:shop:Checkout' }],
    ['more than the account', { sub: 'system:serviceaccount:shop:checkout:x' }],
  ])('is not about %s than the objects that it is bound to', async (_, changes) => {
    expect(await ask(changes)).toBe('token_type_mismatch')
  })

  test.each<[string, unknown]>([
    ['are missing', undefined],
    ['are null', null],
    ['are text', 'shop/checkout'],
    ['name no namespace', { serviceaccount: account.serviceaccount }],
    ['name no account', { namespace: 'shop' }],
    ['name an account by text', { namespace: 'shop', serviceaccount: 'checkout' }],
    ['have lists for names', { namespace: ['shop'], serviceaccount: { name: ['checkout'] } }],
  ])('is none where the objects %s', async (_, bound) => {
    expect(await ask({ 'kubernetes.io': bound })).toBe('token_type_mismatch')
  })

  test('is none of the old kind, which never ends', async () => {
    const old = {
      'kubernetes.io': undefined,
      'kubernetes.io/serviceaccount/namespace': 'shop',
      exp: undefined,
    }
    expect(await ask(old)).toBe('claim_missing')
  })

  test('names a workload, also where it says what it runs in', async () => {
    const bound = { ...account, pod: { name: 'checkout-7', uid: 'u-2' }, node: { name: 'n', uid: 'u-3' } }
    const changes = { ...kubernetes, 'kubernetes.io': bound }
    expect(await callerFor(guard, token(changes, { typ: undefined }))).toMatchObject({
      id: `${issuer}#sub=system:serviceaccount:shop:checkout`,
      user: undefined,
    })
  })
})

test.each(['ID', 'Refresh', 'Offline', 'Logout', 'Serialized-ID', 'UserInfo'])(
  'T22 what Keycloak marks as %s in a claim is no access token under the profile for unmarked ones',
  async (typ) => {
    const house = createHouse({ issuerOptions: { profile: 'oauth' } })
    const asked = (claims: object) => codeFor(house.guard, house.token({ ...claims }, { typ: 'JWT' }))
    expect(await asked({ typ })).toBe('token_type_mismatch')
    expect(await asked({ typ: 'Bearer' })).toBe('allow')
    expect(await asked({ typ: 7 })).toBe('allow')
  },
)

test.each(['JWT', 'jwt', 'application/jwt', 'Application/JWT'])(
  'a media type is one however it is written (RFC 7515 §4.1.9): %s',
  async (typ) => {
    const house = createHouse({ issuerOptions: { profile: 'oauth' } })
    expect(await codeFor(house.guard, house.token({}, { typ }))).toBe('allow')
  },
)
