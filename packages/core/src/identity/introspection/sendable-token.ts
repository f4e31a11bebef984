import { whyTooLong } from '../../evidence/length.ts'
import { Refusal } from '../../refusal.ts'

/**
 * Why a token is not sent to anybody, if so: only what can be one at all is, which is the characters of RFC 6750 §2.1,
 * and not too many of them.
 */
export function whyNotSendable(token: string): Refusal | undefined {
  const tooLong = whyTooLong(token)
  if (tooLong !== undefined) return tooLong
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return undefined
  return new Refusal('token_malformed', { expected: 'the characters of RFC 6750 §2.1', actual: 'others' })
}
