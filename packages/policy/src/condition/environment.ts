import type { ScopeSet } from '@countersign/core'
import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { Meter } from './meter.ts'
import { variables } from './variables.ts'

/** CEL with our variables. */
export interface ConditionEnvironment {
  /** For what people write. */
  readonly written: Environment
  /** For what `meteredText` makes of it. */
  readonly metered: Environment
  readonly meter: Meter
  /** What `x in caller.scopes` asks; set for the time of one evaluation. */
  scopes: ScopeSet | undefined
}

/** One for all conditions: nothing waits while one is evaluated, so none can see what another one spends. */
export function conditionEnvironment(): ConditionEnvironment {
  return (made ??= createEnvironment())
}

let made: ConditionEnvironment | undefined

function createEnvironment(): ConditionEnvironment {
  const written = new Environment({ limits: limitsOfText })
  for (const [name, fields] of Object.entries(variables)) {
    const schema = Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, type]))
    written.registerVariable({ name, schema })
  }
  written
    .registerVariable('context', 'map<string, dyn>')
    .registerVariable('time', 'google.protobuf.Timestamp')

  const metered = written.clone({ limits: limitsOfMetered })
  const environment = { written, metered, meter: new Meter(), scopes: undefined }
  registerMeter(environment)
  return environment
}

// Macros, so that the types that are known of an expression stay known.
function registerMeter(environment: ConditionEnvironment): void {
  const { metered, meter } = environment
  const macro = (signature: string, evaluate: (evaluation: Evaluation) => unknown): void => {
    metered.registerFunction(signature, ({ args: [node, price] }: { args: readonly ASTNode[] }) => ({
      async: false,
      typeCheck: (checker: Checker, _: unknown, scope: unknown) => checker.check(node, scope),
      evaluate: (evaluator: Evaluator, _: unknown, scope: unknown) =>
        evaluate({ value: () => evaluator.run(node, scope), price: Number(price?.args ?? 0) }),
    }))
  }
  macro('charged(ast, ast): dyn', ({ value, price }) => {
    if (price > 0) meter.spend(price)
    const read = value()
    meter.spendOnAll(read)
    return read
  })
  macro('iterated(ast, ast): dyn', ({ value, price }) => {
    const list = value()
    meter.spendOnEach(list, price)
    return list
  })
  macro('step(ast): dyn', ({ value }) => {
    meter.spend(0)
    try {
      return value()
    } catch (error) {
      // Some ways to go over a list take an error of one element for no answer, and go on.
      meter.spend(errorCost)
      throw error
    }
  })
  metered.registerFunction(
    'granted(string): bool',
    (scope: string) => environment.scopes?.has(scope) === true,
  )
}

/** What the library hands to macros, as far as it is documented. */
interface Checker {
  check(node: ASTNode | undefined, scope: unknown): unknown
}

interface Evaluator {
  run(node: ASTNode | undefined, scope: unknown): unknown
}

interface Evaluation {
  readonly value: () => unknown
  readonly price: number
}

const limitsOfText = {
  maxAstNodes: 250,
  maxDepth: 24,
  maxListElements: 100,
  maxMapEntries: 20,
  maxCallArguments: 3,
}
// Each word can become one that is handed over in parentheses.
const limitsOfMetered = { ...limitsOfText, maxAstNodes: 2000, maxDepth: 200, maxCallArguments: 4 }
const errorCost = 200
