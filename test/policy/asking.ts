// What a condition says of a caller.
import type { Caller, InboundRequest, Refusal } from '@countersign/core'
import type { Occasion } from '@countersign/core/adapter'
import { when } from '@countersign/policy'
import { occasion } from '../core/support/occasion.ts'

/** What is asked for; whatever is left out is plain. */
export interface Asked extends Partial<Omit<Occasion, 'request'>> {
  readonly request?: Partial<InboundRequest>
}

export function refusalOf(
  expression: string,
  caller: Caller,
  { request, ...asked }: Asked = {},
  nowMs: number = Date.UTC(2026, 10, 22, 16, 30),
): Refusal | undefined {
  const full = { ...occasion, ...asked, request: { ...occasion.request, ...request } }
  return when(expression).check(caller, nowMs, full)
}

/** `true`, `false`, or the code of the failure. */
export function saidOf(...asking: Parameters<typeof refusalOf>): string {
  const refusal = refusalOf(...asking)
  return refusal === undefined ? 'true' : String(refusal.detail.actual)
}
