import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { stderrLogger, type Logger } from '../events/refusal-log.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import { SignatureChecks } from '../identity/jws/signature-checks.ts'
import { TrustedIssuers } from '../identity/trust/trusted-issuers.ts'
import type { ProofVerifier } from '../identity/proof/proof-verifier.ts'
import type { ChallengeOptions } from '../enforcement/challenge.ts'
import { metadataUrl, type ResourceOptions } from '../enforcement/resource-metadata.ts'
import type { GuardOptions } from './guard-options.ts'
import { mayUse, type IssuerContext } from './issuer-url.ts'
import { requireKnownKeys, requireNumber, requireStrings, requireWhole } from './option-values.ts'
import { parseCertificates, type ParsedCertificates } from './parse-certificates.ts'
import { parseContext, parseDeciders } from './parse-context.ts'
import { parseDpop, type DpopContext } from './parse-dpop.ts'
import { parseIssuer } from './parse-issuer.ts'
import { parseMode } from './parse-mode.ts'
import { parsePolicy, type ParsedPolicy } from './parse-policy.ts'
import { parseResource } from './parse-resource.ts'
import type { ContextProviders } from '../policy/context-providers.ts'
import type { Decider } from '../policy/decider.ts'
import type { Mode } from '../policy/policy.ts'
import { requireRequirement, type Requirement } from '../policy/requirement.ts'

/** Options, checked, completed and frozen. */
export interface ParsedOptions extends ParsedCertificates {
  readonly issuers: TrustedIssuers
  readonly policy: ParsedPolicy
  readonly mode: Mode | undefined
  readonly contexts: ContextProviders | undefined
  readonly deciders: readonly Decider[]
  readonly undeclared: Requirement | undefined
  /** Undeclared routes stop the start. */
  readonly failsStart: boolean
  readonly passesPreflights: boolean
  readonly logger: Logger | undefined
  readonly proofs: ProofVerifier | undefined
  readonly resource: ResourceOptions | undefined
  readonly challenge: ChallengeOptions
  readonly maxCacheEntries: number
  readonly maxCacheBytes: number
  readonly checks: SignatureChecks
}

/** What a guard takes from outside itself. All of it has a default; tests replace it. */
export interface Environment {
  readonly clock: Clock
  readonly fetch: FetchDocument
  /** A fresh, unguessable id, for decisions and for what this service signs. */
  readonly newId: () => string
}

/** Parses the options of a guard. Throws a ConfigurationError that says what to write instead. */
export function parseOptions(options: GuardOptions, environment: Environment): ParsedOptions {
  requireKnownKeys(options, '', [
    'issuers',
    'audience',
    'certificates',
    'grants',
    'policy',
    'mode',
    'context',
    'contextTimeoutMs',
    'deciders',
    'undeclared',
    'preflight',
    'log',
    'realm',
    'cache',
    'clockToleranceSeconds',
    'dangerouslyAllowHttp',
    'dpop',
    'resource',
    'signatures',
  ])
  const { maxCacheEntries, maxCacheBytes } = parseCache(options.cache)
  const clockToleranceSeconds = requireNumber(
    options.clockToleranceSeconds ?? 30,
    'clockToleranceSeconds',
    0,
    300,
  )
  const dangerouslyAllowHttp = new Set(
    requireStrings(options.dangerouslyAllowHttp ?? [], 'dangerouslyAllowHttp'),
  )
  const issuers = parseIssuers(options, { clockToleranceSeconds, dangerouslyAllowHttp, ...environment })
  const following = {
    clock: environment.clock,
    fetch: environment.fetch,
    mayUse: (url: URL): boolean => mayUse(url, { dangerouslyAllowHttp }),
  }
  const { certificates, forwarded } =
    options.certificates === undefined
      ? none
      : parseCertificates(options.certificates, { ...following, maxCacheEntries })
  const acceptsCertificates = certificates !== undefined || forwarded !== undefined
  if (issuers.size === 0 && !acceptsCertificates) {
    throw new ConfigurationError(
      'issuers',
      "no credential is accepted: write `issuers: ['https://…']`, or `certificates: { trustDomains: … }`",
    )
  }
  if (acceptsCertificates && options.policy === undefined) requireMapping(issuers)
  const logger = parseLogger(options.log)
  const checks = new SignatureChecks(isNative(options.signatures))
  const proofs = parseProofs(options.dpop, issuers, {
    clock: environment.clock,
    checks,
    clockToleranceSeconds,
    logger,
  })
  const resource = options.resource === undefined ? undefined : parseResource(options.resource)
  return Object.freeze({
    issuers,
    certificates,
    forwarded,
    policy: parsePolicy(options, following),
    mode: parseMode(options.mode),
    contexts: parseContext(options, environment.clock),
    deciders: parseDeciders(options.deciders),
    undeclared: parseUndeclared(options.undeclared),
    failsStart: options.undeclared === 'fail-start',
    passesPreflights: parsePreflight(options.preflight),
    logger,
    proofs,
    resource,
    challenge: Object.freeze({
      realm: requireRealm(options.realm ?? 'countersign'),
      acceptsTokens: issuers.size > 0,
      proofAlgorithms: proofs?.algorithms,
      requiresProof: proofs?.isRequired === true,
      resourceMetadata: resource === undefined ? undefined : metadataUrl(resource.identifier),
    }),
    maxCacheEntries,
    maxCacheBytes,
    checks,
  })
}

