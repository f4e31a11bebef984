import type { DecisionEvent } from '@countersign/core'
import type { Call, Outcome } from '../../examples/mesh-demo/src/calls/call.ts'

const call: Call = {
  caller: 'checkout',
  callee: 'orders',
  route: 'GET /orders/:id',
  path: '/orders/1',
  scope: 'orders:read',
  credential: 'token',
  expect: 'allow',
}

const event: DecisionEvent = {
  id: 'd1',
  at: 0,
  outcome: 'allow',
  mode: 'enforce',
  code: null,
  method: 'GET',
  route: 'GET /orders/:id',
  requirement: 'scopes(orders:read)',
  caller: 'spiffe://shop.example/ns/shop/sa/checkout',
  provenBy: ['token'],
  verification: 'fresh',
  expected: null,
  actual: null,
  advice: null,
  issuer: null,
  durationMs: 1,
}

/** A call that was allowed as expected, but for what is said. */
export const allowedOutcome = (said: {
  readonly call?: Partial<Call>
  readonly event?: Partial<DecisionEvent>
  readonly status?: number
  readonly body?: string
  readonly candidate?: Outcome['candidate']
}): Outcome => ({
  call: { ...call, ...said.call },
  status: said.status ?? 200,
  body: said.body ?? '{}',
  ms: 1,
  event: { ...event, ...said.event },
  candidate: said.candidate,
})

/** A call that was refused as expected, but for what is said. */
export const refusedOutcome = (said: {
  readonly call?: Partial<Call>
  readonly event?: Partial<DecisionEvent>
  readonly status?: number
  readonly body?: string
}): Outcome => ({
  call: { ...call, credential: 'expired token', expect: 'token_expired', ...said.call },
  status: said.status ?? 401,
  body: said.body ?? '{"error":"invalid_token","decision":"d1"}',
  ms: 1,
  event: { ...event, outcome: 'deny', code: 'token_expired', caller: null, provenBy: [], ...said.event },
  candidate: undefined,
})
