import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { stderrLogger, type Logger } from '../events/refusal-log.ts'
import type { CertificateTrust } from '../identity/certificate/certificate-trust.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import type { TrustedIssuer } from '../identity/trust/trusted-issuer.ts'
import type { GuardOptions } from './guard-options.ts'
import { requireEntries, requireKnownKeys, requireNumber, requireStrings } from './option-values.ts'
import { parseCertificates } from './parse-certificates.ts'
import { parseIssuer } from './parse-issuer.ts'
import { Grants } from '../policy/effective-scopes.ts'
import { requireRequirement, type Requirement } from '../policy/requirement.ts'

/** Options, checked, completed and frozen. */
export interface ParsedOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  readonly certificates: CertificateTrust | undefined
  readonly grants: Grants | undefined
  readonly undeclared: Requirement | undefined
  readonly logger: Logger | undefined
  readonly realm: string
  readonly maxCacheEntries: number
}

export interface Surroundings {
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/** Parses the options of a guard. Throws a ConfigurationError that says what to write instead. */
export function parseOptions(options: GuardOptions, surroundings: Surroundings): ParsedOptions {
  requireKnownKeys(options, '', [
    'issuers',
    'audience',
    'certificates',
    'grants',
    'undeclared',
    'log',
    'realm',
    'cache',
    'clockToleranceSeconds',
    'dangerouslyAllowHttp',
  ])
  const maxCacheEntries = parseCache(options.cache)
  const issuers = parseIssuers(options, surroundings)
  const certificates =
    options.certificates === undefined ? undefined : parseCertificates(options.certificates, maxCacheEntries)
  if (issuers.size === 0 && certificates === undefined) {
    throw new ConfigurationError(
      'issuers',
      "no credential is accepted: write `issuers: ['https://…']`, or `certificates: { trustDomains: … }`",
    )
  }
  if (certificates !== undefined) requireMapping(issuers)
  return Object.freeze({
    issuers,
    certificates,
    grants: options.grants === undefined ? undefined : new Grants(requireEntries(options.grants, 'grants')),
    undeclared: parseUndeclared(options.undeclared),
    logger: parseLogger(options.log),
    realm: requireRealm(options.realm ?? 'countersign'),
    maxCacheEntries,
  })
}

function parseIssuers(
  options: GuardOptions,
  { clock, fetch }: Surroundings,
): ReadonlyMap<string, TrustedIssuer> {
  const shared = {
    audience: options.audience,
    clockToleranceSeconds: requireNumber(
      options.clockToleranceSeconds ?? 30,
      'clockToleranceSeconds',
      0,
      300,
    ),
    dangerouslyAllowHttp: new Set(requireStrings(options.dangerouslyAllowHttp ?? [], 'dangerouslyAllowHttp')),
    clock,
    fetch,
  }
  const given: unknown = options.issuers
  if (given === undefined) {
    if (options.audience !== undefined) {
      throw new ConfigurationError(
        'audience',
        "it says whom tokens are meant for, so name who issues them: `issuers: ['https://…']`",
      )
    }
    return new Map()
  }
  if (!Array.isArray(given) || given.length === 0) {
    throw new ConfigurationError(
      'issuers',
      `expected a list such as ['https://idp.internal'], got ${describeValue(given)}`,
    )
  }
  const issuers = new Map<string, TrustedIssuer>()
  for (const [i, one] of given.entries()) {
    const issuer = parseIssuer(one, `issuers[${i}]`, shared)
    if (issuers.has(issuer.issuer)) {
      throw new ConfigurationError(
        `issuers[${i}]`,
        `\`${issuer.issuer}\` stands here twice: write each issuer once`,
      )
    }
    issuers.set(issuer.issuer, issuer)
  }
  return issuers
}

// A token and a certificate in one request must name one workload, so it must be possible to tell that they do.
function requireMapping(issuers: ReadonlyMap<string, TrustedIssuer>): void {
  for (const [i, { issuer, represents, workload }] of [...issuers.values()].entries()) {
    if (represents === 'user' || workload !== undefined) continue
    throw new ConfigurationError(
      `issuers[${i}].workloadClaim`,
      `beside \`certificates\`, \`${issuer}\` must say which claim holds a workload's SPIFFE ID: write ` +
        "`workloadClaim: 'spiffe_id', trustDomains: ['prod.example']`, or `represents: 'user'` if its tokens never name workloads",
    )
  }
}

function parseCache(cache: GuardOptions['cache']): number {
  if (cache === undefined) return defaultCacheEntries
  requireKnownKeys(cache, 'cache', ['maxEntries'])
  const entries = requireNumber(cache.maxEntries ?? defaultCacheEntries, 'cache.maxEntries', 1, 10_000_000)
  if (Number.isInteger(entries)) return entries
  throw new ConfigurationError('cache.maxEntries', `expected a whole number, got ${entries}`)
}

const defaultCacheEntries = 10_000

function parseUndeclared(undeclared: unknown): Requirement | undefined {
  return undeclared === undefined || undeclared === 'refuse'
    ? undefined
    : requireRequirement(undeclared, 'undeclared')
}

function parseLogger(log: GuardOptions['log']): Logger | undefined {
  if (log === false) return undefined
  if (log === undefined) return stderrLogger
  if (typeof log?.warn === 'function') return log
  throw new ConfigurationError(
    'log',
    `expected false or a logger with a method \`warn\`, got ${describeValue(log)}`,
  )
}

function requireRealm(realm: unknown): string {
  if (typeof realm === 'string' && /^[\x20\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(realm)) return realm
  throw new ConfigurationError(
    'realm',
    'expected at most 100 printable characters without quote or backslash',
  )
}
