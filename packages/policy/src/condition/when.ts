import type { Requirement } from '@countersign/core'
import { OtherRequirement, Refusal, type Occasion } from '@countersign/core/adapter'
import { compileCondition } from './compile-condition.ts'

/**
 * A condition in CEL must be true: `when('resource.params.tenant == caller.claims.tenant')`. It reads `caller`, `request`,
 * `resource`, `time` and `context.<name>`, which the context provider of that name says.
 *
 * It is checked when it is written: a name that does not exist, a type that cannot fit and a function that could run for long
 * throw a `ConfigurationError`. What fails when it is evaluated, such as a claim that is not there, denies, also under `not`.
 */
export function when(expression: string): Requirement {
  const { contexts, decide } = compileCondition(expression)
  const text = cut(expression.trim().replaceAll(/\s+/g, ' '))
  return new OtherRequirement({
    text: `when(${text})`,
    contexts,
    check: (caller, nowMs, occasion) => {
      // Before anything is evaluated: `has(context.device)` would take what was not asked for yet for something that is not there.
      const missing = contexts.find((name) => !isSaid(occasion.context, name))
      if (missing !== undefined) return withoutContext(missing)
      const decided = decide(caller, nowMs, occasion)
      if (decided === true) return undefined
      if (decided === false) return new Refusal('requirement_unmet', { expected: text, actual: 'false' })
      return new Refusal('condition_failed', {
        expected: text,
        actual: decided.failure,
        advice: 'ask `has(…)` before reading what may not be there, and compare only values of one kind',
      })
    },
  })
}

const withoutContext = (name: string): Refusal =>
  new Refusal('context_unavailable', {
    expected: `\`context.${name}\``,
    actual: 'nothing',
    advice: `give the guard a provider, \`context: { ${name}: … }\`, that answers in time`,
  })

const cut = (text: string): string => (text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`)

const maxLength = 200

const isSaid = (context: Occasion['context'], name: string): boolean =>
  Object.hasOwn(context, name) && context[name] !== undefined
