// The issuers whose tokens are fuzzed: every algorithm, every profile; the guard that trusts them all, and jose's rules.
import { createSecretKey, randomBytes } from 'node:crypto'
import { spiffe, type IssuerOptions } from '@countersign/core'
import type { JSONWebKeySet, JWK } from 'jose'
import { createRawSigner, type RawAlgorithm, type RawSigner } from '../core/support/raw-signer.ts'
import { createOriginal, type Members, type Original } from './original.ts'
import type { IssuerRules } from './token-oracle.ts'

export interface IssuerUnderTest {
  readonly options: IssuerOptions
  readonly rules: IssuerRules
  readonly originals: readonly Original[]
}

interface Key {
  readonly algorithm: string
  readonly kid: string
  readonly signer: RawSigner
}

type Algorithms = NonNullable<IssuerOptions['algorithms']>

/** `now` in seconds. ML-DSA is among them where the running Node has it. */
export function createIssuers(now: number, hasMlDsa: boolean): readonly IssuerUnderTest[] {
  // RSA keys take their time to be made: two are enough.
  const rsa = createRawSigner('RS256')
  const rsaOfOther = createRawSigner('RS256')
  const signerFor = (algorithm: string): RawSigner =>
    /^[RP]S/.test(algorithm) ? rsa : createRawSigner(algorithm.replace('EdDSA', 'Ed25519') as RawAlgorithm) // one that it knows
  // The same `kid` everywhere: which key it means depends on the issuer alone.
  const keyFor = (algorithm: string, signer = signerFor(algorithm)): Key => ({
    algorithm,
    kid: 'key-1',
    signer,
  })
  const publicKey = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']
  const edwards = ['Ed25519', 'EdDSA']
  const mlDsa = hasMlDsa ? ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] : []
  return [
    ...[...publicKey, ...edwards, ...mlDsa].map((algorithm) => accessTokens(now, [keyFor(algorithm)])),
    ...['HS256', 'HS384', 'HS512'].map((algorithm) => secretTokens(now, algorithm)),
    userTokens(now, keyFor('ES256')),
    mixedTokens(now, rsaOfOther),
    oauthTokens(now, keyFor('RS256')),
    idTokens(now, keyFor('ES256')),
    kubernetesTokens(now, keyFor('ES256')),
    svids(now, [keyFor('ES256'), { algorithm: 'PS256', kid: 'key-2', signer: rsaOfOther }]),
  ]
}

const urlOf = (name: string): string => `https://${name.toLowerCase()}.issuer.test`

const accessTokenClaims = (iss: string, now: number): Members => ({
  iss,
  sub: 'checkout',
  client_id: 'checkout',
  aud: 'orders',
  iat: now,
  exp: now + 300,
  jti: 'token-1',
  scope: 'orders:read orders:write',
})

function accessTokens(now: number, keys: readonly Key[], name = keys[0]?.algorithm ?? ''): IssuerUnderTest {
  const issuer = urlOf(name)
  const algorithms = keys.map(({ algorithm }) => algorithm)
  return underTest({ issuer, kind: 'at+jwt', algorithms, keys: publishedOf(keys) }, keys, {
    typ: 'at+jwt',
    claims: accessTokenClaims(issuer, now),
  })
}

/** Somebody's token in the hands of a service, with everything in it that means something. */
function userTokens(now: number, key: Key): IssuerUnderTest {
  const issuer = urlOf('users')
  const claims = {
    ...accessTokenClaims(issuer, now),
    sub: 'user-7',
    aud: ['orders', 'https://other.internal'],
    nbf: now - 5,
    acr: 'urn:mfa',
    auth_time: now - 60,
    act: { sub: 'checkout', client_id: 'checkout', act: { sub: 'web', iss: issuer } },
  }
  const rules = { issuer, kind: 'at+jwt', algorithms: ['ES256'], keys: publishedOf([key]) } as const
  return underTest(rules, [key], { typ: 'at+jwt', claims })
}

/** An issuer with keys of several kinds in one set, some of them for other things, and none that says its algorithm. */
function mixedTokens(now: number, rsa: RawSigner): IssuerUnderTest {
  const ed = createRawSigner('Ed25519')
  const ec = createRawSigner('ES256')
  const keys = [
    { algorithm: 'RS256', kid: 'rsa', signer: rsa },
    { algorithm: 'PS256', kid: 'rsa', signer: rsa },
    { algorithm: 'ES256', kid: 'ec', signer: ec },
    { algorithm: 'Ed25519', kid: 'ed', signer: ed },
    { algorithm: 'EdDSA', kid: 'ed', signer: ed },
  ]
  const jwks = {
    keys: [
      { ...(rsa.jwk as JWK), kid: 'rsa' },
      { ...(ec.jwk as JWK), kid: 'ec', use: 'sig' },
      { ...(ed.jwk as JWK), kid: 'ed', key_ops: ['verify'] },
      { ...(createRawSigner('ES256').jwk as JWK), kid: 'ec-2', use: 'enc' },
      { ...(createRawSigner('ES256').jwk as JWK), kid: 'ec-3', key_ops: ['deriveKey'] },
      { ...(createRawSigner('ES384').jwk as JWK), kid: 'ec-384' },
    ],
  }
  const issuer = urlOf('mixed')
  const algorithms = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']
  const claims = accessTokenClaims(issuer, now)
  return underTest({ issuer, kind: 'at+jwt', algorithms, keys: jwks }, keys, { typ: 'at+jwt', claims })
}

