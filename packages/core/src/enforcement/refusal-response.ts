import type { RefusalResponse } from '../decision/decision.ts'
import { isRequirement, type Placement } from '../policy/placement.ts'
import { refusals, type Refusal, type RefusalCode, type RefusalEntry } from '../refusal.ts'
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

/** All of an answer but the id of its decision, and the nonce where there is one. */
interface Prepared {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly takesNonce: boolean
  /** JSON of the body up to the id. */
  readonly body: string
}

/**
 * The HTTP answers to refused requests: status and challenge as RFC 6750 §3, RFC 9449 §7.1 and RFC 9470 §3 have them, a
 * problem body (RFC 9457), the decision id, and nothing that tells one failed check from another. What is the same in all answers of a
 * kind is put together once: refusing is what a flood makes a service do most.
 */
export class RefusalResponses {
  readonly #options: ChallengeOptions
  /** INVARIANT: codes, schemes and protocols are few, and a placement that is gone takes its answers with it. */
  readonly #prepared = new WeakMap<object, Map<RefusalCode, (Prepared | undefined)[]>>()

  constructor(options: ChallengeOptions) {
    this.#options = options
  }

  of({ code }: Refusal, context: RefusalContext): RefusalResponse {
    const { status, headers, takesNonce, body } = this.#preparedFor(code, context)
    const { id, nonce } = context
    return Object.freeze({
      status,
      headers:
        takesNonce && nonce !== undefined ? Object.freeze({ ...headers, 'dpop-nonce': nonce }) : headers,
      body: `${body},"decision":${JSON.stringify(id)}}`,
    })
  }

  #preparedFor(code: RefusalCode, context: RefusalContext): Prepared {
    const { placement = undeclared, scheme, isHttp2 } = context
    let byCode = this.#prepared.get(placement)
    if (byCode === undefined) this.#prepared.set(placement, (byCode = new Map()))
    let bySlot = byCode.get(code)
    if (bySlot === undefined) byCode.set(code, (bySlot = []))
    return (bySlot[slots[scheme ?? 'none'] + (isHttp2 ? 1 : 0)] ??= prepare(code, context, this.#options))
  }
}

const undeclared = {}
const slots = { none: 0, bearer: 2, dpop: 4 }

function prepare(
  code: RefusalCode,
  { placement, scheme, isHttp2 }: RefusalContext,
  options: ChallengeOptions,
): Prepared {
  const entry: RefusalEntry = refusals[code]
  // Without a scheme to challenge for, 401 would be a status that breaks its own rule (RFC 9110 §15.5.2).
  const status = entry.status === 401 && !options.acceptsTokens ? 403 : entry.status
  const { error, sentence } = entry
  const asked = isRequirement(placement) ? placement : undefined
  const content = { error, sentence, scopes: asked?.scopes ?? [], stepUp: asked?.stepUp, scheme }
  return {
    status,
    headers: Object.freeze({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(options.acceptsTokens && (status === 401 || error !== undefined)
        ? { 'www-authenticate': challenge(content, options) }
        : {}),
      ...(entry.endsConnection === true && !isHttp2 ? { connection: 'close' } : {}),
      ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
    }),
    // RFC 9449 §9: only a caller that proves itself by DPoP has a use for it.
    takesNonce: error === 'use_dpop_nonce',
    // An `error` that is undefined is left out.
    body: JSON.stringify({ title: titles[status], status, detail: sentence, error }).slice(0, -1),
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

const retryAfterSeconds = '2'
