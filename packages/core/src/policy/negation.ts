import { ConfigurationError } from '../configuration-error.ts'
import type { Caller } from '../identity/caller.ts'
import { Refusal, quoted } from '../refusal.ts'
import { Authenticated } from './caller-requirements.ts'
import { AllOf, AnyOf, requireOpen, requirePart } from './combinations.ts'
import { isIndeterminate, wholeAnswerOf } from './indeterminate.ts'
import type { Occasion } from './occasion.ts'
import { Requirement } from './requirement.ts'
import { cut, lineOf } from './requirement-text.ts'

/**
 * The caller must not meet this. There has to be a caller all the same. All of it is evaluated, and an error anywhere in it
 * denies: `not` never turns what could not be decided into an allow.
 */
export function not(requirement: Requirement): Requirement {
  const part = requirePart(requirement, 'not(requirement)')
  requireOpen(part, 'not(requirement)')
  if (!isMetByAll(part)) return new Not(part)
  throw new ConfigurationError(
    'not(requirement)',
    `every caller meets ${part.text}, so the opposite refuses everybody: leave it out, or name who may not call`,
  )
}

class Not extends Requirement {
  readonly text: string
  /** None: a challenge tells callers what to ask their issuer for, and this is what they must not have. */
  readonly scopes: readonly string[] = none
  readonly contexts: readonly string[]
  readonly #part: Requirement

  constructor(part: Requirement) {
    super()
    this.text = lineOf('not', [part.text])
    this.contexts = part.contexts
    this.#part = part
    Object.freeze(this)
  }

  check(caller: Caller, nowMs: number, occasion: Occasion): Refusal | undefined {
    const answer = wholeAnswerOf(this.#part, caller, nowMs, occasion)
    if (answer !== undefined) return isIndeterminate(answer) ? answer : undefined
    return new Refusal('requirement_unmet', {
      expected: `a caller that does not meet ${cut(this.#part.text)}`,
      actual: `${quoted(caller.id)}, which does`,
    })
  }
}

function isMetByAll(part: Requirement): boolean {
  if (part instanceof AllOf) return part.parts.every(isMetByAll)
  if (part instanceof AnyOf) return part.parts.some(isMetByAll)
  return part instanceof Authenticated
}

const none: readonly string[] = Object.freeze([])
