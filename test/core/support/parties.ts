// A service and a user: a workload with a certificate, tokens of either, and guards that take both.
import { authenticated, createGuard, type Decision, type Guard } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { connectionOf, present, requestWith } from './asking.ts'
import { claimsAt, issuer } from './house.ts'
import { createRawSigner } from './raw-signer.ts'

export type Credentials = { readonly token?: string; readonly svid?: { readonly der: Uint8Array } }

export const clock = createTestClock()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
export const checkout = await ca.svid('/ns/shop/sa/checkout')
export const reports = await ca.svid('/ns/back/sa/reports')
const signer = createRawSigner()
export const jwks = { keys: [signer.jwk] }

export function guardOf(
  { represents }: { represents: 'auto' | 'workload' | 'user' },
  grants?: Record<string, readonly string[]>,
): Guard {
  return createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer, jwks, represents, workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] }],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      ...(grants === undefined ? {} : { grants }),
      log: false,
    },
    { clock },
  )
}

export function tokenOf(changes: Record<string, unknown> = {}): string {
  return signer.jws({ alg: 'ES256', typ: 'at+jwt' }, { ...claimsAt(clock), ...changes })
}

export async function ask(
  guard: Guard,
  { token, svid }: Credentials,
  placement: Parameters<Guard['decide']>[1] = authenticated(),
): Promise<Decision> {
  const socket = svid === undefined ? {} : connectionOf(svid)
  return guard.decide(requestWith(token === undefined ? undefined : `Bearer ${token}`, socket), placement)
}

export async function scopesOf(guard: Guard, credentials: Credentials): Promise<readonly string[]> {
  const decision = await ask(guard, credentials)
  if (decision.outcome === 'deny') throw new Error(`expected a caller, got ${decision.refusal.code}`)
  return [...present(decision.caller).scopes]
}
