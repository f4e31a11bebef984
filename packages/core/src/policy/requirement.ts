import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { markCopy, rejectForeignCopy } from '../copy.ts'
import type { Caller } from '../identity/caller.ts'
import type { Refusal } from '../refusal.ts'
import type { Occasion } from './occasion.ts'

/** What a route asks of its caller. Made by `scopes`, `callerIs` and their kin; it cannot be written by hand. */
export abstract class Requirement {
  /** One readable line, such as `allOf(scopes(orders:read), authenticated())`. Long lists are cut short. */
  abstract readonly text: string
  /** Every scope named in it, for the challenge of a refusal (RFC 6750 §3). */
  abstract readonly scopes: readonly string[]
  /** The user authentication that it asks for, for the challenge of a refusal (RFC 9470 §3). */
  readonly stepUp: StepUp | undefined
  /** The names of the context that it has to know (`occasion.context`). */
  abstract readonly contexts: readonly string[]
  /** What of it is enforced even where refusals are only recorded. */
  readonly enforced: Requirement | undefined

  constructor(stepUp?: StepUp, enforced?: Requirement) {
    markCopy(this)
    this.enforced = enforced
    this.stepUp = Object.freeze(stepUp)
    Object.freeze(stepUp?.acrValues)
  }

  /** Undefined if the caller meets it at that time, else why not. Any other outcome, an exception too, denies. */
  abstract check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined

  /** What would have to be different for the caller to meet it, as few things as possible; empty where it is met. */
  lacking(caller: Caller, nowMs: number, occasion: Occasion): readonly Lack[] {
    const refusal = this.check(caller, nowMs, occasion)
    return refusal === undefined ? [] : [{ requirement: this.text, refusal }]
  }

  /** As `check`, but no part is passed over. So `not` asks: an error that it did not see would let the caller by. */
  checkWhole(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    return this.check(caller, nowMs, occasion)
  }
}

/** Something that a caller lacks: a scope, or whatever else a requirement asks. */
export type Lack = { readonly scope: string } | { readonly requirement: string; readonly refusal: Refusal }

/** How a user must have been authenticated. */
export interface StepUp {
  /** One of these authentication context classes will do; empty for any. */
  readonly acrValues: readonly string[]
  /** How many seconds ago at most; undefined for any time. */
  readonly maxAgeSeconds: number | undefined
}

/** What a requirement is made of. */
export interface RequirementParts {
  readonly text: string
  readonly scopes?: readonly string[]
  readonly contexts?: readonly string[]
  readonly stepUp?: StepUp | undefined
  readonly check: (caller: Caller, nowMs: number, occasion: Occasion) => Refusal | undefined
  /** The scopes that would do, as few as possible; undefined where scopes alone would not. */
  readonly missing?: (caller: Caller) => readonly string[] | undefined
}

/** A requirement made of a function. */
export class OtherRequirement extends Requirement {
  readonly text: string
  readonly scopes: readonly string[]
  readonly contexts: readonly string[]
  readonly check: RequirementParts['check']
  readonly #missing: RequirementParts['missing']

  constructor({ text, scopes: named = [], contexts = [], stepUp, check, missing }: RequirementParts) {
    super(stepUp)
    this.#missing = missing
    this.text = text
    this.scopes = Object.freeze([...new Set(named)])
    this.contexts = Object.freeze([...new Set(contexts)])
    this.check = check
    Object.freeze(this)
  }

  override lacking(caller: Caller, nowMs: number, occasion: Occasion): readonly Lack[] {
    const scopes = this.#missing?.(caller)
    return scopes === undefined ? super.lacking(caller, nowMs, occasion) : scopes.map((scope) => ({ scope }))
  }
}

/** Checks that a value is a requirement of this very copy of the library. */
export function requireRequirement(value: unknown, option: string): Requirement {
  rejectForeignCopy(value, option)
  if (value instanceof Requirement) return value
  throw new ConfigurationError(
    option,
    `expected a requirement, such as scopes('orders:read'), got ${describeValue(value)}`,
  )
}

/** An empty requirement would allow everybody. */
export function requireSome(values: readonly unknown[], name: string, what: string): void {
  if (values.length === 0) {
    throw new ConfigurationError(`${name}()`, `expected at least ${what}; an empty one would allow everybody`)
  }
}
