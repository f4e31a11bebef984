import { Refusal } from '../../refusal.ts'

/**
 * Why a token is not sent to anybody, if so: only what can be one at all is, which is the characters of RFC 6750 §2.1,
 * and not too many of them.
 */
export function whyNotSendable(token: string): Refusal | undefined {
  if (token.length > maxLength) {
    return new Refusal('token_oversized', {
      expected: `at most ${maxLength} characters`,
      actual: `${token.length}`,
    })
  }
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return undefined
  return new Refusal('token_malformed', { expected: 'the characters of RFC 6750 §2.1', actual: 'others' })
}

const maxLength = 8192
