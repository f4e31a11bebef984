import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { markCopy, rejectForeignCopy } from '../copy.ts'
import { Requirement } from './requirement.ts'

/** A route that reads no credential and has no caller. */
export class Unprotected {
  readonly text: string
  readonly reason: string

  constructor(reason: string) {
    markCopy(this)
    this.reason = requireReason(reason, 'unprotected')
    this.text = `unprotected(${this.reason})`
    Object.freeze(this)
  }
}

/** A route that verifies what is presented and also answers who presents nothing. */
export class CallerOptional {
  readonly text: string
  readonly reason: string

  constructor(reason: string) {
    markCopy(this)
    this.reason = requireReason(reason, 'callerOptional')
    this.text = `callerOptional(${this.reason})`
    Object.freeze(this)
  }
}

/** All that can be said of a route: a requirement, or one of the two ways to have none. These two never nest. */
export type Placement = Requirement | Unprotected | CallerOptional

/**
 * Everybody may call this route: no credential is read, and there is no caller. The reason is kept in the census.
 * It asks nothing, so inside a router that asks something the router's requirement stays.
 */
export const unprotected = (reason: string): Unprotected => new Unprotected(reason)

/**
 * Who presents no credential may call this route too; `callerOf(req)` is then undefined. A credential that is
 * presented is verified, and refused when it does not hold: an invalid caller never becomes an anonymous one.
 */
export const callerOptional = (reason: string): CallerOptional => new CallerOptional(reason)

/** Checks that a value says who may call, and was made by this very copy of the library. */
export function requirePlacement(value: unknown, option: string): Placement {
  if (isPlacement(value)) return value
  rejectForeignCopy(value, option)
  throw new ConfigurationError(
    option,
    `expected a requirement, such as scopes('orders:read'), or unprotected('why'), got ${describeValue(value)}`,
  )
}

/** True for what says who may call, and was made by this very copy of the library. */
export const isPlacement = (value: unknown): value is Placement =>
  value instanceof Requirement || value instanceof Unprotected || value instanceof CallerOptional

/** True for what asks something of a caller, false for the two ways to ask nothing. */
export const isRequirement = (placement: Placement | undefined): placement is Requirement =>
  placement instanceof Requirement

function requireReason(reason: unknown, name: string): string {
  if (typeof reason === 'string' && reason.trim() !== '') return reason
  throw new ConfigurationError(
    `${name}(reason)`,
    `say why in a sentence, such as ${name}('liveness probe, returns no data')`,
  )
}
