import type { Clock } from '../../clock/clock.ts'
import { publishKeys } from '../../events/channels.ts'
import type { Refusal } from '../../refusal.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import { loadJose } from '../jws/load-jose.ts'
import type { FetchDocument } from './fetch-document.ts'
import type { KeyAccess, KeyLocation } from './key-location.ts'
import { KeyReader } from './key-reader.ts'
import type { Reading } from './reading.ts'
import { issuerOverloaded, issuerUnavailable } from './key-refusals.ts'
import type { KeyFormat, TrustedKey } from './key-set.ts'
import type { KeySource, KeySourceState } from './key-source.ts'
import { KeysAtHand } from './keys-at-hand.ts'
import { statusOf } from './live.ts'
import { Refresher } from './refresher.ts'
import { WaitingRoom, isUnknown, maxWaiters, type KeyQuestion } from './waiting-room.ts'

interface PublishedKeysOptions extends KeyAccess {
  readonly issuer: string
  readonly location: KeyLocation
  readonly format: KeyFormat
  /** How long keys go on serving after the time at which they should have been fetched again. */
  readonly maxStaleMs: number
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/**
 * Keys that an issuer publishes: fetched when first asked for, kept fresh from then on, served past an outage up to a
 * ceiling.
 * INVARIANT: while anybody waits, an attempt is under way or planned. So a key that the issuer publishes is found one
 * cool-down and one fetch later at most, whatever else is asked for, and however full the room is.
 */
export class PublishedKeys implements KeySource {
  readonly #issuer: string
  readonly #clock: Clock
  readonly #held: KeysAtHand
  readonly #refresher: Refresher<Reading>
  readonly #room = new WaitingRoom()

  constructor(options: PublishedKeysOptions) {
    this.#issuer = options.issuer
    this.#clock = options.clock
    this.#held = new KeysAtHand(options.format, options.maxStaleMs)
    const reader = new KeyReader(options)
    this.#refresher = new Refresher({
      clock: options.clock,
      read: (signal) => {
        void loadJose().catch(() => undefined) // whoever verifies is told
        return reader.read(this.#held.reading, signal)
      },
      accept: (reading, now) => this.#held.accept(reading, now),
      landed: () => this.#landed(),
    })
  }

  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal | Promise<TrustedKey | Refusal> {
    const now = this.#clock.now()
    const question = { algorithm, kid }
    const { attempts } = this.#refresher
    this.#refresher.startIfDue(now)
    this.#held.expire(now)
    const found = this.#held.find(question)
    if (found === undefined || this.#refresher.isOverdue(now)) {
      return this.#refresher.startIfPermitted(now) ? this.#wait(question, attempts) : this.#answer(question)
    }
    if (!isUnknown(found)) return found
    if (this.#refresher.startIfPermitted(now)) return this.#wait(question, attempts)
    const isSettled = this.#refresher.problem !== undefined || this.#room.isSettled(question)
    const waits = !isSettled && this.#refresher.startAfterCooldown(now)
    return waits ? this.#wait(question, attempts) : this.#answer(question)
  }

  areCurrent(nowMs: number): boolean {
    this.#refresher.startIfDue(nowMs)
    return !this.#held.isExpired(nowMs) && !this.#refresher.isOverdue(nowMs)
  }

  async prepared(): Promise<void> {
    if (this.#refresher.attempts === 0) this.#refresher.startIfPermitted(this.#clock.now())
    await Promise.all([loadJose(), this.#refresher.attempts === 1 ? this.#refresher.underWay : undefined])
  }

  get state(): KeySourceState {
    const now = this.#clock.now()
    const { dueAt, problem } = this.#refresher
    const { size, fetchedAt } = this.#held
    const hadKeys = fetchedAt !== -Infinity
    const serves = size !== undefined && !this.#held.isExpired(now)
    const isFresh = problem === undefined && !this.#refresher.isOverdue(now)
    return {
      issuer: this.#issuer,
      status: statusOf(hadKeys, serves, isFresh),
      keys: serves ? size : 0,
      fetchedAt: hadKeys ? fetchedAt : undefined,
      nextRefreshAt: dueAt === -Infinity ? undefined : dueAt,
      problem,
    }
  }

  close(): void {
    this.#refresher.close()
    this.#held.drop()
    this.#room.answerAll((question) => this.#answer(question))
  }

  #landed(): void {
    const now = this.#clock.now()
    const { attempts, problem } = this.#refresher
    this.#held.expire(now)
    this.#room.withdraw(this.#held.withdrawn)
    const answerTo = (question: KeyQuestion): TrustedKey | Refusal => this.#answer(question)
    const somebodyWaits = this.#room.answerAfter(attempts, answerTo)
    if (somebodyWaits && !this.#refresher.startAfterCooldown(now)) this.#room.answerAll(answerTo)
    const outcome = problem !== undefined ? 'failed' : this.#held.isReplaced ? 'refreshed' : 'unchanged'
    const { status, keys } = this.state
    publishKeys({ issuer: this.#issuer, outcome, status, keys, problem })
  }

  /** `before`: how many attempts had begun when the token came. */
  #wait(question: KeyQuestion, before: number): Promise<TrustedKey | Refusal> | Refusal {
    return this.#room.wait(question, before) ?? issuerOverloaded(this.#issuer, maxWaiters)
  }

  #answer(question: KeyQuestion): TrustedKey | Refusal {
    const found = this.#held.find(question)
    const { problem } = this.#refresher
    // While the issuer cannot be asked, nobody knows whether it has published the key since.
    const isInDoubt = found === undefined || (isUnknown(found) && problem !== undefined)
    return isInDoubt ? issuerUnavailable(this.#issuer, problem) : found
  }
}
