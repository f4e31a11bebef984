import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { markCopy, rejectForeignCopy } from '../copy.ts'
import type { Caller } from '../identity/caller.ts'
import { Refusal, quoted } from '../refusal.ts'
import { parseCallerPattern } from './caller-pattern.ts'
import type { Occasion } from './occasion.ts'
import { requireScopeName, type ScopeName } from './scope.ts'

/** What a route asks of its caller. Made by `scopes`, `callerIs` and their kin; it cannot be written by hand. */
export abstract class Requirement {
  /** One readable line, such as `allOf(scopes(orders:read), authenticated())`. */
  abstract readonly text: string
  /** Every scope named in it, for the challenge of a refusal (RFC 6750 §3). */
  abstract readonly scopes: readonly string[]
  /** The user authentication that it asks for, for the challenge of a refusal (RFC 9470 §3). */
  readonly stepUp: StepUp | undefined
  /** The names of the context that it has to know (`occasion.context`). */
  abstract readonly contexts: readonly string[]
  /** What of it is enforced even where refusals are only recorded. */
  readonly enforced: Requirement | undefined = undefined

  constructor(stepUp?: StepUp) {
    markCopy(this)
    this.stepUp = Object.freeze(stepUp)
    Object.freeze(stepUp?.acrValues)
  }

  /** Undefined if the caller meets it at that time, else why not. Any other outcome, an exception too, denies. */
  abstract check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined
}

/** How a user must have been authenticated. */
export interface StepUp {
  /** One of these authentication context classes will do; empty for any. */
  readonly acrValues: readonly string[]
  /** How many seconds ago at most; undefined for any time. */
  readonly maxAgeSeconds: number | undefined
}

/** The caller must have all of these scopes. */
export function scopes(...names: [ScopeName, ...ScopeName[]]): Requirement {
  requireSome(names, 'scopes', "a scope, such as scopes('orders:read')")
  return new ScopesRequirement(names.map((name, i) => requireScopeName(name, `scopes(…)[${i}]`)))
}

/**
 * The caller must be one of these. `*` stands for exactly one whole path segment of a SPIFFE ID, never for the trust
 * domain: `callerIs('spiffe://prod.example/ns/shop/sa/*')`. Beside a user, it is the calling service that counts.
 */
export function callerIs(...patterns: [string, ...string[]]): Requirement {
  requireSome(patterns, 'callerIs', "a caller, such as callerIs('spiffe://prod.example/ns/shop/sa/checkout')")
  const parsed = patterns.map((pattern, i) => parseCallerPattern(pattern, `callerIs(…)[${i}]`))
  return new OtherRequirement({
    text: `callerIs(${patterns.join(', ')})`,
    check: (caller) =>
      parsed.some((pattern) => pattern.matches(caller.id))
        ? undefined
        : new Refusal('caller_not_allowed', { expected: patterns.join(' or '), actual: quoted(caller.id) }),
  })
}

/** Anyone whose credential was verified. */
export function authenticated(): Requirement {
  return new OtherRequirement({ text: 'authenticated()', check: () => undefined })
}

/** The caller must meet every one of these. */
export function allOf(...requirements: [Requirement, ...Requirement[]]): Requirement {
  const parts = requireAll(requirements, 'allOf')
  return new OtherRequirement({
    ...needsOf(parts),
    text: `allOf(${textsOf(parts)})`,
    check: (caller, nowMs, occasion) => firstShortfall(parts, caller, nowMs, occasion),
  })
}

