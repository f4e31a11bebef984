import { Refusal, quoted } from '../../refusal.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'

/** The claims of an RFC 9068 access token, typed and complete. */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly client_id: string
  readonly jti: string
  readonly aud: readonly string[]
  /** Seconds since the epoch, as `iat` and `nbf`. */
  readonly exp: number
  readonly iat: number
  readonly nbf: number | undefined
  readonly scopes: readonly string[]
  /** Everything the token says, frozen, for the application. */
  readonly all: Readonly<Record<string, unknown>>
}

/** Whatever was signed to claims: every member that decides anything is there, and of its type (RFC 9068 §2.2). */
export function parseClaims(all: Record<string, unknown>): AccessTokenClaims | Refusal {
  for (const name of ['iss', 'sub', 'client_id', 'jti'] as const) {
    const value = all[name]
    if (value === undefined) return missing(name)
    if (typeof value !== 'string' || value === '') return wrong(name, 'a string', value)
  }
  for (const name of ['exp', 'iat', 'nbf'] as const) {
    const value = all[name]
    if (value === undefined && name === 'nbf') continue
    if (value === undefined) return missing(name)
    if (typeof value !== 'number' || !(Math.abs(value) <= lastSecond)) {
      return wrong(name, 'a number of seconds', value)
    }
  }
  const aud = parseAudience(all['aud'])
  if (aud instanceof Refusal) return aud
  const scopes = parseScope(all['scope'])
  if (scopes instanceof Refusal) return scopes
  // Ignoring a confirmation that cannot be checked would turn a bound token into a bearer token (RFC 7800 §3.1).
  if (all['cnf'] !== undefined) return new Refusal('confirmation_unsupported', { expected: 'no `cnf`' })
  const { iss, sub, client_id, jti, exp, iat, nbf } = all as Proven
  return Object.freeze({ iss, sub, client_id, jti, exp, iat, nbf, aud, scopes, all: deeplyFrozen(all) })
}

// Exactly what the loops above have shown of each member.
type Proven = Omit<AccessTokenClaims, 'aud' | 'scopes' | 'all'>

// Claims are kept and handed to every request that repeats the token: no handler may change them for the next.
function deeplyFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deeplyFrozen(member)
    Object.freeze(value)
  }
  return value
}

/** In time, and for us. The issuer was matched before its key was touched. */
export function checkClaims(
  claims: AccessTokenClaims,
  issuer: TrustedIssuer,
  nowMs: number,
): Refusal | undefined {
  const now = nowMs / 1000
  const tolerance = issuer.clockToleranceSeconds
  if (now >= claims.exp + tolerance) {
    return new Refusal('token_expired', {
      expected: 'a token in time',
      actual: `expired ${seconds(now - claims.exp)} ago`,
    })
  }
  const start = Math.max(claims.nbf ?? claims.iat, claims.iat)
  if (now < start - tolerance) {
    return new Refusal('token_not_yet_valid', {
      expected: 'a token in time',
      actual: `valid in ${seconds(start - now)}`,
    })
  }
  if (claims.aud.some((audience) => issuer.audiences.has(audience))) return undefined
  return new Refusal('audience_mismatch', {
    expected: [...issuer.audiences].map(quoted).join(' or '),
    actual: claims.aud.map(quoted).slice(0, 4).join(', '),
    advice: 'ask the issuer for a token whose `aud` names this service, or add that audience to `audience`',
  })
}

function parseAudience(aud: unknown): readonly string[] | Refusal {
  if (aud === undefined) return missing('aud')
  const list: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (list.length > 0 && list.every((item): item is string => typeof item === 'string' && item !== '')) {
    return list
  }
  return wrong('aud', 'a string or an array of strings', aud)
}

// RFC 6749 §3.3: scope-token *( SP scope-token ), where a token is %x21 / %x23-5B / %x5D-7E.
function parseScope(scope: unknown): readonly string[] | Refusal {
  if (scope === undefined || scope === '') return []
  if (typeof scope === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/.test(scope)) {
    return scope.split(' ')
  }
  return wrong(
    'scope',
    'scope tokens separated by single spaces',
    typeof scope === 'string' ? 'other text' : scope,
  )
}

// The last second that JavaScript has a date for. NaN and infinity are beyond it.
const lastSecond = 8.64e12

const missing = (name: string): Refusal =>
  new Refusal('claim_missing', { expected: `\`${name}\``, actual: `no \`${name}\`` })

const wrong = (name: string, expected: string, value: unknown): Refusal =>
  new Refusal('claim_malformed', { expected: `\`${name}\`: ${expected}`, actual: quoted(value) })

const seconds = (value: number): string => `${Math.max(1, Math.round(value))} s`
