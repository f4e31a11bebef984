import type { Clock } from '../../clock/clock.ts'
import { AskedServer, problemOf } from '../trust/asked-server.ts'
import { UnexpectedStatus, type FetchDocument } from '../trust/fetch-document.ts'
import { readOcspAnswer, type SignedStatus } from './ocsp-answer.ts'
import { certIdOf, ocspRequestOf, type StatusQuestion } from './ocsp-request.ts'
import { maxOcspBytes } from './ocsp-response.ts'

export interface OcspResponderOptions {
  /** PEM of the authorities behind the responders' own certificates, for `https`; the public ones where it is left out. */
  readonly ca: string | undefined
  /** Octets for the nonce of a question (RFC 9654). Left out: no nonce is sent, so that responders may sign beforehand (RFC 5019). */
  readonly nonceOctets?: ((size: number) => Uint8Array) | undefined
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/** What a responder can say of itself, for health checks. */
export interface OcspResponderState {
  readonly responder: string
  /**
   * `waiting`: it was never asked. `failed`: its last answer could not be used, or there was none. A responder that calls a
   * certificate revoked, or unknown, is well.
   */
  readonly status: 'waiting' | 'fresh' | 'failed'
  /** When it last answered, well or badly, in milliseconds since the epoch. */
  readonly answeredAt: number | undefined
  /** Why the last question failed, for the operator. */
  readonly problem: string | undefined
}

/** How a question ended. */
export interface OcspLanding {
  readonly responder: string
  readonly outcome: 'good' | 'revoked' | 'unknown' | 'failed'
  /** Why it failed, for the operator: in words of our own, and without a name of the certificate. */
  readonly problem: string | undefined
}

/** One responder that the operator has configured. It is asked by POST (RFC 6960 appendix A.1), and no redirect is followed. */
export class OcspResponder {
  readonly url: URL
  readonly #options: OcspResponderOptions
  readonly #server: AskedServer
  #landing: OcspLanding | undefined
  #answeredAt: number | undefined

  constructor(url: URL, options: OcspResponderOptions) {
    this.url = url
    this.#options = options
    this.#server = new AskedServer(options.fetch, options.clock, deadlineMs)
  }

  /** Asks, and has a verified answer taken into use; `accept` says why where that cannot be. Never rejects. */
  async ask(
    question: StatusQuestion,
    accept: (answer: SignedStatus) => string | undefined,
  ): Promise<OcspLanding> {
    const answer = await this.#answerTo(question)
    const problem = typeof answer === 'string' ? answer : accept(answer)
    this.#answeredAt = this.#options.clock.now()
    this.#landing = { responder: this.url.href, outcome: outcomeOf(answer, problem), problem }
    return this.#landing
  }

  get state(): OcspResponderState {
    const { outcome, problem } = this.#landing ?? {}
    const status = outcome === undefined ? 'waiting' : outcome === 'failed' ? 'failed' : 'fresh'
    return { responder: this.url.href, status, answeredAt: this.#answeredAt, problem }
  }

  /** Ends what is under way. */
  close(): void {
    this.#server.close()
  }

  async #answerTo(question: StatusQuestion): Promise<SignedStatus | string> {
    const { ca, clock, nonceOctets } = this.#options
    const certId = certIdOf(question)
    try {
      const nonce = nonceOctets?.(nonceSize)
      const { status, octets } = await this.#server.ask(this.url, {
        ca,
        maxBytes: maxOcspBytes,
        // The type of the answer is not looked at: nobody signed it, and the octets are an answer or they are none.
        headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
        body: ocspRequestOf(certId, nonce),
      })
      if (status !== 200) throw new UnexpectedStatus(status)
      return readOcspAnswer(octets, { ...question, certId, nonce }, clock.now())
    } catch (error) {
      return problemOf(error)
    }
  }
}

const outcomeOf = (answer: SignedStatus | string, problem: string | undefined): OcspLanding['outcome'] => {
  if (typeof answer === 'string' || problem !== undefined) return 'failed'
  return answer.status === 'unknown' ? 'unknown' : answer.status.kind
}

const deadlineMs = 3000
/** RFC 9654 §2.1 has 32 octets as what clients should send. */
const nonceSize = 32
