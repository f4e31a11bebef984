import { Recurring } from '../../cache/recurring.ts'
import { Refusal } from '../../refusal.ts'
import { claimMalformed, claimMissing } from '../claim-refusals.ts'
import { deeplyFreeze, isNumericDate } from '../jws/json-object.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import { parseActors, type Actor } from './actor-chain.ts'
import type { TokenProfile } from './profile.ts'
import { parseConfirmation, type Confirmation } from './confirmation.ts'
import { readScopes, type ScopeList } from './scope-claims.ts'

/**
 * The claims of a token, typed and complete, whichever profile it follows. There is one for each token that is remembered, so what `all`
 * says is read there.
 */
export class TokenClaims {
  /** The client that the token was issued to; undefined where its profile knows none. */
  readonly clientId: string | undefined
  readonly represents: 'workload' | 'user'
  /** Undefined for a token that only says who its bearer is. */
  readonly scopes: ScopeList | undefined
  readonly actors: readonly Actor[]
  readonly confirmation: Confirmation | undefined
  /** Everything the token says, frozen, for the application. */
  readonly all: ProvenClaims

  constructor({ clientId, represents, scopes, actors, confirmation, all }: ClaimsParts) {
    this.clientId = clientId
    this.represents = represents
    this.scopes = scopes
    this.actors = actors
    this.confirmation = confirmation
    this.all = all
  }

  get sub(): string {
    return this.all.sub
  }

  get aud(): readonly string[] {
    const { aud } = this.all
    return aud === undefined ? [] : typeof aud === 'string' ? [aud] : aud
  }

  /** Seconds since the epoch, as `iat` and `nbf`. */
  get exp(): number {
    return this.all.exp
  }

  get iat(): number | undefined {
    return this.all.iat
  }

  get nbf(): number | undefined {
    return this.all.nbf
  }
}

type ClaimsParts = Pick<TokenClaims, 'clientId' | 'represents' | 'scopes' | 'actors' | 'confirmation' | 'all'>

/** What `parseClaims` has shown of each member; every profile requires `sub`. */
interface ProvenClaims extends Readonly<Record<string, unknown>> {
  readonly sub: string
  readonly aud?: string | readonly string[]
  readonly exp: number
  readonly iat?: number
  readonly nbf?: number
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
  const flaw = checkAudience(all['aud'], profile)
  if (flaw !== undefined) return flaw
  const unfit = profile.checkKind(all) ?? checkMark(all, profile, issuer)
  if (unfit !== undefined) return unfit
  const clientId = readClientId(all, profile.clientClaims)
  if (clientId instanceof Refusal) return clientId
  shareTexts(all, issuer)
  // Claims are kept and handed to every request that repeats the token: no handler may change them for the next.
  deeplyFreeze(all)
  const proven = all as ProvenClaims // as the checks above have shown
  const actors = parseActors(all['act'], issuer.issuer)
  if (actors instanceof Refusal) return actors
  const confirmation = parseConfirmation(all['cnf'])
  if (confirmation instanceof Refusal) return confirmation
  const represents = representedBy(all, proven.sub, clientId, issuer)
  const scopes = profile.carriesScopes ? readScopes(all, issuer.scopeClaims[represents]) : undefined
  if (scopes instanceof Refusal) return scopes
  return new TokenClaims({ clientId, represents, scopes, actors, confirmation, all: proven })
}

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

/** Whatever is remembered of one token beside another one's is kept once where it is the same text. */
function shareTexts(all: Record<string, unknown>, { issuer }: TrustedIssuer): void {
  if (all['iss'] === issuer) all['iss'] = issuer
  for (const name of ['aud', 'scope', 'client_id', 'azp']) {
    const text = all[name]
    if (typeof text === 'string') all[name] = texts.of(text, asItIs)
  }
}

const texts = new Recurring<string>()
const asItIs = (text: string): string => text

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

function checkAudience(aud: unknown, { needsAudience }: TokenProfile): Refusal | undefined {
  if (aud === undefined) return needsAudience ? claimMissing('aud') : undefined
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const isSized = list.length > 0 && list.length <= maxAudiences
  if (isSized && list.every((item) => typeof item === 'string' && item !== '')) return undefined
  return wrong('aud', 'a string or an array of strings', aud)
}

const maxAudiences = 1000
const wrong = (name: string, expected: string, value: unknown): Refusal =>
  claimMalformed(`\`${name}\`: ${expected}`, value)
