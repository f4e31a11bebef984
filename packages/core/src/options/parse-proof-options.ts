import { types } from 'node:util'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { checkedAtOnce } from '../identity/jws/signature-checks.ts'
import type { Algorithm } from '../identity/jws/algorithms.ts'
import type { ProofExpectation } from '../identity/proof/dpop-proof.ts'
import { equalInConstantTime } from '../identity/proof/equal-text.ts'
import { normalizeUrl } from '../identity/proof/request-url.ts'
import { requireKnownKeys, requireNumber } from './option-values.ts'
import { proofAlgorithms, requireProofAlgorithms } from './proof-algorithms.ts'

/** What a DPoP proof has to be a proof of. */
export interface DpopProofOptions {
  /** The method of the request, as received. */
  readonly method: string
  /** The URL of the request as its caller wrote it. Never made of `Host` or `X-Forwarded-*`: a caller chooses those. */
  readonly url: string
  /** The time of the check: a `Date`, or milliseconds since the epoch, as `Date.now()` gives them. */
  readonly now: Date | number
  /** The access token beside the proof, as it was sent: the proof must be for it, by `ath`. Left out, `ath` is not looked at. */
  readonly accessToken?: string
  /** The thumbprint that the token is bound to, its `cnf.jkt`. Without it, compare the `jkt` of the result yourself. */
  readonly jkt?: string
  /** The nonce that the proof must repeat. */
  readonly nonce?: string
  /** Algorithms that it may be signed with. Default: ES256, ES384, Ed25519 and its old name EdDSA, PS256, RS256. */
  readonly algorithms?: readonly [Algorithm, ...Algorithm[]]
  /** Seconds for which it is accepted after its `iat`, from 1 to 300. Default: 60. */
  readonly windowSeconds?: number
}

/** Parses what a proof is to be verified against. Throws a ConfigurationError that says what to write instead. */
export function parseProofOptions(options: DpopProofOptions): ProofExpectation {
  requireKnownKeys(options, '', [
    'method',
    'url',
    'now',
    'accessToken',
    'jkt',
    'nonce',
    'algorithms',
    'windowSeconds',
  ])
  const url = normalizeUrl(requireText(options.url, 'url'))
  const nonce = optionalText(options, 'nonce')
  return {
    method: requireText(options.method, 'method'),
    // It holds what a caller wrote: where it is no URL, no proof is for it.
    urls: url === undefined ? [] : [url],
    urlAdvice: 'give as `url` what callers use, not what a proxy makes of it',
    accessToken: optionalText(options, 'accessToken'),
    jkt: optionalText(options, 'jkt'),
    checks: checkedAtOnce,
    connection: options,
    knownKeys: undefined,
    acceptsNonce: nonce === undefined ? undefined : (given) => equalInConstantTime(given, nonce),
    nowMs: requireTime(options.now),
    algorithms: new Set(requireProofAlgorithms(options.algorithms ?? proofAlgorithms, 'algorithms')),
    windowSeconds: requireNumber(options.windowSeconds ?? 60, 'windowSeconds', 1, 300),
    toleranceSeconds: 30,
  }
}

// What is written counts: the `jkt` of a token that has none, or a nonce that was not found, is no reason to check less.
const optionalText = (options: DpopProofOptions, name: 'accessToken' | 'jkt' | 'nonce'): string | undefined =>
  Object.hasOwn(options, name) ? requireText(options[name], name) : undefined

function requireText(value: unknown, option: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new ConfigurationError(option, `expected a text, got ${describeValue(value)}`)
}

export function requireTime(now: unknown): number {
  const milliseconds = types.isDate(now) ? now.getTime() : now
  // What is small is meant in seconds, and would make every proof one from the future.
  if (typeof milliseconds === 'number' && milliseconds > 1e11 && Number.isFinite(milliseconds)) {
    return milliseconds
  }
  throw new ConfigurationError('now', 'expected a Date, or milliseconds since 1970 such as Date.now() gives')
}
