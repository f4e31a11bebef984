// The second opinion on DPoP proofs: RFC 9449 §4.3, written with jose and shared with nothing of the library.
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWK } from 'jose'
import type { Opinion } from './token-oracle.ts'

interface ProofRules {
  readonly algorithms: readonly string[]
  /** Of the request: the URL has neither query nor fragment. */
  readonly method: string
  readonly url: string
  readonly accessToken: string
  readonly jkt: string
  /** Undefined where none is asked for. */
  readonly nonce: string | undefined
  /** A whole second: jose rounds the time down to one. */
  readonly now: Date
  readonly windowSeconds: number
  readonly toleranceSeconds: number
}

export async function proofOpinion(proof: string, rules: ProofRules): Promise<Opinion> {
  const now = rules.now.getTime() / 1000
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...rules.algorithms],
      currentDate: rules.now,
      clockTolerance: rules.toleranceSeconds,
      requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath', ...(rules.nonce === undefined ? [] : ['nonce'])],
    })
    const { jti, htm, htu, iat = NaN, ath, nonce } = payload
    const jwk = protectedHeader.jwk ?? {}
    if ((await calculateJwkThumbprint(jwk)) !== rules.jkt) return { because: 'another key' }
    if (secretsOf(jwk).some((name) => Object.hasOwn(jwk, name))) return { because: 'a secret in the key' }
    if (typeof jti !== 'string' || jti === '') return { because: 'no `jti`' }
    if (htm !== rules.method || typeof htu !== 'string') return { because: 'another request' }
    const { origin, pathname } = new URL(htu)
    if (`${origin}${decoded(pathname)}` !== rules.url) return { because: 'another URL' }
    if (ath !== createHash('sha256').update(rules.accessToken).digest('base64url')) {
      return { because: 'another token' }
    }
    if (rules.nonce !== undefined && nonce !== rules.nonce) return { because: 'another nonce' }
    const isTimely = now - iat < rules.windowSeconds && iat - now <= rules.toleranceSeconds
    return isTimely ? { claims: payload } : { because: 'another time' }
  } catch (error) {
    return { because: error instanceof Error ? error.message : 'jose threw something else' }
  }
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 9964: `oth` of an elliptic curve's key is nobody's secret. */
const secretsOf = ({ kty }: JWK): readonly string[] =>
  kty === 'RSA' ? ['d', 'k', 'priv', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] : ['d', 'k', 'priv']

/** RFC 3986 §6.2.2.2, by which RFC 9449 §4.3 has URLs compared: letters and digits need no escape. */
const decoded = (path: string): string =>
  path.replaceAll(/%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/gi, (escaped) => decodeURIComponent(escaped))
