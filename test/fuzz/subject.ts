import type { Members, Original } from './original.ts'
import type { Opinion } from './token-oracle.ts'

/** What the library said: `allow`, or the code of its refusal. */
export interface Verdict {
  readonly code: string
  /** Of an accepted token. */
  readonly claims?: Members | undefined
}

/** What is under fuzz: good originals, the library's verdict on a text, and the second opinion on it. */
export interface Subject {
  readonly originals: readonly Original[]
  decide(text: string, original: Original): Verdict | Promise<Verdict>
  /** The code that the building block has for the same, where there is one. */
  codeOfPart?(text: string, original: Original): Promise<string>
  oracle(text: string, original: Original): Promise<Opinion>
}
