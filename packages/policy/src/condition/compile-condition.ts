import { ConfigurationError, type Caller } from '@countersign/core'
import { ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js'
import { quoted, type Occasion } from '@countersign/core/adapter'
import { celValue } from './cel-value.ts'
import { checkExpression, type Reads } from './check-expression.ts'
import { conditionEnvironment } from './environment.ts'
import { meteredText } from './metered-text.ts'
import { variables } from './variables.ts'

/** An expression, ready to be evaluated. */
export interface Condition {
  /** The names of the context that it reads. */
  readonly contexts: readonly string[]
  /** What it says of a caller: true, false, or why it says neither. Throws nothing. */
  readonly decide: (...facts: Facts) => boolean | Undecided
}

type Facts = readonly [caller: Caller, nowMs: number, occasion: Occasion]

/** Why an expression has no value, as a code; never with the values that it read. */
export interface Undecided {
  readonly failure: string
}

/** Parses and checks a CEL expression, as far as that can be done before it is evaluated. */
export function compileCondition(expression: unknown): Condition {
  const environment = conditionEnvironment()
  const { reads, evaluate } = checked(expression)
  const read = readersOf(reads)
  const decide: Condition['decide'] = (...facts) => {
    environment.meter.start()
    environment.scopes = facts[0].scopes
    try {
      const result: unknown = evaluate(read(...facts))
      return typeof result === 'boolean' ? result : { failure: 'neither true nor false' }
    } catch (error) {
      return { failure: codeOf(error) }
    } finally {
      environment.scopes = undefined
    }
  }
  return { contexts: [...reads.contexts], decide }
}

function checked(expression: unknown): {
  readonly reads: Reads
  readonly evaluate: (values: ReadonlyMap<string, unknown>) => unknown
} {
  if (typeof expression !== 'string' || expression.trim() === '') {
    throw refusedFor('expected a CEL expression, such as `resource.params.tenant == caller.claims.tenant`')
  }
  if (expression.length > maxLength) throw refusedFor(`expected at most ${maxLength} characters`)
  const { written, metered } = conditionEnvironment()
  try {
    const parsed = written.parse(expression)
    const reads = checkExpression(parsed.ast)
    const { valid, type, error } = parsed.check()
    if (!valid) throw error ?? new Error('its types do not fit')
    if (type !== 'bool' && type !== 'dyn') {
      throw new Error(`expected true or false, and it makes a value of the type ${type}`)
    }
    const evaluate = metered.parse(meteredText(parsed.ast))
    const { error: unfit } = evaluate.check()
    if (unfit !== undefined) throw unfit
    return { reads, evaluate }
  } catch (error) {
    throw refusedFor(problemOf(error, expression))
  }
}

/** Only what the expression reads is made. */
function readersOf({ fields, contexts }: Reads): (...facts: Facts) => ReadonlyMap<string, unknown> {
  const readers = [...fields].map(
    ([root, names]) =>
      [root, [...names].map((name) => [name, variables[root]?.[name]?.read] as const)] as const,
  )
  return (caller, nowMs, occasion) => {
    const values = new Map<string, unknown>([['time', new Date(nowMs)]])
    for (const [root, reads] of readers) {
      values.set(root, new Map(reads.map(([name, read]) => [name, read?.(caller, occasion)])))
    }
    const { context } = occasion
    const known = [...contexts].filter((name) => Object.hasOwn(context, name) && context[name] !== undefined)
    values.set('context', new Map(known.map((name) => [name, celValue(context[name])])))
    return values
  }
}

const refusedFor = (problem: string): ConfigurationError => new ConfigurationError('when(…)', problem)

function problemOf(error: unknown, expression: string): string {
  if (error instanceof ParseError || error instanceof CelTypeError) {
    const { summary, range } = error
    const excerpt = expression.slice(range?.start, range?.end)
    const where = excerpt === '' ? ', at its end' : `, at ${quoted(excerpt)}`
    return `${summary.charAt(0).toLowerCase()}${summary.slice(1)}${where}`
  }
  return error instanceof Error ? error.message : 'it cannot be read'
}

// A message of the library can hold what it read.
function codeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'failed'
}

const maxLength = 2000
