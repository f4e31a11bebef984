import { X509Certificate } from 'node:crypto'
import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import { algorithms, isAlgorithm, type Algorithm } from '../identity/trust/algorithms.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import type { KeyLocation } from '../identity/trust/key-location.ts'
import { KeySource } from '../identity/trust/key-source.ts'
import type { TrustedIssuer, WorkloadClaim } from '../identity/trust/trusted-issuer.ts'
import type { IssuerOptions } from './guard-options.ts'
import { requireKnownKeys, requireStrings } from './option-values.ts'

/** What every issuer of a guard shares. */
export interface IssuerContext {
  readonly audience: unknown
  readonly clockToleranceSeconds: number
  readonly dangerouslyAllowHttp: ReadonlySet<string>
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/** Parses one entry of `issuers`. Throws a ConfigurationError that says what to write instead. */
export function parseIssuer(given: unknown, option: string, context: IssuerContext): TrustedIssuer {
  const options = typeof given === 'string' ? { issuer: given } : requireIssuerOptions(given, option)
  const { issuer, represents = 'auto' } = options
  const mayUse = (url: URL): boolean => url.protocol === 'https:' || isAllowedHttp(url, context)
  requireIssuerUrl(issuer, `${option}.issuer`, mayUse)
  if (!['auto', 'workload', 'user'].includes(represents)) {
    throw new ConfigurationError(`${option}.represents`, "write 'auto', 'workload' or 'user'")
  }
  const location = parseLocation(options, option, mayUse)
  return Object.freeze({
    issuer,
    audiences: parseAudiences(
      options.audience ?? context.audience,
      options.audience === undefined ? 'audience' : `${option}.audience`,
    ),
    algorithms: parseAlgorithms(options.algorithms, `${option}.algorithms`),
    clockToleranceSeconds: context.clockToleranceSeconds,
    represents,
    workload: parseWorkloadClaim(options, option),
    keys: createKeySource(issuer, location, options.ca, option, context),
  })
}

function requireIssuerOptions(given: unknown, option: string): IssuerOptions {
  requireKnownKeys(given, option, [
    'issuer',
    'jwksUri',
    'jwks',
    'ca',
    'audience',
    'algorithms',
    'represents',
    'workloadClaim',
    'trustDomains',
  ])
  return given as IssuerOptions // each member is checked where it is parsed
}

// RFC 8414 §2: a URL without query or fragment. It is kept as written, since tokens repeat it character by character.
function requireIssuerUrl(issuer: unknown, option: string, mayUse: (url: URL) => boolean): void {
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) {
    throw new ConfigurationError(
      option,
      `expected a URL such as 'https://idp.internal', got ${describeValue(issuer)}`,
    )
  }
  const url = new URL(issuer)
  if (/[?#\s]/.test(issuer) || hasCredentials(url)) {
    throw new ConfigurationError(
      option,
      'an issuer has no query, fragment or user name: write the URL as it stands in `iss`',
    )
  }
  if (!mayUse(url)) {
    throw new ConfigurationError(
      option,
      `expected https, got \`${issuer}\`: write https://, or name it in \`dangerouslyAllowHttp\` on a development machine`,
    )
  }
}

function parseLocation(options: IssuerOptions, option: string, mayUse: (url: URL) => boolean): KeyLocation {
  const { issuer, jwks, jwksUri } = options
  if (jwks !== undefined && jwksUri !== undefined) {
    throw new ConfigurationError(`${option}.jwks`, 'write either `jwks` or `jwksUri`')
  }
  if (jwks !== undefined) return { kind: 'given', jwks }
  if (jwksUri === undefined) return { kind: 'discovery', issuer, mayUse }
  if (
    typeof jwksUri !== 'string' ||
    !URL.canParse(jwksUri) ||
    !mayUse(new URL(jwksUri)) ||
    hasCredentials(new URL(jwksUri))
  ) {
    throw new ConfigurationError(
      `${option}.jwksUri`,
      'expected an https URL, or one that `dangerouslyAllowHttp` names',
    )
  }
  return { kind: 'url', url: new URL(jwksUri) }
}

function createKeySource(
  issuer: string,
  location: KeyLocation,
  ca: unknown,
  option: string,
  { clock, fetch }: IssuerContext,
): KeySource {
  if (ca !== undefined && !isPem(ca)) {
    throw new ConfigurationError(
      `${option}.ca`,
      `expected PEM text of certificates, got ${describeValue(ca)}`,
    )
  }
  try {
    return new KeySource({ issuer, location, ca, clock, fetch })
  } catch (error) {
    throw new ConfigurationError(
      `${option}.jwks`,
      error instanceof Error ? error.message : 'expected a JWK Set',
    )
  }
}

function parseAudiences(audience: unknown, option: string): ReadonlySet<string> {
  const list = typeof audience === 'string' && audience !== '' ? [audience] : audience
  if (!Array.isArray(list) || list.length === 0) {
    throw new ConfigurationError(
      option,
      `a token must be meant for this service: write its own name, such as 'https://orders.internal', got ${describeValue(audience)}`,
    )
  }
  return new Set(requireStrings(list, option))
}

function parseAlgorithms(given: unknown, option: string): ReadonlySet<Algorithm> {
  if (given === undefined) return new Set<Algorithm>(['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'])
  const list = requireStrings(given, option)
  if (list.length > 0 && list.every(isAlgorithm)) return new Set(list)
  throw new ConfigurationError(
    option,
    `expected some of ${algorithms.join(', ')}; symmetric algorithms and \`none\` are not to be had`,
  )
}

function parseWorkloadClaim(
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

const isPem = (ca: unknown): ca is string | undefined => {
  try {
    return typeof ca === 'string' && new X509Certificate(ca).raw.length > 0
  } catch {
    return false
  }
}

const isAllowedHttp = (url: URL, { dangerouslyAllowHttp }: IssuerContext): boolean =>
  url.protocol === 'http:' &&
  [...dangerouslyAllowHttp].some((allowed) => URL.canParse(allowed) && new URL(allowed).href === url.href)

const hasCredentials = ({ username, password }: URL): boolean => username !== '' || password !== ''
