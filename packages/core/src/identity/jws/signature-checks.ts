import { Refusal } from '../../refusal.ts'
import { whenKnown } from '../when-known.ts'
import type { Algorithm, SecretAlgorithm } from './algorithms.ts'
import type { SignedText } from './compact-jws.ts'
import { FairQueue } from './fair-queue.ts'
import { isSignedWith, type By, type ImportedKey } from './verify-signature.ts'

/** Whether somebody signed; a refusal where there was no time to find out. */
export type Signed = boolean | Refusal

type Check = (by: By) => boolean | Promise<boolean>

/** What checks a signature, and may have somebody wait for it. `connection`: the one that it came by. */
export interface SignatureChecker {
  isSigned(
    jws: SignedText,
    key: ImportedKey | Promise<ImportedKey>,
    algorithm: Algorithm | SecretAlgorithm,
    connection: object,
  ): Signed | Promise<Signed>
}

/** For whoever checks a single one. */
export const checkedAtOnce: SignatureChecker = {
  isSigned: (jws, key, algorithm) => isSignedWith(jws, key, algorithm),
}

/**
 * All signature checks of a guard. The first of each turn of the event loop are made at once, which is what they cost least. What comes
 * beyond waits for one of two threads, so that a flood of tokens never seen before keeps neither the loop nor the thread pool from
 * others; and what would have to wait too long is refused.
 */
export class SignatureChecks implements SignatureChecker {
  readonly #isNative: boolean
  readonly #nextTurn: (task: () => void) => void
  readonly #queue = new FairQueue<() => Promise<void>>(maxWaiting)
  #madeInTurn = 0
  #underWay = 0

  /** `nextTurn` runs a task in the next turn of the event loop. */
  constructor(isNative: boolean, nextTurn: (task: () => void) => void = setImmediate) {
    this.#isNative = isNative
    this.#nextTurn = nextTurn
  }

  /**
   * Whether a compact JWS was signed with the key: see `isSignedWith`. Places are shared out by connection, and one that has sent more
   * wrong signatures than right ones comes after all others. Never rejects.
   */
  isSigned(
    jws: SignedText,
    key: ImportedKey | Promise<ImportedKey>,
    algorithm: Algorithm | SecretAlgorithm,
    connection: object,
  ): Signed | Promise<Signed> {
    const check: Check = (by) => isSignedWith(jws, key, algorithm, by)
    if (this.#isNative && isFast(key) && this.#takeTurn()) return this.#noted(check('loop'), connection)
    return this.#later(check, connection)
  }

  #takeTurn(): boolean {
    if (this.#madeInTurn === 0) {
      this.#nextTurn(() => {
        this.#madeInTurn = 0
      })
    }
    this.#madeInTurn += 1
    return this.#madeInTurn <= maxInTurn
  }

  #later(check: Check, connection: object): Promise<Signed> {
    return new Promise((resolve) => {
      const work = async (): Promise<void> => {
        resolve(await this.#noted(check(this.#isNative ? 'thread' : 'webcrypto'), connection))
      }
      this.#queue.add(work, connection, () => resolve(overloaded))
      this.#goOn()
    })
  }

  #goOn(): void {
    while (this.#underWay < lanes) {
      const work = this.#queue.take()
      if (work === undefined) return
      this.#underWay += 1
      void work().finally(() => {
        this.#underWay -= 1
        this.#goOn()
      })
    }
  }

  #noted(checked: boolean | Promise<boolean>, connection: object): boolean | Promise<boolean> {
    return whenKnown(checked, (isSigned) => {
      if (isSigned) this.#queue.restore(connection)
      else this.#queue.postpone(connection)
      return isSigned
    })
  }
}

/** Whether it verifies without a thread. */
const isFast = (key: ImportedKey | Promise<ImportedKey>): boolean =>
  !(key instanceof Promise) && (key instanceof Uint8Array || key.native !== undefined)

const overloaded = new Refusal('guard_overloaded', {
  expected: 'fewer credentials at a time that were never seen before',
  advice: 'look at who sends them; callers with good credentials may repeat the request',
})

const maxInTurn = 2
const lanes = 2
// Half a second of work at most.
const maxWaiting = 4096
