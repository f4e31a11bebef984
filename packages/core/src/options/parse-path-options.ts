import { types } from 'node:util'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import { purposeOids, type CertificatePurpose } from '../identity/certificate/path-flaws.ts'
import type { ExpectedName } from '../identity/certificate/peer-name.ts'
import { defaultLimits, type PathLimits, type PathQuestion } from '../identity/certificate/validate-path.ts'
import type { ParsedCrl } from '../identity/revocation/crl.ts'
import { CrlSet } from '../identity/revocation/crl-set.ts'
import { revocationFlaw } from '../identity/revocation/revocation-flaw.ts'
import { Refusal } from '../refusal.ts'
import { parseCrlSources, type CrlSource } from './crl-sources.ts'
import { parseSource, parseSources, type CertificateSource } from './certificate-sources.ts'
import { requireKnownKeys, requireSetLimits, requireWhole } from './option-values.ts'

/** What a peer presents, and when. */
export interface PresentedCertificates {
  /** The certificate that the path is about. PEM text must hold this one alone. */
  readonly leaf: CertificateSource
  /** What may stand between the leaf and an anchor, in any order. Trusted for nothing. Default: none. */
  readonly intermediates?: readonly CertificateSource[]
  /** The time of the check: a `Date`, or milliseconds since the epoch. Certificates know whole seconds; a fraction does not count. */
  readonly at: Date | number
  /** How far the search may go. Each bound holds by itself. */
  readonly limits?: Partial<PathLimits>
}

/** What a path is validated against. */
export interface PathOptions extends PresentedCertificates {
  /** Whom a path may end at. Their own validity, constraints and usages are respected; what cannot be read is passed over. */
  readonly trustAnchors: readonly CertificateSource[]
  /** What the leaf must be good for, and every authority that restricts usages. */
  readonly purpose: CertificatePurpose
  /** A name that the leaf must have among its alternative names. Left out, names are held against constraints only. */
  readonly expectedName?: ExpectedName
  /**
   * Revocation lists (RFC 5280 §5). Where they are given, be it none, every certificate below the anchor must be covered by one
   * that counts, and be on none. What cannot be read is passed over. Left out, nobody asks for revocation.
   */
  readonly crls?: readonly CrlSource[]
}

/** The question that options ask, or why what a peer presents is not worth asking about. */
export type ParsedPresentation = Omit<PathQuestion, 'anchors' | 'purpose'>

/** Parses options. Throws a ConfigurationError for a programmer's mistake; answers a Refusal to what a peer sent. */
export function parsePathOptions(
  options: PathOptions,
): { readonly question: PathQuestion; readonly expectedName: ExpectedName | undefined } | Refusal {
  requireKnownKeys(options, '', [...presentedKeys, 'trustAnchors', 'purpose', 'expectedName', 'crls'])
  const purpose = requirePurpose(options.purpose)
  const expectedName = Object.hasOwn(options, 'expectedName') ? requireName(options.expectedName) : undefined
  const anchors = onlyReadable(parseSources(options.trustAnchors, 'trustAnchors'))
  const presented = parsePresented(options)
  if (presented instanceof Refusal) return presented
  const crls = Object.hasOwn(options, 'crls') ? parseCrlSources(options.crls, 'crls') : undefined
  const question = { ...presented, anchors, purpose }
  if (crls === undefined) return { question, expectedName }
  return { question: { ...question, ...revocationIn(crls, presented) }, expectedName }
}

function revocationIn(
  crls: readonly ParsedCrl[],
  { intermediates, nowMs }: ParsedPresentation,
): Pick<PathQuestion, 'revocationFlaw'> {
  // A peer that sends so many that the right one is not found has no status, and in the hard mode that is a refusal.
  const set = new CrlSet(crls, intermediates)
  return {
    revocationFlaw: (path) =>
      revocationFlaw(path, (whole, depth) => set.statusOf(whole, depth, nowMs), 'hard'),
  }
}

export const presentedKeys = ['leaf', 'intermediates', 'at', 'limits'] as const

/** Parses what a peer presents. */
export function parsePresented(options: PresentedCertificates): ParsedPresentation | Refusal {
  const nowMs = requireMoment(options.at)
  const limits = parseLimits(options.limits)
  const leaves = parseSource(options.leaf, 'leaf')
  const others = parseSources(options.intermediates ?? [], 'intermediates')
  const [leaf] = leaves
  if (leaf === undefined || leaves.length !== 1) return tooMany('one leaf')
  if (others.length > maxIntermediates) return tooMany(`at most ${maxIntermediates} intermediates`)
  const unreadable = [leaf, ...others].find((parsed) => parsed instanceof Refusal)
  if (leaf instanceof Refusal || unreadable !== undefined) return unreadable ?? tooMany('one leaf')
  return { leaf, intermediates: onlyReadable(others), nowMs, limits }
}

export const onlyReadable = (
  parsed: readonly (ParsedCertificate | Refusal)[],
): readonly ParsedCertificate[] => parsed.flatMap((one) => (one instanceof Refusal ? [] : [one]))

function parseLimits(limits: Partial<PathLimits> = {}): PathLimits {
  requireKnownKeys(limits, 'limits', Object.keys(defaultLimits))
  requireSetLimits(limits, 'limits', Object.keys(defaultLimits))
  const whole = (name: keyof PathLimits, min: number, max: number): number =>
    requireWhole(limits[name] ?? defaultLimits[name], `limits.${name}`, min, max)
  return {
    maxIntermediates: whole('maxIntermediates', 0, 255),
    maxSignatureChecks: whole('maxSignatureChecks', 1, 10_000),
    maxCandidates: whole('maxCandidates', 1, 100_000),
  }
}

export function requirePurpose(purpose: unknown): CertificatePurpose {
  if (purpose === 'clientAuth' || purpose === 'serverAuth') return purpose
  throw new ConfigurationError(
    'purpose',
    `expected one of ${Object.keys(purposeOids).join(', ')}, got ${describeValue(purpose)}`,
  )
}

function requireName(name: ExpectedName | undefined): ExpectedName {
  requireKnownKeys(name, 'expectedName', ['dns', 'ip', 'email'])
  const [value, ...others]: readonly unknown[] = Object.values(name ?? {})
  if (name !== undefined && others.length === 0 && typeof value === 'string' && value !== '') return name
  throw new ConfigurationError('expectedName', "expected one name, such as { dns: 'orders.internal' }")
}

// A date that is small is meant; a number that is small is one of seconds.
function requireMoment(at: unknown): number {
  const milliseconds = types.isDate(at) ? at.getTime() : at
  const isPlausible = typeof milliseconds === 'number' && (types.isDate(at) || milliseconds > 1e11)
  if (isPlausible && Number.isFinite(milliseconds)) return Math.floor(milliseconds / 1000) * 1000
  throw new ConfigurationError('at', 'expected a Date, or milliseconds since 1970 such as Date.now() gives')
}

const tooMany = (expected: string): Refusal =>
  new Refusal('certificate_malformed', { expected, actual: 'another number of certificates' })

const maxIntermediates = 256
