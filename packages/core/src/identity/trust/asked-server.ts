import type { Clock } from '../../clock/clock.ts'
import {
  NoAnswer,
  noAnswerInTime,
  whenAborted,
  type FetchDocument,
  type FetchOptions,
  type FetchedDocument,
} from './fetch-document.ts'

/** A server that is asked while requests wait: within a deadline, whatever the fetch does with its signal. */
export class AskedServer {
  readonly #fetch: FetchDocument
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #questions = new Set<AbortController>()
  #isClosed = false

  /** The default deadline is a little more than the fetch allows itself, so that its own reason is the one told. */
  constructor(fetch: FetchDocument, clock: Clock, deadlineMs = 6000) {
    this.#fetch = fetch
    this.#clock = clock
    this.#deadlineMs = deadlineMs
  }

  /** Rejects where no answer comes. */
  async ask(url: URL, options: Omit<FetchOptions, 'signal'>): Promise<FetchedDocument> {
    if (this.#isClosed) throw new NoAnswer(noAnswerInTime)
    const question = new AbortController()
    this.#questions.add(question)
    const cancel = this.#clock.schedule?.(() => question.abort(), this.#deadlineMs)
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

/** Why no answer came. Never the error's own words: a fetch that the application supplies could repeat what it was given to send. */
export function problemOf(error: unknown): string {
  if (error instanceof NoAnswer) return error.message
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)
    ? code
    : 'no whole answer: it took too long, was too long or broke off'
}
