import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../refusal.ts'
import {
  NoAnswer,
  UnexpectedStatus,
  noAnswerInTime,
  whenAborted,
  type FetchDocument,
  type FetchOptions,
  type FetchedDocument,
} from '../trust/fetch-document.ts'

/** A server that is asked about tokens while requests wait: within a deadline, whatever the fetch does with its signal. */
export class AskedServer {
  readonly #fetch: FetchDocument
  readonly #clock: Clock
  readonly #questions = new Set<AbortController>()
  #isClosed = false

  constructor(fetch: FetchDocument, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /** Rejects where no answer comes. */
  async ask(url: URL, options: Omit<FetchOptions, 'signal'>): Promise<FetchedDocument> {
    if (this.#isClosed) throw new NoAnswer(noAnswerInTime)
    const question = new AbortController()
    this.#questions.add(question)
    const cancel = this.#clock.schedule?.(() => question.abort(), deadlineMs)
    const aborted = whenAborted(question.signal)
    try {
      return await Promise.race([this.#fetch(url, { ...options, signal: question.signal }), aborted])
    } finally {
      cancel?.()
      this.#questions.delete(question)
    }
  }

  /** Ends what is under way, and whatever is asked from now on. */
  close(): void {
    this.#isClosed = true
    for (const question of this.#questions) question.abort()
  }
}

/** What the operator is told of a server. */
interface Advice {
  /** The answer that did not come. */
  readonly expected: string
  /** Where it refuses to be asked by this service. */
  readonly whenRefused: string
  /** Where it cannot be reached. */
  readonly whenSilent: string
}

/** Nobody knows what the token is worth, because the one server that does gave no answer. */
export function unanswered(
  code: 'introspection_unavailable' | 'token_review_unavailable',
  error: unknown,
  { expected, whenRefused, whenSilent }: Advice,
): Refusal {
  // RFC 7662 §2.3 has 401 for a client that is not known; servers also answer 400 (RFC 6749 §5.2) and 403.
  const isRefusal = error instanceof UnexpectedStatus && [400, 401, 403].includes(error.status)
  return new Refusal(code, {
    expected,
    actual: problemOf(error),
    advice: isRefusal ? whenRefused : whenSilent,
  })
}

// Never the error's own words: a fetch that the application supplies could repeat what it was given to send.
function problemOf(error: unknown): string {
  if (error instanceof NoAnswer) return error.message
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)
    ? code
    : 'no whole answer: it took too long, was too long or broke off'
}

/** A little more than the fetch allows itself, so that its own reason is the one told. */
const deadlineMs = 6000
