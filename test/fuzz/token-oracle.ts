// The second opinion on tokens: what a service would accept that was written with jose, by the same rules. It shares no
// code with the library, and reads the rules off the specifications named at each.
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import type { Members } from './original.ts'

/** What the service knows of an issuer. */
export interface IssuerRules {
  /** As in `iss`; for JWT-SVIDs the ID of the trust domain. */
  readonly issuer: string
  readonly kind: 'at+jwt' | 'oauth' | 'id-token' | 'kubernetes' | 'jwt-svid'
  readonly algorithms: readonly string[]
  /** Public keys, or the octets of a shared secret. */
  readonly keys: JSONWebKeySet | Uint8Array
  readonly subjects?: readonly string[]
  readonly requiredClaims?: Members
}

interface ServiceRules {
  readonly issuers: readonly IssuerRules[]
  readonly audience: string
  /** A whole second: jose rounds the time down to one. */
  readonly now: Date
  readonly toleranceSeconds: number
  readonly maxLifetimeSeconds: number
}

/** The claims that were accepted, or the first rule that was broken. */
export type Opinion = { readonly claims: Members } | { readonly because: string }

export type TokenOracle = (token: string) => Promise<Opinion>

export function createTokenOracle(service: ServiceRules): TokenOracle {
  const known = new Map(service.issuers.map((rules) => [rules.issuer, { rules, keys: keysOf(rules) }]))
  const { audience, now: currentDate, toleranceSeconds: clockTolerance } = service
  return async (token) => {
    try {
      const { iss, sub } = decodeJwt<{ iss: unknown; sub: unknown }>(token)
      const issuer = known.get(typeof iss === 'string' && known.has(iss) ? iss : trustDomainOf(sub))
      if (issuer === undefined) return { because: 'an issuer that is not known' }
      const { rules, keys } = issuer
      const options = {
        audience,
        currentDate,
        clockTolerance,
        algorithms: [...rules.algorithms],
        requiredClaims: [...required[rules.kind], 'exp', 'aud'],
        ...(rules.kind === 'jwt-svid' ? {} : { issuer: rules.issuer }),
        ...(rules.kind === 'at+jwt' ? { typ: 'at+jwt' } : {}),
      }
      const { payload, protectedHeader } =
        keys instanceof Uint8Array
          ? await jwtVerify(token, keys, options)
          : await jwtVerify(token, keys, options)
      const because =
        brokenType(payload) ??
        brokenTime(payload, service) ??
        brokenBinding(payload) ??
        brokenActor(payload['act']) ??
        kinds[rules.kind](payload, protectedHeader, rules) ??
        brokenDemand(payload, rules)
      return because === undefined ? { claims: payload } : { because }
    } catch (error) {
      return { because: error instanceof Error ? error.message : 'jose threw something else' }
    }
  }
}

const keysOf = ({ keys }: IssuerRules): Uint8Array | ReturnType<typeof createLocalJWKSet> =>
  keys instanceof Uint8Array ? keys : createLocalJWKSet(keys)

const trustDomainOf = (sub: unknown): string => /^spiffe:\/\/[^/]*/.exec(String(sub))?.[0] ?? ''

