import type { Caller } from '../identity/caller.ts'
import type { Refusal } from '../refusal.ts'

/** The answer to "may this request go on?". Continue on `outcome === 'allow'` and on nothing else. */
export type Decision = Allow | Deny

export interface Allow {
  readonly outcome: 'allow'
  /** Names this decision in events and logs. */
  readonly id: string
  /** Undefined where the route needs no caller and none was identified. */
  readonly caller: Caller | undefined
  /** Lower-case names: to be set on whatever is answered. Undefined where there are none. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Why it would have been refused where refusals are only recorded; undefined where it was allowed. */
  readonly observed: Refusal | undefined
  /** Only a guard makes one. */
  readonly [made]: true
}

export interface Deny {
  readonly outcome: 'deny'
  /** Names this decision in events and logs, and to the refused caller. */
  readonly id: string
  /** Why, for the operator. Never sent. */
  readonly refusal: Refusal
  /** What to send instead of an answer. */
  readonly response: RefusalResponse
  /** Only a guard makes one. */
  readonly [made]: true
}

/** A finished HTTP answer, to be written as it is. */
export interface RefusalResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

declare const made: unique symbol

export function allow(
  caller: Caller | undefined,
  newId: () => string,
  basis: object,
  headers?: Readonly<Record<string, string>>,
  observed?: Refusal,
): Allow {
  return new Allowed(caller, newId, basis, headers, observed) as unknown as Allow // the brand exists in types only
}

export function deny(id: string, refusal: Refusal, response: RefusalResponse, basis: object): Deny {
  return new Denied(id, refusal, response, basis) as unknown as Deny // the brand exists in types only
}

/** What a decision was made of; undefined for what no guard has made. */
export function basisOf(decision: object): object | undefined {
  if (decision instanceof Allowed) return Allowed.basisOf(decision)
  return decision instanceof Denied ? Denied.basisOf(decision) : undefined
}

class Denied {
  readonly outcome = 'deny'
  readonly id: string
  readonly refusal: Refusal
  readonly response: RefusalResponse
  readonly #basis: object

  constructor(id: string, refusal: Refusal, response: RefusalResponse, basis: object) {
    this.id = id
    this.refusal = refusal
    this.response = response
    this.#basis = basis
    Object.freeze(this)
  }

  static basisOf(decision: Denied): object {
    return decision.#basis
  }
}

// An allowed request rarely needs its id, so it is made when first asked for.
class Allowed {
  readonly outcome = 'allow'
  readonly caller: Caller | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly observed: Refusal | undefined
  readonly #newId: () => string
  readonly #basis: object
  #id: string | undefined

  constructor(
    caller: Caller | undefined,
    newId: () => string,
    basis: object,
    headers: Readonly<Record<string, string>> | undefined,
    observed: Refusal | undefined,
  ) {
    this.caller = caller
    this.headers = headers
    this.observed = observed
    this.#newId = newId
    this.#basis = basis
  }

  get id(): string {
    this.#id ??= this.#newId()
    return this.#id
  }

  static basisOf(decision: Allowed): object {
    return decision.#basis
  }
}
