import { hkdfSync, randomBytes } from 'node:crypto'
import { types } from 'node:util'
import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { Logger } from '../events/refusal-log.ts'
import type { Algorithm } from '../identity/jws/algorithms.ts'
import type { SignatureChecker } from '../identity/jws/signature-checks.ts'
import { MemoryReplayStore } from '../identity/proof/memory-replay-store.ts'
import { NonceSource } from '../identity/proof/nonce-source.ts'
import { ProofVerifier } from '../identity/proof/proof-verifier.ts'
import type { ReplayStore } from '../identity/proof/replay-store.ts'
import { parseExternalUrl } from '../identity/proof/request-url.ts'
import { requireKnownKeys, requireNumber } from './option-values.ts'
import { proofAlgorithms, requireProofAlgorithms } from './proof-algorithms.ts'
import { currentSurroundings, warningOf, type ProcessSurroundings } from './several-processes.ts'

/** How proofs of possession by DPoP (RFC 9449) are accepted: tokens bound to a key that each request proves anew. */
export interface DpopOptions {
  /**
   * The URL at which callers reach this service: origin, and the path prefix that a proxy strips, such as
   * `https://api.example.com/orders-service`. The received path is put behind it and compared with the `htu` of a proof;
   * no header of the request has a part in that. Several where the service is reached under several names.
   */
  readonly externalUrl: string | readonly [string, ...string[]]
  /** Algorithms that callers may sign proofs with. Default: ES256, ES384, Ed25519 and its old name EdDSA, PS256, RS256. */
  readonly algorithms?: readonly [Algorithm, ...Algorithm[]]
  /** Seconds for which a proof is accepted after its `iat`, from 1 to 300. Default: 60. */
  readonly windowSeconds?: number
  /**
   * Whether every proof must repeat a nonce of this service (RFC 9449 §8), so that none can be made in advance. Default:
   * false. `true` makes up a key in this process; instances that share callers share a `secret` of at least 32 octets. A
   * nonce is accepted for one to two times `lifetimeSeconds` (10 to 3600, default: 300).
   */
  readonly nonces?: boolean | { readonly secret: string | Uint8Array; readonly lifetimeSeconds?: number }
  /** Where used proofs are remembered. Default: in this process, which is right only if there is one of it. */
  readonly replayStore?: ReplayStore
  /** Proofs remembered in this process at most. Beyond, requests are answered 503. Default: 1,000,000. */
  readonly maxReplayEntries?: number
  /** Whether tokens that are not bound by DPoP are refused. Default: false. Bound ones always need their proof. */
  readonly required?: boolean
}

/** What `parseDpop` takes from the guard. */
export interface DpopContext {
  readonly clock: Clock
  readonly checks: SignatureChecker
  readonly clockToleranceSeconds: number
  readonly logger: Logger | undefined
  /** What kind of process this is. Default: looked up. */
  readonly surroundings?: ProcessSurroundings
}

/** Parses `dpop`. Throws a ConfigurationError that says what to write instead. */
export function parseDpop(options: DpopOptions, context: DpopContext): ProofVerifier {
  requireKnownKeys(options, 'dpop', [
    'externalUrl',
    'algorithms',
    'windowSeconds',
    'nonces',
    'replayStore',
    'maxReplayEntries',
    'required',
  ])
  const windowSeconds = requireNumber(options.windowSeconds ?? 60, 'dpop.windowSeconds', 1, 300)
  const verifier = new ProofVerifier({
    clock: context.clock,
    checks: context.checks,
    externalUrls: parseExternalUrls(options.externalUrl),
    algorithms: requireProofAlgorithms(options.algorithms ?? proofAlgorithms, 'dpop.algorithms'),
    windowSeconds,
    // RFC 9449 §11.1: proofs from the future are for clocks that differ a little, not for stock.
    toleranceSeconds: Math.min(context.clockToleranceSeconds, maxToleranceSeconds),
    nonces: parseNonces(options.nonces),
    replayStore: parseReplayStore(options, windowSeconds, context.clock),
    isRequired: requireBoolean(options.required ?? false, 'dpop.required'),
  })
  const warning = warningOf(options, context.surroundings ?? currentSurroundings())
  if (warning !== undefined) context.logger?.warn(warning)
  return verifier
}

function parseExternalUrls(given: unknown): readonly string[] {
  const urls: unknown[] = Array.isArray(given) ? given : [given]
  if (urls.length === 0) {
    throw new ConfigurationError('dpop.externalUrl', `${expectedUrl}, got an empty array`)
  }
  return urls.map((url, i) => {
    const option = Array.isArray(given) ? `dpop.externalUrl[${i}]` : 'dpop.externalUrl'
    if (typeof url !== 'string') {
      throw new ConfigurationError(option, `${expectedUrl}, got ${describeValue(url)}`)
    }
    const parsed = /[?#@]/.test(url) ? undefined : parseExternalUrl(url)
    if (parsed === undefined) {
      throw new ConfigurationError(option, `${expectedUrl}, without query, fragment or user name`)
    }
    if (parsed.startsWith('https://') || loopback.test(parsed)) return parsed
    throw new ConfigurationError(
      option,
      `expected https, got \`${parsed}\`: write https://, or a loopback address`,
    )
  })
}

function parseNonces(given: DpopOptions['nonces']): NonceSource | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return new NonceSource(randomBytes(32), defaultLifetimeSeconds)
  requireKnownKeys(given, 'dpop.nonces', ['secret', 'lifetimeSeconds'])
  const { secret, lifetimeSeconds = defaultLifetimeSeconds } = given
  const isSecret = typeof secret === 'string' || types.isUint8Array(secret)
  if (!isSecret || Buffer.from(secret).length < 32) {
    throw new ConfigurationError(
      'dpop.nonces.secret',
      'expected at least 32 random octets that all instances share; write `nonces: true` where there is one instance',
    )
  }
  requireNumber(lifetimeSeconds, 'dpop.nonces.lifetimeSeconds', 10, 3600)
  // A key of its own, should the secret serve something else as well.
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'countersign DPoP nonce', 32))
  return new NonceSource(key, lifetimeSeconds)
}

function parseReplayStore(options: DpopOptions, windowSeconds: number, clock: Clock): ReplayStore {
  const { replayStore, maxReplayEntries } = options
  if (replayStore === undefined) {
    const maxEntries = requireNumber(maxReplayEntries ?? 1_000_000, 'dpop.maxReplayEntries', 1, 10_000_000)
    // Beyond the window, for proofs from ahead of time and for clocks that differ.
    return new MemoryReplayStore({
      clock,
      windowMs: (windowSeconds + 2 * maxToleranceSeconds) * 1000,
      maxEntries,
    })
  }
  if (typeof replayStore?.add !== 'function') {
    throw new ConfigurationError(
      'dpop.replayStore',
      `expected an object with a method \`add\`, got ${describeValue(replayStore)}`,
    )
  }
  if (maxReplayEntries === undefined) return replayStore
  throw new ConfigurationError(
    'dpop.maxReplayEntries',
    'it bounds the store in this process: write it, or `replayStore`',
  )
}

function requireBoolean(value: unknown, option: string): boolean {
  if (typeof value === 'boolean') return value
  throw new ConfigurationError(option, `expected true or false, got ${describeValue(value)}`)
}

const expectedUrl = "expected the URL that callers use, such as 'https://api.example.com/orders-service'"
const loopback = /^http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:|\/|$)/
const defaultLifetimeSeconds = 300
const maxToleranceSeconds = 30
