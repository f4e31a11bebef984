import type { RefusalResponse } from '../decision/decision.ts'
import { CallerOptional, Unprotected, type Placement } from '../policy/placement.ts'
import { refusals, type ChallengeError, type Refusal, type RefusalEntry } from '../refusal.ts'

/** What is known of the guard that a challenge may say. */
export interface ChallengeOptions {
  /** The protection space (RFC 9110 §11.5). */
  readonly realm: string
  /** False where only certificates are accepted: HTTP has no scheme to ask for one with. */
  readonly acceptsTokens: boolean
}

/**
 * The HTTP answer to a refused request: status and challenge as RFC 6750 §3 has them, a problem body (RFC 9457), the
 * decision id, and nothing that tells one failed check from another.
 */
export function refusalResponse(
  refusal: Refusal,
  id: string,
  placement: Placement | undefined,
  options: ChallengeOptions,
): RefusalResponse {
  const entry: RefusalEntry = refusals[refusal.code]
  // Without a scheme to challenge for, 401 would be a status that breaks its own rule (RFC 9110 §15.5.2).
  const status = entry.status === 401 && !options.acceptsTokens ? 403 : entry.status
  const { error } = entry
  return Object.freeze({
    status,
    headers: Object.freeze({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(options.acceptsTokens && (status === 401 || error !== undefined)
        ? { 'www-authenticate': challenge(options.realm, error, entry.sentence, scopesOf(placement)) }
        : {}),
      ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
    }),
    body: JSON.stringify({
      title: titles[status],
      status,
      detail: entry.sentence,
      ...(error === undefined ? {} : { error }),
      decision: id,
    }),
  })
}

// The scopes a route needs are no secret: a caller has to know what to ask its issuer for (RFC 6750 §3).
function challenge(
  realm: string,
  error: ChallengeError | undefined,
  sentence: string,
  scope: string,
): string {
  const parameters = [`realm="${realm}"`]
  if (error !== undefined) parameters.push(`error="${error}"`, `error_description="${sentence}"`)
  if (scope !== '' && error !== 'invalid_request') parameters.push(`scope="${scope}"`)
  return `Bearer ${parameters.join(', ')}`
}

const scopesOf = (placement: Placement | undefined): string =>
  placement === undefined || placement instanceof Unprotected || placement instanceof CallerOptional
    ? ''
    : placement.scopes.join(' ')

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

const retryAfterSeconds = '2'