const none: ParsedCertificates = { certificates: undefined, forwarded: undefined }

function parseProofs(
  dpop: GuardOptions['dpop'],
  issuers: TrustedIssuers,
  context: DpopContext,
): ProofVerifier | undefined {
  if (dpop === undefined) return undefined
  if (issuers.size === 0) {
    throw new ConfigurationError('dpop', "it binds tokens, so name who issues them: `issuers: ['https://…']`")
  }
  return parseDpop(dpop, context)
}

function parseIssuers(
  options: GuardOptions,
  common: Omit<IssuerContext, 'audience' | 'grantedIds'>,
): TrustedIssuers {
  const shared = { ...common, audience: options.audience, grantedIds: Object.keys(options.grants ?? {}) }
  const given: unknown = options.issuers
  if (given === undefined) {
    if (options.audience !== undefined) {
      throw new ConfigurationError(
        'audience',
        "it says whom tokens are meant for, so name who issues them: `issuers: ['https://…']`",
      )
    }
    return new TrustedIssuers([])
  }
  if (!Array.isArray(given) || given.length === 0) {
    throw new ConfigurationError(
      'issuers',
      `expected a list such as ['https://idp.internal'], got ${describeValue(given)}`,
    )
  }
  const issuers = [...given].map((one: unknown, i) => parseIssuer(one, `issuers[${i}]`, shared))
  for (const [i, issuer] of issuers.entries()) {
    if (issuers.findIndex((each) => each.issuer === issuer.issuer) < i) {
      throw new ConfigurationError(
        `issuers[${i}]`,
        `\`${issuer.issuer}\` stands here twice: write each issuer once`,
      )
    }
  }
  const [, second] = issuers.filter(({ introspector }) => introspector !== undefined)
  if (second !== undefined) {
    throw new ConfigurationError(
      `issuers[${issuers.indexOf(second)}].introspection`,
      'an opaque token does not say who issued it, and is shown to one issuer only: leave one of them out',
    )
  }
  return new TrustedIssuers(issuers)
}

// A token and a certificate in one request must name one workload, so it must be possible to tell that they do.
function requireMapping(issuers: TrustedIssuers): void {
  for (const [i, { issuer, profile, represents, workload }] of [...issuers].entries()) {
    if (represents === 'user' || workload !== undefined || profile.name === 'jwt-svid') continue
    throw new ConfigurationError(
      `issuers[${i}].workloadClaim`,
      `beside \`certificates\`, \`${issuer}\` must say which claim holds a workload's SPIFFE ID: write ` +
        "`workloadClaim: 'spiffe_id', trustDomains: ['prod.example']`, or `represents: 'user'` if its tokens never name workloads; or name both in an `is` list of a `policy`",
    )
  }
}

function parseCache(
  cache: GuardOptions['cache'] = {},
): Pick<ParsedOptions, 'maxCacheEntries' | 'maxCacheBytes'> {
  requireKnownKeys(cache, 'cache', ['maxEntries', 'maxBytes'])
  const { maxEntries = 10_000, maxBytes = 64 * mebibyte } = cache
  return {
    maxCacheEntries: requireWhole(maxEntries, 'cache.maxEntries', 1, 10_000_000),
    maxCacheBytes: requireWhole(maxBytes, 'cache.maxBytes', mebibyte, 64 * 1024 * mebibyte),
  }
}

const mebibyte = 2 ** 20

function isNative(signatures: unknown): boolean {
  if (signatures === undefined || signatures === 'native') return true
  if (signatures === 'webcrypto') return false
  throw new ConfigurationError(
    'signatures',
    `expected 'native' or 'webcrypto', got ${describeValue(signatures)}`,
  )
}

function parseUndeclared(undeclared: unknown): Requirement | undefined {
  return undeclared === undefined || undeclared === 'refuse' || undeclared === 'fail-start'
    ? undefined
    : requireRequirement(undeclared, 'undeclared')
}

function parsePreflight(preflight: unknown): boolean {
  if (preflight === 'pass') return true
  if (preflight === undefined || preflight === 'refuse') return false
  throw new ConfigurationError('preflight', `expected 'pass' or 'refuse', got ${describeValue(preflight)}`)
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
