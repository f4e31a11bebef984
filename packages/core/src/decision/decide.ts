import type { Caller } from '../identity/caller.ts'
import type { Occasion } from '../policy/occasion.ts'
import { CallerOptional, Unprotected, type Placement } from '../policy/placement.ts'
import { Refusal } from '../refusal.ts'

/**
 * Whether a caller may pass a placement: undefined if so, else why not. Without a caller, only the two placements
 * that say so in words let anyone by.
 */
export function decide(
  caller: Caller | undefined,
  placement: Placement,
  nowMs: number,
  occasion: Occasion,
  missing: Refusal = noCredential,
): Refusal | undefined {
  if (placement instanceof Unprotected || placement instanceof CallerOptional) return undefined
  return caller === undefined ? missing : placement.check(caller, nowMs, occasion)
}

const noCredential = new Refusal('credential_missing', {
  expected: 'a credential',
  actual: 'none',
  advice:
    'have the caller send `Authorization: Bearer <token>`, or a client certificate where the guard trusts any',
})
