import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import type { TokenProfile } from '../identity/token/profile.ts'
import type {
  ClaimPath,
  RequiredClaim,
  Represents,
  TrustedIssuer,
  WorkloadClaim,
} from '../identity/trust/trusted-issuer.ts'
import { requireGrantedScope } from '../policy/scope.ts'
import type { IssuerOptions } from './issuer-options.ts'
import type { IssuerContext } from './issuer-url.ts'
import { requireKnownKeys, requireStrings } from './option-values.ts'

/** Parses `audience`: an issuer's own, or else the one that is for all. */
export function parseAudiences(own: unknown, shared: unknown, option: string): ReadonlySet<string> {
  const audience = own ?? shared
  const at = own === undefined ? 'audience' : option
  const list = typeof audience === 'string' && audience !== '' ? [audience] : audience
  if (!Array.isArray(list) || list.length === 0) {
    throw new ConfigurationError(
      at,
      `a token must be meant for this service: write its own name, such as 'https://orders.internal', got ${describeValue(audience)}`,
    )
  }
  return new Set(requireStrings(list, at))
}

export function parseRepresents(
  { represents }: IssuerOptions,
  { isWorkloadOnly }: TokenProfile,
  option: string,
): Represents {
  const word: unknown = represents === undefined ? (isWorkloadOnly ? 'workload' : 'auto') : represents
  if (isRepresents(word)) return word
  throw new ConfigurationError(
    `${option}.represents`,
    "write 'auto', 'workload' or 'user', or a function of the claims",
  )
}

const isRepresents = (word: unknown): word is Represents =>
  typeof word === 'function' || word === 'auto' || word === 'workload' || word === 'user'

export function parseScopeClaims(
  { scopeClaims }: IssuerOptions,
  { carriesScopes, name }: TokenProfile,
  option: string,
): TrustedIssuer['scopeClaims'] {
  const at = `${option}.scopeClaims`
  if (scopeClaims !== undefined && !carriesScopes) {
    throw new ConfigurationError(at, `tokens of profile '${name}' carry no scopes: write \`grants\``)
  }
  const given: unknown = scopeClaims === undefined ? ['scope'] : scopeClaims
  if (Array.isArray(given)) {
    const paths = [...given].map((claim, i) => parsePath(claim, `${at}[${i}]`))
    return { user: paths, workload: paths }
  }
  requireKnownKeys(given, at, ['user', 'workload'])
  const of = (party: 'user' | 'workload'): readonly ClaimPath[] => {
    const list: unknown = (given as Record<string, unknown>)[party] // an object: its keys have just been looked at
    if (!Array.isArray(list)) {
      throw new ConfigurationError(
        `${at}.${party}`,
        `expected an array of claims, got ${describeValue(list)}`,
      )
    }
    return [...list].map((claim, i) => parsePath(claim, `${at}.${party}[${i}]`))
  }
  return { user: of('user'), workload: of('workload') }
}

function parsePath(claim: unknown, option: string): ClaimPath {
  const path: readonly unknown[] = Array.isArray(claim) ? [...claim] : [claim]
  if (isPath(path)) return Object.freeze([...path] as [string, ...string[]])
  throw new ConfigurationError(
    option,
    "expected the name of a claim, or a path such as ['realm_access', 'roles']",
  )
}

const isPath = (path: readonly unknown[]): path is [string, ...string[]] =>
  path.length > 0 && path.every((name) => typeof name === 'string' && name !== '')

export function parseRequiredClaims(
  { requiredClaims = [] }: IssuerOptions,
  option: string,
): readonly RequiredClaim[] {
  if (!Array.isArray(requiredClaims)) {
    throw new ConfigurationError(
      `${option}.requiredClaims`,
      `expected an array such as [{ claim: 'tid', value: '…' }], got ${describeValue(requiredClaims)}`,
    )
  }
  return [...requiredClaims].map((required: unknown, i) => {
    const at = `${option}.requiredClaims[${i}]`
    requireKnownKeys(required, at, ['claim', 'value'])
    const { claim, value } = required as Record<string, unknown> // an object: its keys have just been looked at
    const values: readonly unknown[] = Array.isArray(value) ? [...value] : [value]
    // An absent claim must never equal an absent value.
    if (
      values.length === 0 ||
      !values.every((each) => ['string', 'number', 'boolean'].includes(typeof each))
    ) {
      throw new ConfigurationError(`${at}.value`, 'expected text, a number or a boolean, or an array of them')
    }
    return { path: parsePath(claim, `${at}.claim`), values: new Set(values) }
  })
}

export function parseSubjects(
  { issuer, profile, subjects }: IssuerOptions,
  option: string,
  { grantedIds }: IssuerContext,
): ReadonlySet<string> | undefined {
  const at = `${option}.subjects`
  if (subjects === undefined) return undefined
  if (subjects !== 'granted') {
    const list = requireStrings(subjects, at)
    if (list.length > 0) return new Set(list)
    throw new ConfigurationError(at, 'name at least one subject, or leave it out for all')
  }
  // The subject of a JWT-SVID is the caller's id itself; others stand behind their issuer. A pattern names nobody.
  const isSvid = profile === 'jwt-svid'
  const prefix = isSvid ? `${issuer}/` : `${issuer}#sub=`
  const granted = grantedIds
    .filter((id) => id.startsWith(prefix) && !id.slice(prefix.length).includes('*'))
    .map((id) => (isSvid ? id : id.slice(prefix.length)))
  if (granted.length > 0) return new Set(granted)
  throw new ConfigurationError(
    at,
    `anybody can have a token of \`${issuer}\`: name who may call, in \`subjects\` or in \`grants: { '${prefix}…': [] }\``,
  )
}

export function parseMayGrant({ mayGrant }: IssuerOptions, option: string): readonly string[] | undefined {
  if (mayGrant === undefined) return undefined
  const at = `${option}.mayGrant`
  return requireStrings(mayGrant, at).map((scope, i) => requireGrantedScope(scope, `${at}[${i}]`))
}

export function parseWorkloadClaim(
  { workloadClaim: claim, trustDomains }: IssuerOptions,
  option: string,
): WorkloadClaim | undefined {
  if (claim === undefined && trustDomains === undefined) return undefined
  if (typeof claim !== 'string' || claim === '') {
    throw new ConfigurationError(
      `${option}.workloadClaim`,
      "`trustDomains` needs the claim that names a workload: write `workloadClaim: 'spiffe_id'`",
    )
  }
  const domains = requireStrings(trustDomains ?? [], `${option}.trustDomains`)
  if (domains.length > 0 && domains.every(isTrustDomain)) return { claim, trustDomains: new Set(domains) }
  throw new ConfigurationError(
    `${option}.trustDomains`,
    "say whose workloads this issuer may name: write `trustDomains: ['prod.example']`",
  )
}
