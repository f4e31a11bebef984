import {
  checkParseEntities,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  validate,
  type AuthorizationAnswer,
  type CheckParseAnswer,
  type EntityJson,
  type StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs'
import { refuseErrors } from './cedar-mistake.ts'
import { nameRules } from './rule-names.ts'

/** What Cedar is made ready with. */
export interface EngineOptions {
  readonly policies: string
  readonly schema: string | undefined
  /** Those of every request; undefined where each has its own. */
  readonly entities: readonly EntityJson[] | undefined
}

export type EngineQuestion = Pick<
  StatefulAuthorizationCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>

/** Asks Cedar, with rules that were parsed once. */
export type Engine = (question: EngineQuestion) => AuthorizationAnswer

/** Parses and checks everything there is. Throws a ConfigurationError with what Cedar says, and where. */
export function startEngine({ policies, schema, entities }: EngineOptions): Engine {
  const slot = new Slot()
  if (schema !== undefined) requireSuccess('schema', preparseSchema(slot.id, schema), schema)
  // First the text as it was written, for the places in it.
  requireSuccess('policies', preparsePolicySet(slot.id, { staticPolicies: policies }), policies)
  if (schema !== undefined) requireValid(policies, schema)
  requireSuccess('policies', preparsePolicySet(slot.id, { staticPolicies: nameRules(policies) }), policies)
  if (entities !== undefined) {
    const known = { entities: [...entities], schema: schema ?? null }
    requireSuccess('entities', checkParseEntities(known))
  }
  const bySchema = schema === undefined ? {} : { preparsedSchemaName: slot.id, validateRequest: true }
  return (question) => statefulIsAuthorized({ ...question, ...bySchema, preparsedPolicySetId: slot.id })
}

function requireSuccess(option: string, answer: CheckParseAnswer, text?: string): void {
  if (answer.type !== 'success') refuseErrors(option, answer.errors, text)
}

// What Cedar only warns of is a mistake, too: a rule that can never apply, or one that reads otherwise than it is.
function requireValid(policies: string, schema: string): void {
  const answer = validate({
    schema,
    policies: { staticPolicies: policies },
    validationSettings: { mode: 'strict' },
  })
  if (answer.type !== 'success') refuseErrors('policies', answer.errors, policies)
  const { validationErrors, validationWarnings, otherWarnings } = answer
  const told = [...validationErrors, ...validationWarnings].map(({ error }) => error)
  const errors = [...told, ...otherWarnings]
  if (errors.length > 0) refuseErrors('policies', errors, policies)
}

/**
 * A place among what Cedar has parsed, which it keeps for each thread and never forgets: whoever has gone leaves it to the next.
 * INVARIANT: an engine holds its slot, so that no other can come into it while that one can be asked.
 */
class Slot {
  static readonly #free: string[] = []
  static readonly #left = new FinalizationRegistry<string>((id) => void Slot.#free.push(id))
  readonly id = Slot.#free.pop() ?? `countersign:${crypto.randomUUID()}`

  constructor() {
    Slot.#left.register(this, this.id)
  }
}
