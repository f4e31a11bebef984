import type { Clock } from '../../clock/clock.ts'
import type { Algorithm } from './algorithms.ts'
import { Refusal } from '../../refusal.ts'
import { publishKeys } from '../../events/channels.ts'
import type { FetchDocument } from './fetch-document.ts'
import { fetchKeySet, type KeyLocation } from './key-location.ts'
import { KeySet, type TrustedKey } from './key-set.ts'
import { loadJose } from './load-jose.ts'

/** What a key source can say of itself, for health checks. */
export interface KeySourceState {
  readonly issuer: string
  /** `waiting`: no keys yet. `fresh`: in order. `stale`: the last refresh failed, older keys still serve. */
  readonly status: 'waiting' | 'fresh' | 'stale'
  /** Why the last attempt failed, for the operator. */
  readonly problem: string | undefined
}

interface KeySourceOptions {
  readonly issuer: string
  readonly location: KeyLocation
  readonly ca: string | undefined
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/**
 * The keys of one issuer, fetched in single flight and kept past an outage up to a ceiling.
 * Reading is synchronous whenever keys are there.
 */
export class KeySource {
  readonly #options: KeySourceOptions
  readonly #abort = new AbortController()
  #keys: KeySet | undefined
  #fetchedAt = -Infinity
  #triedAt = -Infinity
  #maxAgeMs = defaultMaxAgeMs
  #inFlight: Promise<void> | undefined
  #problem: string | undefined

  constructor(options: KeySourceOptions) {
    this.#options = options
    if (options.location.kind === 'given') this.#keys = KeySet.parse(options.location.jwks)
  }

  /** The key that a token's header asks for. Waits only where no set is there, or the set at hand is too old or lacks it. */
  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal | Promise<TrustedKey | Refusal> {
    if (this.#options.location.kind === 'given') return this.#read(algorithm, kid)
    const age = this.#options.clock.now() - this.#fetchedAt
    // A clock that stepped back says nothing of the age of what is there.
    if (this.#keys === undefined || age > 2 * this.#maxAgeMs || age < 0) {
      return this.#after(this.#refresh(), algorithm, kid)
    }
    if (age > this.#maxAgeMs) void this.#refresh()
    const found = this.#keys.find(algorithm, kid)
    // A key just published is not in the set yet. The refresh is bounded, so that invented kids cause no flood.
    if (found instanceof Refusal && found.code === 'key_unknown') {
      return this.#after(this.#refresh(), algorithm, kid, found)
    }
    return found
  }

  /**
   * False where what was verified with these keys must be verified anew: because they are past the ceiling, or so old
   * that the issuer may have withdrawn one, and it was not asked since. Asks it, in the background, where it is time to.
   */
  areCurrent(nowMs: number): boolean {
    if (this.#options.location.kind === 'given') return true
    const age = nowMs - this.#fetchedAt
    if (age <= this.#maxAgeMs && age >= 0) return true
    const wasAskedLately = nowMs - this.#triedAt <= this.#maxAgeMs && nowMs >= this.#triedAt
    void this.#refresh()
    return age <= ceilingMs && age >= 0 && (age <= 2 * this.#maxAgeMs || wasAskedLately)
  }

  /** Resolves when the first attempt to have keys has ended, well or badly. */
  async prepared(): Promise<void> {
    await Promise.all([loadJose(), this.#keys === undefined ? this.#refresh() : undefined])
  }

  get state(): KeySourceState {
    const status = this.#keys === undefined ? 'waiting' : this.#problem === undefined ? 'fresh' : 'stale'
    return { issuer: this.#options.issuer, status, problem: this.#problem }
  }

  /** Ends what is under way and withdraws every key. */
  close(): void {
    this.#abort.abort()
    this.#keys?.withdraw()
  }

  #after(
    refreshed: Promise<void> | undefined,
    algorithm: Algorithm,
    kid: string | undefined,
    otherwise?: Refusal,
  ): TrustedKey | Refusal | Promise<TrustedKey | Refusal> {
    if (refreshed === undefined) {
      return this.#problem === undefined && otherwise !== undefined ? otherwise : this.#read(algorithm, kid)
    }
    return refreshed.then(() => this.#read(algorithm, kid))
  }

  #read(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal {
    const { issuer, clock, location } = this.#options
    const isTooOld = location.kind !== 'given' && clock.now() - this.#fetchedAt > ceilingMs
    if (isTooOld) this.#keys?.withdraw()
    const found = isTooOld ? undefined : this.#keys?.find(algorithm, kid)
    // While the issuer cannot be asked, nobody knows whether it has published the key since.
    const isInDoubt = found instanceof Refusal && found.code === 'key_unknown' && this.#problem !== undefined
    if (found !== undefined && !isInDoubt) return found
    return new Refusal('issuer_unavailable', {
      issuer,
      expected: 'the keys of the issuer',
      actual: this.#problem ?? 'none yet',
      advice: 'check that this service reaches the issuer, and `ca` where its certificate is private',
    })
  }

  // Undefined where a refresh was tried so recently that another must wait (INVARIANT: one in flight, one per cool-down).
  #refresh(): Promise<void> | undefined {
    if (this.#inFlight !== undefined) return this.#inFlight
    const now = this.#options.clock.now()
    if (now - this.#triedAt < cooldownMs && now >= this.#triedAt) return undefined
    this.#triedAt = now
    this.#inFlight = this.#fetch().finally(() => {
      this.#inFlight = undefined
    })
    return this.#inFlight
  }

  async #fetch(): Promise<void> {
    const { issuer, location, ca, clock, fetch } = this.#options
    if (location.kind === 'given') return
    void loadJose().catch(() => undefined) // whoever verifies is told
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(deadlineMs)])
      const fetched = fetchKeySet(location, fetch, { ca, signal })
      // Whatever the fetch does, it may not keep the next one from being made.
      const { body, maxAgeSeconds } = await Promise.race([fetched, whenAborted(signal)])
      this.#keys = KeySet.parse(body, this.#keys)
      this.#fetchedAt = clock.now()
      this.#maxAgeMs =
        maxAgeSeconds === undefined
          ? defaultMaxAgeMs
          : Math.min(Math.max(maxAgeSeconds * 1000, minMaxAgeMs), maxMaxAgeMs)
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : 'unknown'
    }
    publishKeys({
      issuer,
      outcome: this.#problem === undefined ? 'refreshed' : 'failed',
      problem: this.#problem,
    })
  }
}

const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true })
  })

/** For discovery and key set together. */
const deadlineMs = 12_000
const cooldownMs = 1500
const minMaxAgeMs = 60_000
const maxMaxAgeMs = 24 * 3_600_000
const defaultMaxAgeMs = 5 * 60_000
/** How long keys serve when their issuer can no longer be reached. */
const ceilingMs = 24 * 3_600_000
