import { loadJose } from '../jws/load-jose.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import type { KeyStatus } from '../../events/channels.ts'
import type { Refusal } from '../../refusal.ts'
import { KeySet, type KeyFormat, type TrustedKey } from './key-set.ts'

/** What a key source can say of itself, for health checks. */
export interface KeySourceState {
  readonly issuer: string
  /**
   * `waiting`: no keys yet. `fresh`: in order. `stale`: the last refresh failed, older keys still serve. `expired`: they
   * are too old to serve, and tokens are refused until the issuer answers again.
   */
  readonly status: KeyStatus
  /** How many keys there are that can be used. */
  readonly keys: number
  /** When the issuer last said that these are its keys, in milliseconds since the epoch. Undefined for given keys. */
  readonly fetchedAt: number | undefined
  /** When it is asked again, in milliseconds since the epoch. Undefined where that is not planned. */
  readonly nextRefreshAt: number | undefined
  /** Why the last attempt failed, for the operator. */
  readonly problem: string | undefined
}

/** The keys of one issuer. Reading is synchronous whenever keys are there. */
export interface KeySource {
  /** The key that a token's header asks for. */
  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal | Promise<TrustedKey | Refusal>
  /**
   * False where what was verified with these keys must be verified anew: because they are too old to serve, or because
   * the issuer should have been asked since and was not.
   */
  areCurrent(nowMs: number): boolean
  /** Resolves when the first attempt to have keys has ended, well or badly. From the first call on, they are kept fresh. */
  prepared(): Promise<void>
  readonly state: KeySourceState
  /** Ends what is under way and withdraws every key. */
  close(): void
}

/** Keys that the operator wrote down. They never change, and nothing is fetched. */
export class GivenKeys implements KeySource {
  readonly #issuer: string
  readonly #keys: KeySet

  /** Throws an Error for the operator where the document is unusable: see `KeySet.parse`. A bundle may have no keys. */
  constructor(issuer: string, document: unknown, format: KeyFormat) {
    this.#issuer = issuer
    this.#keys = KeySet.parse(document, format)
  }

  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal {
    return this.#keys.find(algorithm, kid)
  }

  areCurrent(): boolean {
    return true
  }

  async prepared(): Promise<void> {
    await loadJose()
  }

  get state(): KeySourceState {
    return {
      issuer: this.#issuer,
      status: 'fresh',
      keys: this.#keys.size,
      fetchedAt: undefined,
      nextRefreshAt: undefined,
      problem: undefined,
    }
  }

  close(): void {
    this.#keys.withdraw()
  }
}
