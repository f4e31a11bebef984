// Callers with what a policy document would say of them: made by a real guard, and then given that.
import type { Caller } from '@countersign/core'
import { callerFor } from './asking.ts'
import { createHouse } from './house.ts'

const house = createHouse()

/** A service whose token has these claims. */
export const serviceWith = (claims: Readonly<Record<string, unknown>> = {}): Promise<Caller> =>
  callerFor(house.guard, house.token(claims))

/** A user whose token has these claims. */
export const userWith = (claims: Readonly<Record<string, unknown>> = {}): Promise<Caller> =>
  callerFor(house.guard, house.token({ sub: 'alice', ...claims }))

/** The same caller in these zones. */
export const inZones = (caller: Caller, ...zones: readonly string[]): Caller =>
  Object.freeze({ ...caller, zones }) // what a guard made, and one thing that only policy says