/** The caller must meet at least one of these. */
export function anyOf(...requirements: [Requirement, ...Requirement[]]): Requirement {
  const parts = requireAll(requirements, 'anyOf')
  const check: Check = (caller, nowMs, occasion) => {
    const shortfalls: Refusal[] = []
    for (const part of parts) {
      const shortfall = part.check(caller, nowMs, occasion)
      if (shortfall === undefined) return undefined
      shortfalls.push(shortfall)
    }
    const [first] = shortfalls
    const code =
      first !== undefined && shortfalls.every((each) => each.code === first.code)
        ? first.code
        : 'requirement_unmet'
    return new Refusal(code, {
      expected: shortfalls.map(({ detail }) => detail.expected ?? '').join(', or '),
      actual: first?.detail.actual ?? quoted(caller.id),
    })
  }
  return new OtherRequirement({ ...needsOf(parts), text: `anyOf(${textsOf(parts)})`, check })
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

class ScopesRequirement extends Requirement {
  readonly contexts: readonly string[] = []
  readonly text: string
  readonly scopes: readonly string[]

  constructor(names: readonly string[]) {
    super()
    this.scopes = Object.freeze([...names])
    this.text = `scopes(${names.join(', ')})`
    Object.freeze(this)
  }

  check(caller: Caller): Refusal | undefined {
    for (const scope of this.scopes) if (!caller.scopes.has(scope)) return this.#shortfall(caller)
    return undefined
  }

  #shortfall(caller: Caller): Refusal {
    const held = [...caller.scopes].slice(0, 16).join(' ')
    return new Refusal('scope_missing', {
      expected: this.scopes.join(' '),
      actual: held === '' ? 'no scopes' : held,
      advice: `grant ${quoted(caller.id)} what is missing: by its issuer, and in \`grants\` where the guard has any`,
    })
  }
}

type Check = (caller: Caller, nowMs: number, occasion: Occasion) => Refusal | undefined

/** What a requirement is made of. */
export interface RequirementParts {
  readonly text: string
  readonly scopes?: readonly string[]
  readonly contexts?: readonly string[]
  readonly stepUp?: StepUp | undefined
  readonly check: Check
}

/** A requirement made of a function. */
export class OtherRequirement extends Requirement {
  readonly text: string
  readonly scopes: readonly string[]
  readonly contexts: readonly string[]
  readonly check: Check

  constructor({ text, scopes: named = [], contexts = [], stepUp, check }: RequirementParts) {
    super(stepUp)
    this.text = text
    this.scopes = Object.freeze([...new Set(named)])
    this.contexts = Object.freeze([...new Set(contexts)])
    this.check = check
    Object.freeze(this)
  }
}

function firstShortfall(
  parts: readonly Requirement[],
  caller: Caller,
  nowMs: number,
  occasion: Occasion,
): Refusal | undefined {
  for (const part of parts) {
    const shortfall = part.check(caller, nowMs, occasion)
    if (shortfall !== undefined) return shortfall
  }
  return undefined
}

/** An empty requirement would allow everybody. */
export function requireSome(values: readonly unknown[], name: string, what: string): void {
  if (values.length === 0) {
    throw new ConfigurationError(`${name}()`, `expected at least ${what}; an empty one would allow everybody`)
  }
}

function requireAll(values: readonly unknown[], name: string): readonly Requirement[] {
  requireSome(values, name, 'one requirement')
  return values.map((value, i) => requireRequirement(value, `${name}(…)[${i}]`))
}

const textsOf = (parts: readonly Requirement[]): string => parts.map(({ text }) => text).join(', ')

const needsOf = (parts: readonly Requirement[]): Omit<RequirementParts, 'text' | 'check'> => ({
  scopes: parts.flatMap(({ scopes: named }) => named),
  contexts: parts.flatMap(({ contexts }) => contexts),
  stepUp: stepUpOf(parts),
})

// A caller can only ask its issuer once: for everything that any part wants.
function stepUpOf(parts: readonly Requirement[]): StepUp | undefined {
  const asked = parts.flatMap(({ stepUp }) => (stepUp === undefined ? [] : [stepUp]))
  if (asked.length === 0) return undefined
  const ages = asked.flatMap(({ maxAgeSeconds }) => (maxAgeSeconds === undefined ? [] : [maxAgeSeconds]))
  return {
    acrValues: [...new Set(asked.flatMap(({ acrValues }) => acrValues))],
    maxAgeSeconds: ages.length === 0 ? undefined : Math.min(...ages),
  }
}
