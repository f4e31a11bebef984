import { Refusal } from '../refusal.ts'

/** Longer tokens and proofs are refused before anything is decoded. */
export const maxTokenLength = 8192

/** The refusal of what is longer than any token or proof is. `kind` stands before the bound: `a DPoP proof of `. */
export function whyTooLong(text: string, kind = ''): Refusal | undefined {
  if (text.length <= maxTokenLength) return undefined
  return new Refusal('token_oversized', {
    expected: `${kind}at most ${maxTokenLength} characters`,
    actual: `${text.length}`,
  })
}
