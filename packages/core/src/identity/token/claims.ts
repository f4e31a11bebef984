import { Refusal } from '../../refusal.ts'
import { claimMalformed, claimMissing } from '../claim-refusals.ts'
import { deeplyFreeze, isNumericDate } from '../jws/json-object.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import { parseActors, type Actor } from './actor-chain.ts'
import type { TokenProfile } from './profile.ts'
import { parseConfirmation, type Confirmation } from './confirmation.ts'
import { readScopes } from './scope-claims.ts'

/** The claims of a token, typed and complete, whichever profile it follows. */
export interface TokenClaims {
  readonly iss: string
  readonly sub: string
  /** The client that the token was issued to; undefined where its profile knows none. */
  readonly clientId: string | undefined
  readonly aud: readonly string[]
  /** Seconds since the epoch, as `iat` and `nbf`. */
  readonly exp: number
  readonly iat: number | undefined
  readonly nbf: number | undefined
  readonly represents: 'workload' | 'user'
  /** Undefined for a token that only says who its bearer is. */
  readonly scopes: readonly string[] | undefined
  readonly actors: readonly Actor[]
  readonly confirmation: Confirmation | undefined
  /** Everything the token says, frozen, for the application. */
  readonly all: Readonly<Record<string, unknown>>
}

/** Whatever was signed to claims: every member that decides anything is there, and of its type. */
export function parseClaims(
  all: Record<string, unknown>,
  issuer: TrustedIssuer,
  profile: TokenProfile = issuer.profile,
): TokenClaims | Refusal {
  for (const name of ['iss', 'sub', 'client_id', 'jti', 'acr'] as const) {
    const value = all[name]
    if (value === undefined && profile.required.includes(name)) return claimMissing(name)
    const isText = typeof value === 'string' && value !== ''
    if (value !== undefined && !isText) return wrong(name, 'a string', value)
  }
  for (const name of ['exp', 'iat', 'nbf', 'auth_time'] as const) {
    const value = all[name]
    const isRequired = name === 'exp' || profile.required.includes(name)
    if (value === undefined && isRequired) return claimMissing(name)
    if (value !== undefined && !isNumericDate(value)) {
      return wrong(name, 'a number of seconds', value)
    }
  }
  const aud = all['aud'] === undefined && !profile.needsAudience ? [] : parseAudience(all['aud'])
  if (aud instanceof Refusal) return aud
  const unfit = profile.checkKind(all) ?? checkMark(all, profile, issuer)
  if (unfit !== undefined) return unfit
  const clientId = readClientId(all, profile.clientClaims)
  if (clientId instanceof Refusal) return clientId
  // Claims are kept and handed to every request that repeats the token: no handler may change them for the next.
  deeplyFreeze(all)
  const { sub, exp, iat, nbf } = all as Proven
  const actors = parseActors(all['act'], issuer.issuer)
  if (actors instanceof Refusal) return actors
  const confirmation = parseConfirmation(all['cnf'])
  if (confirmation instanceof Refusal) return confirmation
  const represents = representedBy(all, sub, clientId, issuer)
  const scopes = profile.carriesScopes ? readScopes(all, issuer.scopeClaims[represents]) : undefined
  if (scopes instanceof Refusal) return scopes
  const iss = issuer.issuer
  return Object.freeze({
    iss,
    sub,
    clientId,
    aud,
    exp,
    iat,
    nbf,
    represents,
    scopes,
    actors,
    confirmation,
    all,
  })
}

// Exactly what the loops above have shown of each member; every profile requires `sub`.
type Proven = Pick<TokenClaims, 'sub' | 'exp' | 'iat' | 'nbf'>

function checkMark(
  all: Record<string, unknown>,
  profile: TokenProfile,
  { isAccessToken }: TrustedIssuer,
): Refusal | undefined {
  if (profile.name !== 'oauth' || isAccessToken(all)) return undefined
  return new Refusal('token_type_mismatch', {
    expected: 'an access token of this issuer',
    actual: 'a token without what marks one',
    advice:
      'have the caller send its access token, not its ID token; or say in `isAccessToken` what marks one',
  })
}

// A token that names two clients would let each party read the one it likes.
function readClientId(all: Record<string, unknown>, names: readonly string[]): string | undefined | Refusal {
  let clientId: string | undefined
  for (const name of names) {
    const value = all[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || value === '') return wrong(name, 'a string', value)
    if (clientId !== undefined && clientId !== value) {
      return wrong(name, 'the same client everywhere', value)
    }
    clientId = value
  }
  return clientId
}

function representedBy(
  all: Record<string, unknown>,
  sub: string,
  clientId: string | undefined,
  { represents }: TrustedIssuer,
): 'workload' | 'user' {
  if (represents === 'auto') return sub === clientId ? 'workload' : 'user'
  if (typeof represents === 'string') return represents
  // A function of the operator: whatever it answers, only one word makes a workload.
  return represents(all) === 'workload' ? 'workload' : 'user'
}

function parseAudience(aud: unknown): readonly string[] | Refusal {
  if (aud === undefined) return claimMissing('aud')
  const list: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (
    list.length > 0 &&
    list.length <= maxAudiences &&
    list.every((item): item is string => typeof item === 'string' && item !== '')
  ) {
    return list
  }
  return wrong('aud', 'a string or an array of strings', aud)
}

const maxAudiences = 1000
const wrong = (name: string, expected: string, value: unknown): Refusal =>
  claimMalformed(`\`${name}\`: ${expected}`, value)
