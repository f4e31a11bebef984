import type { RefusalCode } from '@countersign/core'
import type { Dice } from '../dice.ts'
import type { Original } from '../original.ts'

/** One way to make a token of a good one, and what has to be said of whatever comes of it. */
export interface Forgery {
  /** The algorithms that it is about. Absent: all. */
  readonly of?: RegExp
  /** `allow`, or what the guard may refuse it with. */
  readonly verdict: readonly ('allow' | RefusalCode)[]
  /** Why the guard refuses what jose accepts, if not in all cases then in some. Absent: both say the same. */
  readonly stricter?: string
  /** True where the private key is needed, which takes longer than all else: fewer are made. */
  readonly isSigned?: true
  /** `all` are other good tokens of the same issuer and key. */
  make(original: Original, dice: Dice, all: readonly Original[]): string
}

export type Forgeries = Readonly<Record<string, Forgery>>
