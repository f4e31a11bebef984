import type { Refusal } from '../../refusal.ts'
import { parseJsonObject } from '../jws/json-object.ts'
import { areSameReadings, type Reading } from './reading.ts'
import { KeySet, type KeyFormat, type TrustedKey } from './key-set.ts'
import { bundleIntervalOf, fileIntervalMs, refreshIntervalOf } from './refresh-times.ts'
import { refreshHintOf, requireNewerSequence, sequenceOf } from './spiffe-bundle.ts'
import type { KeyQuestion } from './waiting-room.ts'

/** The newest key set of an issuer that could be used, and how old it is. */
export class KeysAtHand {
  readonly #format: KeyFormat
  readonly #maxStaleMs: number
  #set: KeySet | undefined
  #reading: Reading | undefined
  #sequence: bigint | undefined
  #fetchedAt = -Infinity
  #intervalMs = 0
  #isReplaced = false
  #withdrawn: ReadonlySet<string | undefined> = new Set()

  constructor(format: KeyFormat, maxStaleMs: number) {
    this.#format = format
    this.#maxStaleMs = maxStaleMs
  }

  /** What the set was read from; undefined where there is none. */
  get reading(): Reading | undefined {
    return this.#reading
  }

  get size(): number | undefined {
    return this.#set?.size
  }

  /** When the issuer last said that these are its keys; -Infinity before the first time. */
  get fetchedAt(): number {
    return this.#fetchedAt
  }

  /** True if the last reading that was taken into use was another than the one before. */
  get isReplaced(): boolean {
    return this.#isReplaced
  }

  /** The `kid`s that went with the last replacement. */
  get withdrawn(): ReadonlySet<string | undefined> {
    return this.#withdrawn
  }

  /** Undefined where there are no keys. */
  find({ algorithm, kid }: KeyQuestion): TrustedKey | Refusal | undefined {
    return this.#set?.find(algorithm, kid)
  }

  /**
   * Takes a reading into use, as a whole, and says in how many milliseconds to read again. Throws a sentence for the
   * operator, and changes nothing, where it is unusable.
   */
  accept(reading: Reading, now: number): number {
    const document = parseJsonObject(reading.octets)
    if (document === undefined) throw new Error(`${reading.from} is not a JSON object`)
    const isReplaced = this.#reading === undefined || !areSameReadings(this.#reading, reading)
    if (isReplaced) this.#replace(document, reading.octets)
    this.#isReplaced = isReplaced
    this.#reading = reading
    this.#fetchedAt = now
    const intervalMs =
      this.#format === 'jwks' ? refreshIntervalOf(reading) : bundleIntervalOf(refreshHintOf(document))
    this.#intervalMs = reading.url === undefined ? Math.min(intervalMs, fileIntervalMs) : intervalMs
    return this.#intervalMs
  }

  /** True where nobody has confirmed the keys for so long that they may no longer serve. */
  isExpired(now: number): boolean {
    return now - this.#fetchedAt > this.#intervalMs + this.#maxStaleMs
  }

  /** Gives up what may no longer serve. */
  expire(now: number): void {
    // How old keys are is not known after the clock was set back. They get no younger by it than they were when had.
    this.#fetchedAt = Math.min(this.#fetchedAt, now)
    if (this.isExpired(now)) this.drop()
  }

  /** Withdraws every key. What comes next is compared with nothing: neither with its octets nor with its sequence. */
  drop(): void {
    this.#set?.withdraw()
    this.#set = undefined
    this.#reading = undefined
    this.#sequence = undefined
  }

  #replace(document: object, octets: Uint8Array): void {
    const sequence = this.#format === 'jwks' ? undefined : sequenceOf(octets)
    requireNewerSequence(sequence, this.#sequence)
    const next = KeySet.parse(document, this.#format, this.#set)
    this.#withdrawn = this.#set?.lackedBy(next) ?? new Set()
    this.#set = next
    this.#sequence = sequence
  }
}
