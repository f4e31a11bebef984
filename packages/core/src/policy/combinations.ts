import { ConfigurationError } from '../configuration-error.ts'
import type { Caller } from '../identity/caller.ts'
import { Refusal, quoted } from '../refusal.ts'
import { answerOf, isIndeterminate, wholeAnswerOf } from './indeterminate.ts'
import type { Occasion } from './occasion.ts'
import { CallerOptional, Unprotected } from './placement.ts'
import { Requirement, requireRequirement, requireSome, type Lack, type StepUp } from './requirement.ts'
import { lineOf, listed } from './requirement-text.ts'

/** The caller must meet every one of these. */
export function allOf(...requirements: [Requirement, ...Requirement[]]): Requirement {
  return new AllOf(requireParts(requirements, 'allOf'))
}

/** The caller must meet at least one of these. An error in one does not matter where another is met. */
export function anyOf(...requirements: [Requirement, ...Requirement[]]): Requirement {
  const parts = requireParts(requirements, 'anyOf')
  for (const [i, part] of parts.entries()) requireOpen(part, `anyOf(…)[${i}]`)
  return new AnyOf(parts)
}

/**
 * Refused also while the service only observes: `enforced(scopes('admin:write'))`. It stands alone or in `allOf`. Where refusals are
 * refusals, it changes nothing.
 */
export function enforced(requirement: Requirement): Requirement {
  return new Enforced(requirePart(requirement, 'enforced(…)'))
}

/** Of alternatives, and of what must not be, no part can be enforced by itself. */
export function requireOpen(part: Requirement, option: string): void {
  if (part.enforced === undefined) return
  throw new ConfigurationError(
    option,
    `${part.text} is enforced as a whole: write enforced(…) around all of it, or in allOf(…)`,
  )
}

/** Checks that a value is a requirement, and not one of the two ways to have none. */
export function requirePart(value: unknown, option: string): Requirement {
  if (value instanceof Unprotected || value instanceof CallerOptional) {
    throw new ConfigurationError(
      option,
      `expected a requirement: ${value.text} stands alone on its route, and is no part of anything`,
    )
  }
  return requireRequirement(value, option)
}

abstract class Combination extends Requirement {
  readonly text: string
  readonly scopes: readonly string[]
  readonly contexts: readonly string[]
  readonly parts: readonly Requirement[]

  constructor(name: string, parts: readonly Requirement[], always?: Requirement) {
    super(stepUpOf(parts), always)
    this.parts = Object.freeze(parts)
    this.text = lineOf(
      name,
      parts.map(({ text }) => text),
    )
    this.scopes = Object.freeze([...new Set(parts.flatMap(({ scopes }) => scopes))])
    this.contexts = Object.freeze([...new Set(parts.flatMap(({ contexts }) => contexts))])
    Object.freeze(this)
  }
}

/** Kleene's conjunction: what is not met decides before what failed. */
export class AllOf extends Combination {
  constructor(parts: readonly Requirement[]) {
    super('allOf', parts, enforcedOf(parts))
  }

  check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    let error: Refusal | undefined
    for (const part of this.parts) {
      const answer = answerOf(part, caller, nowMs, occasion)
      if (answer === undefined) continue
      if (!isIndeterminate(answer)) return answer
      error ??= answer
    }
    return error
  }

  override lacking(caller: Caller, nowMs: number, occasion: Occasion): readonly Lack[] {
    return this.parts.flatMap((part) => part.lacking(caller, nowMs, occasion))
  }

  override checkWhole(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    let shortfall: Refusal | undefined
    for (const part of this.parts) {
      const answer = wholeAnswerOf(part, caller, nowMs, occasion)
      if (answer === undefined) continue
      if (isIndeterminate(answer)) return answer
      shortfall ??= answer
    }
    return shortfall
  }
}

class Enforced extends Requirement {
  readonly text: string
  readonly scopes: readonly string[]
  readonly contexts: readonly string[]
  readonly #inner: Requirement

  constructor(inner: Requirement) {
    super(inner.stepUp, inner)
    this.#inner = inner
    this.text = lineOf('enforced', [inner.text])
    this.scopes = inner.scopes
    this.contexts = inner.contexts
    Object.freeze(this)
  }

  check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    return this.#inner.check(caller, nowMs, occasion)
  }

  override lacking(caller: Caller, nowMs: number, occasion: Occasion): readonly Lack[] {
    return this.#inner.lacking(caller, nowMs, occasion)
  }

  override checkWhole(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    return this.#inner.checkWhole(caller, nowMs, occasion)
  }
}

function enforcedOf(parts: readonly Requirement[]): Requirement | undefined {
  const found = parts.flatMap((part) => part.enforced ?? [])
  return found.length > 1 ? new AllOf(found) : found[0]
}

/** Kleene's disjunction: what is met decides before what failed. */
export class AnyOf extends Combination {
  constructor(parts: readonly Requirement[]) {
    super('anyOf', parts)
  }

  check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    const answers: Refusal[] = []
    for (const part of this.parts) {
      const answer = answerOf(part, caller, nowMs, occasion)
      if (answer === undefined) return undefined
      answers.push(answer)
    }
    return answers.find(isIndeterminate) ?? this.#noneOf(answers, caller)
  }

  override lacking(caller: Caller, nowMs: number, occasion: Occasion): readonly Lack[] {
    const [first = [], ...others] = this.parts.map((part) => part.lacking(caller, nowMs, occasion))
    return others.reduce((least, each) => (each.length < least.length ? each : least), first)
  }

  override checkWhole(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    const answers = this.parts.map((part) => wholeAnswerOf(part, caller, nowMs, occasion))
    const error = answers.find((answer) => answer !== undefined && isIndeterminate(answer))
    return error ?? (answers.includes(undefined) ? undefined : answers[0])
  }

  #noneOf(answers: readonly Refusal[], caller: Caller): Refusal {
    const codes = new Set(answers.map(({ code }) => code))
    const [code = 'requirement_unmet'] = codes.size === 1 ? codes : []
    // One shortfall of an `allOf` is not all that the alternative asks.
    const expected = answers.map(({ detail }, i) => {
      const part = this.parts[i]
      return part instanceof AllOf ? part.text : (detail.expected ?? '')
    })
    return new Refusal(code, {
      expected: listed(expected, ', or '),
      actual: answers[0]?.detail.actual ?? quoted(caller.id),
    })
  }
}

function requireParts(values: readonly unknown[], name: string): readonly Requirement[] {
  requireSome(values, name, 'one requirement')
  return values.map((value, i) => requirePart(value, `${name}(…)[${i}]`))
}

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
