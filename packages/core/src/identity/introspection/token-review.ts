import { hash } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { Refusal, quoted, refusalOf } from '../../refusal.ts'
import { isRecord, parseJsonObject } from '../jws/json-object.ts'
import { AskedServer } from '../trust/asked-server.ts'
import { NoAnswer, UnexpectedStatus, type FetchDocument } from '../trust/fetch-document.ts'
import { BoundedFlight } from './bounded-flight.ts'
import { whyNotSendable } from './sendable-token.ts'
import { unanswered } from './unanswered.ts'

/** That the cluster stands by a token. */
export interface ReviewedToken {
  /** Milliseconds since the epoch, until when that may be relied on. The token may expire before. */
  readonly cacheUntilMs: number
}

export interface TokenReviewerOptions {
  /** The `iss` of the tokens. */
  readonly issuer: string
  /** Such as `https://kubernetes.default.svc`. */
  readonly apiServer: URL
  /** PEM of the authorities behind the API server's certificate. */
  readonly ca: string | undefined
  /** This service's own credential. Read anew each time: the cluster replaces it. */
  readonly bearer: () => string
  readonly maxConcurrent: number
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/**
 * Asks a Kubernetes API server whether it stands by a service account's token (TokenReview, authentication.k8s.io/v1).
 * It knows what the signature does not tell: that the account, the pod and the secret behind it still exist.
 */
export class TokenReviewer {
  readonly #options: TokenReviewerOptions
  readonly #url: URL
  readonly #server: AskedServer
  readonly #flight: BoundedFlight<ReviewedToken | Refusal>

  constructor(options: TokenReviewerOptions) {
    this.#options = options
    this.#url = new URL(`${options.apiServer.href.replace(/\/$/, '')}/apis/${apiVersion}/tokenreviews`)
    this.#server = new AskedServer(options.fetch, options.clock)
    this.#flight = new BoundedFlight(options)
  }

  /**
   * Whether the cluster stands by a token that was verified: for one of these audiences, and as this user, which is the
   * token's `sub`. Never rejects.
   */
  async review(
    token: string,
    audiences: readonly string[],
    username: string,
  ): Promise<ReviewedToken | Refusal> {
    const { issuer } = this.#options
    const whyNot = whyNotSendable(token)
    if (whyNot !== undefined) return refusalOf(issuer, whyNot)
    const key = hash('sha256', JSON.stringify([token, audiences, username]), 'base64url')
    const result = await this.#flight.run(key, () => this.#ask(token, audiences, username))
    return result instanceof Refusal ? refusalOf(issuer, result) : result
  }

  /** Ends what is under way. */
  close(): void {
    this.#server.close()
  }

  async #ask(
    token: string,
    audiences: readonly string[],
    username: string,
  ): Promise<ReviewedToken | Refusal> {
    const askedAt = this.#options.clock.now()
    try {
      const review = await this.#post(token, audiences)
      const refusal = whyNotReviewed(review, audiences, username)
      return refusal ?? Object.freeze({ cacheUntilMs: askedAt + maxCacheMs })
    } catch (error) {
      return unanswered('token_review_unavailable', error, advice)
    }
  }

  async #post(token: string, audiences: readonly string[]): Promise<Record<string, unknown> | undefined> {
    const { bearer, ca } = this.#options
    const { status, octets } = await this.#server.ask(this.#url, {
      ca,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${bearer().trim()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ apiVersion, kind, spec: { token, audiences } }),
    })
    if (status !== 200 && status !== 201) throw new UnexpectedStatus(status)
    return parseJsonObject(octets)
  }
}

function whyNotReviewed(
  review: Record<string, unknown> | undefined,
  audiences: readonly string[],
  username: string,
): Refusal | undefined {
  const status = review?.['status']
  if (review?.['apiVersion'] !== apiVersion || review['kind'] !== kind || !isRecord(status)) {
    throw new NoAnswer('not a TokenReview')
  }
  // Kubernetes leaves out what is false.
  const { authenticated = false, audiences: accepted = [], user, error } = status
  if (authenticated === false) return inactive
  if (authenticated !== true || (error !== undefined && error !== '')) {
    throw new NoAnswer('a TokenReview that says neither yes nor no')
  }
  // None at all: an authenticator that does not know of audiences, and would accept a token for anybody.
  if (!Array.isArray(accepted) || !audiences.some((audience) => accepted.includes(audience))) {
    return new Refusal('audience_mismatch', {
      expected: audiences.map(quoted).join(' or '),
      actual: 'an API server that does not confirm it',
    })
  }
  const reviewed = isRecord(user) ? user['username'] : undefined
  if (reviewed === username) return undefined
  return new Refusal('claim_mismatch', { expected: `the user ${quoted(username)}`, actual: quoted(reviewed) })
}

const apiVersion = 'authentication.k8s.io/v1'
const kind = 'TokenReview'
const maxCacheMs = 60_000

const inactive = new Refusal('token_inactive', {
  expected: 'a token that the cluster stands by',
  actual: 'expired, or its service account, pod or secret is gone',
})

const advice = {
  expected: 'an answer of the Kubernetes API server',
  whenRefused:
    'let this service review tokens: bind its service account to the ClusterRole `system:auth-delegator`',
  whenSilent: 'check that this service reaches the API server, and the authorities behind its certificate',
}
