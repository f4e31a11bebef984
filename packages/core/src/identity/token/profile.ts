import { Refusal, quoted } from '../../refusal.ts'
import type { JwsHeader } from '../jws/compact-jws.ts'
import { isRecord } from '../jws/json-object.ts'

/** The kinds of token that an issuer can be configured to issue. Chosen per issuer, never guessed from a token. */
export type ProfileName = 'at+jwt' | 'oauth' | 'id-token' | 'kubernetes' | 'jwt-svid'

type Claims = Readonly<Record<string, unknown>>

/** Claims that are text or a time wherever they stand. */
type TypedClaim = 'iss' | 'sub' | 'client_id' | 'jti' | 'acr' | 'exp' | 'iat' | 'nbf' | 'auth_time'

/** What makes a token one of a kind: what its header says, what must be in it and what must not. */
export interface TokenProfile {
  readonly name: ProfileName
  /** Claims without which a token is none of this kind. `exp` and `aud` belong to every kind. */
  readonly required: readonly TypedClaim[]
  /** Where the client that a token was issued to is named; the first that is there counts, and all must agree. */
  readonly clientClaims: readonly string[]
  /** Whether `aud` says that a token is meant for this service. False where that is known already. */
  readonly needsAudience: boolean
  /** False for a kind that only says who its bearer is. What that may do is for policy alone to say, as with certificates. */
  readonly carriesScopes: boolean
  /** True for a kind that is only ever issued to workloads. */
  readonly isWorkloadOnly: boolean
  /** Undefined if the header is one of this kind. */
  checkHeader(header: JwsHeader): Refusal | undefined
  /** Undefined if the claims are ones of this kind. They are signed, and not otherwise checked. */
  checkKind(claims: Claims): Refusal | undefined
}

/** RFC 9068: marked by `typ`, so that an ID token or a proof cannot pass for it. */
const accessToken: TokenProfile = {
  name: 'at+jwt',
  required: ['iss', 'sub', 'client_id', 'jti', 'iat'],
  clientClaims: ['client_id'],
  needsAudience: true,
  carriesScopes: true,
  isWorkloadOnly: false,
  checkHeader: (header) =>
    isTyped(header, 'at+jwt')
      ? undefined
      : otherType(
          header,
          '`typ` "at+jwt"',
          'have the issuer mark access tokens as RFC 9068 says, and make sure that the caller sends no ID token',
        ),
  checkKind: () => undefined,
}

/** For issuers that leave access tokens unmarked: what else they sign is told apart by what only that has. */
const oauth: TokenProfile = {
  name: 'oauth',
  required: ['iss', 'sub'],
  clientClaims: ['client_id', 'azp', 'appid', 'cid'],
  needsAudience: true,
  carriesScopes: true,
  isWorkloadOnly: false,
  checkHeader: (header) =>
    isUntyped(header) || isTyped(header, 'at+jwt')
      ? undefined
      : otherType(header, '`typ` "JWT", "at+jwt" or none'),
  checkKind(claims) {
    const mark = marksOfOthers.find((name) => claims[name] !== undefined)
    if (mark !== undefined) return otherKind(`no \`${mark}\``, `\`${mark}\`, which access tokens do not have`)
    // AWS Cognito and Keycloak write what a token is for.
    const use = claims['token_use']
    if (use !== undefined && use !== 'access') return otherKind('`token_use` "access"', quoted(use))
    const { typ } = claims
    return keycloakOthers.has(typ) ? otherKind('a claim `typ` of an access token', quoted(typ)) : undefined
  },
}

/** An OpenID Connect ID token that a platform gives its workloads to show who they are. */
const idToken: TokenProfile = {
  name: 'id-token',
  required: ['iss', 'sub', 'iat'],
  clientClaims: [],
  needsAudience: true,
  carriesScopes: false,
  isWorkloadOnly: true,
  checkHeader: (header) => (isUntyped(header) ? undefined : otherType(header, '`typ` "JWT" or none')),
  checkKind: (claims) => {
    const mark = marksOfProofs.find((name) => claims[name] !== undefined)
    return mark === undefined ? undefined : otherKind(`no \`${mark}\``, `\`${mark}\``)
  },
}