function secretTokens(now: number, algorithm: string): IssuerUnderTest {
  const secret = Uint8Array.from(randomBytes(64))
  const issuer = urlOf(algorithm)
  const algorithms = [algorithm] as unknown as Algorithms // one of HMAC's, which the guard checks
  return {
    options: { issuer, algorithms, secret },
    rules: { issuer, kind: 'at+jwt', algorithms: [algorithm], keys: secret },
    originals: [
      createOriginal({
        name: `at+jwt ${algorithm}`,
        kind: 'token',
        algorithm,
        header: { alg: algorithm, typ: 'at+jwt', kid: 'key-1' },
        claims: accessTokenClaims(issuer, now),
        signingKey: createSecretKey(secret).export(),
        publicKey: undefined,
      }),
    ],
  }
}

function oauthTokens(now: number, key: Key): IssuerUnderTest {
  const issuer = urlOf('oauth')
  const rules = { issuer, kind: 'oauth', algorithms: ['RS256'], keys: publishedOf([key]) } as const
  const claims = {
    iss: issuer,
    sub: 'checkout',
    azp: 'checkout',
    client_id: 'checkout',
    aud: ['account', 'orders'],
    iat: now,
    exp: now + 300,
    scope: 'orders:read',
  }
  return underTest(rules, [key], { typ: 'JWT', claims })
}

function idTokens(now: number, key: Key): IssuerUnderTest {
  const issuer = urlOf('id-token')
  const subjects = ['112233445566778899001', '112233445566778899002'] as const
  const requiredClaims = { email_verified: true }
  const rules = { issuer, kind: 'id-token', algorithms: ['ES256'], keys: publishedOf([key]) } as const
  const claims = { iss: issuer, sub: subjects[0], aud: 'orders', iat: now, exp: now + 300, ...requiredClaims }
  const { originals } = underTest(rules, [key], { typ: 'JWT', claims })
  return {
    options: {
      ...optionsOf(rules),
      subjects,
      requiredClaims: [{ claim: 'email_verified', value: true }],
    },
    rules: { ...rules, subjects, requiredClaims },
    originals,
  }
}

function kubernetesTokens(now: number, key: Key): IssuerUnderTest {
  const issuer = urlOf('kubernetes')
  const rules = { issuer, kind: 'kubernetes', algorithms: ['ES256'], keys: publishedOf([key]) } as const
  const claims = {
    iss: issuer,
    sub: 'system:serviceaccount:shop:checkout',
    aud: ['orders'],
    iat: now,
    nbf: now,
    exp: now + 3600,
    jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: '14ee3fa4' } },
  }
  return underTest(rules, [key], { typ: undefined, claims })
}

function svids(now: number, keys: readonly Key[]): IssuerUnderTest {
  const issuer = 'spiffe://prod.example'
  const published = publishedOf(keys)
  const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']
  const claims = { sub: `${issuer}/ns/shop/sa/checkout`, aud: ['orders'], iat: now, exp: now + 300 }
  const { rules, originals } = underTest({ issuer, kind: 'jwt-svid', algorithms, keys: published }, keys, {
    typ: 'JWT',
    claims,
  })
  const bundle = { keys: published.keys.map((jwk) => Object.assign({}, jwk, { use: 'jwt-svid' })) }
  return { options: spiffe('prod.example', bundle), rules, originals }
}

const publishedOf = (keys: readonly Key[]): JSONWebKeySet => ({
  keys: keys.map(({ algorithm, kid, signer }) => ({
    ...(signer.jwk as JWK),
    kid,
    alg: algorithm,
    use: 'sig',
  })),
})

const optionsOf = ({ issuer, kind, algorithms, keys }: IssuerRules): IssuerOptions => ({
  issuer,
  profile: kind,
  algorithms: [...algorithms] as unknown as Algorithms, // names that the guard checks
  jwks: keys as JSONWebKeySet, // no secret: those are written where they are used
})

const underTest = (
  rules: IssuerRules,
  keys: readonly Key[],
  { typ, claims }: { readonly typ: string | undefined; readonly claims: Members },
): IssuerUnderTest => ({
  options: optionsOf(rules),
  rules,
  originals: keys.map(({ algorithm, kid, signer }) =>
    createOriginal({
      name: `${rules.kind} ${algorithm}`,
      kind: 'token',
      algorithm,
      header: { alg: algorithm, ...(typ === undefined ? {} : { typ }), kid },
      claims,
      signingKey: signer.privateKey,
      publicKey: signer.publicKey,
    }),
  ),
})
