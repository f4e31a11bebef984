// The calls that are let pass for now, and recorded: what a callee only observes, and what its next policy would refuse.
import { readCart, readOrder } from './allowed.ts'
import type { Call, Experiment } from './call.ts'

export const listOrders: Call = {
  ...readOrder,
  route: 'GET /orders',
  path: '/orders',
  credential: 'certificate',
  observed: 'scope_missing',
}

export const recorded: readonly Experiment[] = [
  { call: listOrders },
  { call: { ...readCart, credential: 'token', candidate: 'scope_missing' } },
]