/** A projected service account token: bound to objects of the cluster, which must agree with its subject. */
const kubernetes: TokenProfile = {
  ...idToken,
  name: 'kubernetes',
  checkKind(claims) {
    const bound = claims['kubernetes.io']
    const { namespace, serviceaccount } = membersOf(bound)
    const { name } = membersOf(serviceaccount)
    const subject = `system:serviceaccount:${String(namespace)}:${String(name)}`
    return typeof namespace === 'string' && typeof name === 'string' && claims['sub'] === subject
      ? undefined
      : otherKind('a service account in `kubernetes.io` that `sub` names', quoted(claims['sub']))
  },
}

/** SPIFFE JWT-SVID §2-3: a header of three members at most, and a SPIFFE ID for a subject. */
const jwtSvid: TokenProfile = {
  ...idToken,
  name: 'jwt-svid',
  required: ['sub'],
  checkHeader(header) {
    const extra = Object.keys(header.all).find((name) => !['alg', 'kid', 'typ'].includes(name))
    if (extra !== undefined) return otherKind('no header but `alg`, `kid` and `typ`', quoted(extra))
    // The text lets a token leave it out. Bundles always have it, and without it keys would have to be tried in turn.
    if (header.kid === undefined) return new Refusal('key_unknown', { expected: '`kid`', actual: 'no `kid`' })
    return header.typ === undefined || header.typ === 'JWT' || header.typ === 'JOSE'
      ? undefined
      : otherType(header, '`typ` "JWT", "JOSE" or none')
  },
  checkKind: () => undefined,
}

export const profiles: Readonly<Record<ProfileName, TokenProfile>> = Object.freeze({
  'at+jwt': accessToken,
  oauth,
  'id-token': idToken,
  kubernetes,
  'jwt-svid': jwtSvid,
})

/** What an issuer says of an opaque token (RFC 7662 §2.2): the claims of an access token, as far as it tells them. */
export const introspected: TokenProfile = {
  ...accessToken,
  required: ['iss', 'sub'],
  checkHeader: () => undefined,
}

/** The same of a token that names no audience, of a client whose tokens are meant for this service. */
export const introspectedOfClient: TokenProfile = { ...introspected, needsAudience: false }

/** DPoP proofs (RFC 9449), security event and logout tokens (RFC 8417), signed introspection answers (RFC 9701). */
const marksOfProofs = ['htm', 'htu', 'ath', 'events', 'token_introspection']
/** The same, and what OpenID Connect Core §2 and §3.3.2.11 put into ID tokens only. */
const marksOfOthers = [...marksOfProofs, 'nonce', 'at_hash', 'c_hash', 's_hash']

/** What Keycloak writes into a claim `typ` of what is no access token. */
const keycloakOthers: ReadonlySet<unknown> = new Set([
  'ID',
  'Refresh',
  'Offline',
  'Logout',
  'Serialized-ID',
  'UserInfo',
])

// Media types compare without case, and may leave `application/` out (RFC 7515 §4.1.9).
const isTyped = ({ typ }: JwsHeader, type: string): boolean =>
  typ?.toLowerCase() === type || typ?.toLowerCase() === `application/${type}`

const isUntyped = (header: JwsHeader): boolean => header.typ === undefined || isTyped(header, 'jwt')

const otherType = ({ typ }: JwsHeader, expected: string, advice?: string): Refusal =>
  new Refusal('token_type_mismatch', {
    expected,
    actual: typ === undefined ? 'no `typ`' : quoted(typ),
    ...(advice === undefined ? {} : { advice }),
  })

const otherKind = (expected: string, actual: string): Refusal =>
  new Refusal('token_type_mismatch', { expected, actual })

const membersOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? { ...value } : {})
