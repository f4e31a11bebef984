import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import type { Clock } from './clock/clock.ts'
import { ConfigurationError, describeValue } from './configuration-error.ts'
import { stderrLogger, type Logger } from './events/refusal-log.ts'
import { CertificateTrust, type CertificatePem } from './identity/certificate/certificate-trust.ts'
import { isTrustDomain } from './identity/certificate/spiffe-id.ts'
import type { FetchDocument } from './identity/trust/fetch-document.ts'
import type { TrustedIssuer } from './identity/trust/trusted-issuer.ts'
import type { CertificateOptions, GuardOptions } from './options.ts'
import { requireKnownKeys, requireNumber, requireObject, requireStrings } from './option-values.ts'
import { parseIssuer } from './parse-issuer.ts'
import { Grants } from './policy/effective-scopes.ts'
import { requireRequirement, type Requirement } from './policy/requirement.ts'

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
  const maxCacheEntries = requireNumber(
    options.cache?.maxEntries ?? 10_000,
    'cache.maxEntries',
    1,
    10_000_000,
  )
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
    grants: options.grants === undefined ? undefined : new Grants(requireObject(options.grants, 'grants')),
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

function parseCertificates(options: CertificateOptions, maxCacheEntries: number): CertificateTrust {
  const bundles = parseBundles(options)
  const { intermediates } = options
  return new CertificateTrust({
    bundles,
    intermediates:
      intermediates === undefined ? [] : parseBundle(intermediates, 'certificates.intermediates'),
    maxCacheEntries,
  })
}

function parseBundles(options: CertificateOptions): Map<string, readonly CertificatePem[]> {
  requireKnownKeys(options, 'certificates', ['trustDomains', 'intermediates'])
  const domains = Object.entries(requireObject(options.trustDomains, 'certificates.trustDomains'))
  if (domains.length === 0) {
    throw new ConfigurationError(
      'certificates.trustDomains',
      "expected at least one, such as { 'prod.example': './bundle.pem' }",
    )
  }
  return new Map(
    domains.map(([domain, source]) => {
      const option = `certificates.trustDomains['${domain}']`
      if (!isTrustDomain(domain)) {
        throw new ConfigurationError(
          option,
          'expected a trust domain such as `prod.example`: lower case, no scheme, no path',
        )
      }
      return [domain, parseBundle(source, option)]
    }),
  )
}

function parseBundle(source: unknown, option: string): readonly CertificatePem[] {
  if (typeof source !== 'string' || source === '') {
    throw new ConfigurationError(
      option,
      `expected PEM text or the path of a PEM file, got ${describeValue(source)}`,
    )
  }
  const pem = source.includes('-----BEGIN') ? source : readBundle(source, option)
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) {
    throw new ConfigurationError(
      option,
      'expected at least one PEM block `-----BEGIN CERTIFICATE-----`, found none',
    )
  }
  return blocks.map((block, i) => {
    try {
      return { der: new X509Certificate(block).raw, pem: block }
    } catch {
      throw new ConfigurationError(
        option,
        `certificate ${i + 1} cannot be read: expected an X.509 certificate in PEM`,
      )
    }
  })
}

function readBundle(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigurationError(
      option,
      `the file \`${path}\` cannot be read: write PEM text or the path of a readable PEM file`,
    )
  }
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
