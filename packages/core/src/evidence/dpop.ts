import { isRepeated } from '../request/headers.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { Refusal } from '../refusal.ts'
import { whyTooLong } from './length.ts'

/**
 * The request's one DPoP proof as it came, absent, or refused because there are several (RFC 9449 §4.3). Nothing in it is
 * looked at.
 */
export function readProof(request: InboundRequest): string | undefined | Refusal {
  const value = request.headers['dpop']
  if (value === undefined) return undefined
  // Node joins the values of a repeated field by a comma, and a proxy may have done so before: no proof contains one.
  if (typeof value !== 'string' || value.includes(',') || isRepeated(request.rawHeaders, 'dpop')) {
    return duplicated
  }
  return boundProof(value)
}

/** The proof, or a refusal where it is longer than any is. */
export const boundProof = (proof: string): string | Refusal => whyTooLong(proof, 'a DPoP proof of ') ?? proof

const duplicated = new Refusal('dpop_proof_duplicated', {
  expected: 'one DPoP field',
  actual: 'several',
  advice: 'send one proof for each request, and find the hop that repeats the field or adds its own',
})