/** RFC 9068 §2.2; OpenID Connect Core §2; SPIFFE JWT-SVID §3. */
const required: Readonly<Record<IssuerRules['kind'], readonly string[]>> = {
  'at+jwt': ['iss', 'sub', 'client_id', 'jti', 'iat'],
  oauth: ['iss', 'sub'],
  'id-token': ['iss', 'sub', 'iat'],
  kubernetes: ['iss', 'sub', 'iat'],
  'jwt-svid': ['sub'],
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7519 §4.1, RFC 9068 §2.2: what a claim is, where it is there. */
function brokenType(claims: Members): string | undefined {
  const texts = ['iss', 'sub', 'client_id', 'jti', 'acr']
  const wrong =
    texts.find((name) => Object.hasOwn(claims, name) && !isText(claims[name])) ??
    ['exp', 'iat', 'nbf', 'auth_time'].find(
      (name) => Object.hasOwn(claims, name) && !Number.isFinite(claims[name]),
    )
  if (wrong !== undefined) return `\`${wrong}\` of another type`
  return [claims['aud']].flat().every(isText) ? undefined : '`aud` of another type'
}

/** Issued by now, and not for longer than the service wants. */
function brokenTime({ exp, iat }: Members, service: ServiceRules): string | undefined {
  const now = service.now.getTime() / 1000
  const issued = typeof iat === 'number' ? iat : now
  if (issued > now + service.toleranceSeconds) return 'issued in the future'
  return typeof exp === 'number' && exp - issued <= service.maxLifetimeSeconds ? undefined : 'lives too long'
}

// RFC 9449 §7.2, RFC 8705 §3, RFC 7800 §3.1: this service is shown bearer tokens only, on connections without certificate.
const brokenBinding = ({ cnf }: Members): string | undefined =>
  cnf === undefined ? undefined : 'bound to a key'

/** RFC 8693 §4.1. */
function brokenActor(act: unknown, depth = 1): string | undefined {
  if (act === undefined) return undefined
  if (depth > 5 || !isObject(act) || !isText(act['sub'])) return 'an actor that cannot be told'
  const { iss, client_id: client } = act
  if (
    (iss !== undefined && typeof iss !== 'string') ||
    (client !== undefined && typeof client !== 'string')
  ) {
    return 'an actor of another type'
  }
  return brokenActor(act['act'], depth + 1)
}

type Check = (claims: Members, header: Members, rules: IssuerRules) => string | undefined

/** What tells the kinds of token apart. */
const kinds: Readonly<Record<IssuerRules['kind'], Check>> = {
  'at+jwt': (claims) => brokenScope(claims),
  oauth(claims, { typ }) {
    if (![undefined, 'jwt', 'application/jwt', 'at+jwt', 'application/at+jwt'].includes(lowerCase(typ))) {
      return 'another type of token'
    }
    if (['client_id', 'scope', 'scp'].every((name) => claims[name] === undefined)) return 'no access token'
    if (foreign.some((name) => claims[name] !== undefined)) return 'marks of another kind'
    if (claims['token_use'] !== undefined && claims['token_use'] !== 'access') return 'for another use'
    const clients = ['client_id', 'azp', 'appid', 'cid'].map((name) => claims[name])
    const named = clients.filter((client) => client !== undefined)
    if (!named.every(isText) || new Set(named).size > 1) return 'more than one client'
    return brokenScope(claims)
  },
  'id-token': (claims, { typ }) =>
    ![undefined, 'jwt', 'application/jwt'].includes(lowerCase(typ)) ||
    proofs.some((name) => claims[name] !== undefined)
      ? 'another type of token'
      : undefined,
  kubernetes(claims, { typ }) {
    const bound = claims['kubernetes.io']
    const account = isObject(bound) ? bound['serviceaccount'] : undefined
    if (!isObject(bound) || !isObject(account) || !isText(bound['namespace']) || !isText(account['name'])) {
      return 'no service account'
    }
    const isNamed = claims['sub'] === `system:serviceaccount:${bound['namespace']}:${account['name']}`
    return isNamed && [undefined, 'jwt', 'application/jwt'].includes(lowerCase(typ))
      ? undefined
      : 'another service account'
  },
  'jwt-svid'({ sub }, header, { issuer }) {
    const { typ } = header
    if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') return 'another type of token'
    if (Object.keys(header).some((name) => !['alg', 'kid', 'typ'].includes(name))) return 'another header'
    const path = isText(sub) && sub.startsWith(`${issuer}/`) ? sub.slice(issuer.length + 1) : undefined
    const isPath = path?.split('/').every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.\.?$/.test(part))
    return isPath === true && (sub as string).length <= 2048 ? undefined : 'no SPIFFE ID' // its path is one of text
  },
}

const proofs = ['htm', 'htu', 'ath', 'events', 'token_introspection']
const foreign = [...proofs, 'nonce', 'at_hash', 'c_hash', 's_hash']

// A type that is no text is none that anybody knows.
const lowerCase = (typ: unknown): string | undefined =>
  typ === undefined ? undefined : typeof typ === 'string' ? typ.toLowerCase() : '?'

/** RFC 6749 §3.3. */
function brokenScope({ scope }: Members): string | undefined {
  if (scope === undefined || scope === '') return undefined
  const isList =
    typeof scope === 'string' && scope.split(' ').every((one) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(one))
  return isList ? undefined : '`scope` of another form'
}

/** What this service asks of an issuer's tokens in particular. */
function brokenDemand(claims: Members, { subjects, requiredClaims = {} }: IssuerRules): string | undefined {
  if (subjects?.some((subject) => subject === claims['sub']) === false) return 'a subject that may not call'
  const isMet = Object.entries(requiredClaims).every(([name, value]) => claims[name] === value)
  return isMet ? undefined : 'a required claim that differs'
}
