import type { RefusalResponse } from '../decision/decision.ts'
import { isRequirement, type Placement } from '../policy/placement.ts'
import { refusals, type Refusal, type RefusalEntry } from '../refusal.ts'
import { challenge, type ChallengeOptions } from './challenge.ts'

/** What surrounds a refusal that its answer depends on. */
export interface RefusalContext {
  readonly id: string
  readonly placement: Placement | undefined
  /** The scheme of the credential that was presented. */
  readonly scheme: 'bearer' | 'dpop' | undefined
  /** The nonce that the caller's next proof must use; undefined where there is none. */
  readonly nonce: string | undefined
  /** Whether the answer goes out in HTTP/2, which has no header to end a connection by (RFC 9113 §8.2.2). */
  readonly isHttp2: boolean
}

/**
 * The HTTP answer to a refused request: status and challenge as RFC 6750 §3, RFC 9449 §7.1 and RFC 9470 §3 have them, a
 * problem body (RFC 9457), the decision id, and nothing that tells one failed check from another.
 */
export function refusalResponse(
  refusal: Refusal,
  { id, placement, scheme, nonce, isHttp2 }: RefusalContext,
  options: ChallengeOptions,
): RefusalResponse {
  const entry: RefusalEntry = refusals[refusal.code]
  // Without a scheme to challenge for, 401 would be a status that breaks its own rule (RFC 9110 §15.5.2).
  const status = entry.status === 401 && !options.acceptsTokens ? 403 : entry.status
  const { error, sentence } = entry
  const asked = isRequirement(placement) ? placement : undefined
  const content = { error, sentence, scopes: asked?.scopes ?? [], stepUp: asked?.stepUp, scheme }
  return Object.freeze({
    status,
    headers: Object.freeze({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(options.acceptsTokens && (status === 401 || error !== undefined)
        ? { 'www-authenticate': challenge(content, options) }
        : {}),
      // RFC 9449 §9: only a caller that proves itself by DPoP has a use for it.
      ...(nonce !== undefined && error === 'use_dpop_nonce' ? { 'dpop-nonce': nonce } : {}),
      ...(entry.endsConnection === true && !isHttp2 ? { connection: 'close' } : {}),
      ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
    }),
    // An `error` that is undefined is left out.
    body: JSON.stringify({ title: titles[status], status, detail: sentence, error, decision: id }),
  })
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

const retryAfterSeconds = '2'
