import { Refusal } from '../../refusal.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import type { TrustedKey } from './key-set.ts'

/** What a token asks for. */
export interface KeyQuestion {
  readonly algorithm: Algorithm
  readonly kid: string | undefined
}

type Answer = TrustedKey | Refusal

interface Waiter extends KeyQuestion {
  /** The number of the last attempt that began too early to call its key unknown. */
  readonly after: number
  readonly resolve: (answer: Answer) => void
}

/**
 * Requests that wait for the keys of one issuer, bounded in number. Nothing tells a genuine `kid` from an invented one
 * before the issuer has been asked, so nobody is preferred and nobody is put out: who comes while there is room stays.
 * INVARIANT: a key is called unknown only by a set that was asked for after the token came, since an issuer publishes a
 * key before it signs with it. Two exceptions spare the room, and last one cool-down each: a `kid` that the issuer took
 * back, and, while half of the room is taken, one that was refused before.
 */
export class WaitingRoom {
  #waiters: Waiter[] = []
  readonly #refused = new Set<string | undefined>()
  #withdrawn: ReadonlySet<string | undefined> = new Set()

  /** Undefined where there is no room. */
  wait(question: KeyQuestion, after: number): Promise<Answer> | undefined {
    if (this.#waiters.length >= maxWaiters) return undefined
    return new Promise((resolve) => this.#waiters.push({ ...question, after, resolve }))
  }

  /** Answers after an attempt of this number. True where somebody came too late for it and goes on waiting. */
  answerAfter(attempt: number, answerTo: (question: KeyQuestion) => Answer): boolean {
    // Who is forgotten waits once more. In quiet times nobody need be remembered, and no more than had room are added.
    if (!this.#isCrowded || this.#refused.size > maxWaiters) this.#refused.clear()
    this.#waiters = this.#waiters.filter((waiter) => {
      const answer = answerTo(waiter)
      if (isUnknown(answer)) {
        if (waiter.after >= attempt && !this.#withdrawn.has(waiter.kid)) return true
        this.#refused.add(waiter.kid)
      }
      waiter.resolve(answer)
      return false
    })
    return this.#waiters.length > 0
  }

  /** Answers whoever waits. */
  answerAll(answerTo: (question: KeyQuestion) => Answer): void {
    this.answerAfter(Infinity, answerTo)
  }

  /** Told of the `kid`s that the set before the newest had and the newest has not. */
  withdraw(kids: ReadonlySet<string | undefined>): void {
    this.#withdrawn = kids
  }

  /** True where a question need not wait until the cool-down is over. */
  isSettled({ kid }: KeyQuestion): boolean {
    return this.#withdrawn.has(kid) || (this.#isCrowded && this.#refused.has(kid))
  }

  get #isCrowded(): boolean {
    return this.#waiters.length >= maxWaiters / 2
  }
}

export const isUnknown = (answer: Answer): answer is Refusal =>
  answer instanceof Refusal && answer.code === 'key_unknown'

/** All that comes in one cool-down of a flood of 1,000 a second finds room. */
export const maxWaiters = 2048
