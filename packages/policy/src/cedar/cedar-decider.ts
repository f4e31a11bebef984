import type { AuthorizationAnswer, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Decider, DeciderAnswer, DeciderQuestion } from '@countersign/core'
import { startEngine } from './cedar-engine.ts'
import { mistake } from './cedar-mistake.ts'
import { cedarRecord, entityData, typeAndId, type CedarEntity, type CedarEntityData } from './cedar-value.ts'
import { actionOf, cedarContext, principalOf, resourceOf } from './default-question.ts'

/** How Cedar is asked. */
export interface CedarOptions {
  /** Rules in Cedar's own text. Their `@id("…")` is what refusals name. */
  readonly policies: string
  /**
   * A schema in Cedar's own text: rules are validated against it when this is made, and what is asked when it is. Default: none, so
   * that a misspelt name is found only by the request that meets it.
   */
  readonly schema?: string
  /** Entities in Cedar's JSON, the same for all requests; or those of one request, at once or by a promise. Default: none. */
  readonly entities?: readonly EntityJson[] | EntitiesOf
  /** Default: `Service::"<caller.service.id>"`, or `User::"<caller.id>"` where only a user is known. */
  readonly principal?: (question: DeciderQuestion) => CedarEntity
  /** Default: `Action::"<method>"`, with HEAD as GET unless the route is for HEAD. */
  readonly action?: (question: DeciderQuestion) => CedarEntity
  /** Default: `Route::"GET /orders/:id"`, as the census spells it. */
  readonly resource?: (question: DeciderQuestion) => CedarEntity
  /** Default: `cedarContext`. What stands in its place may spread it. */
  readonly context?: (question: DeciderQuestion) => Readonly<Record<string, unknown>>
  /** What it is called in refusals. Default: `cedar`. */
  readonly name?: string
  /** Milliseconds to wait for `entities`, from 1 to 10,000. Default: 200. */
  readonly timeoutMs?: number
}

type EntitiesOf = (
  question: DeciderQuestion,
) => readonly CedarEntityData[] | Promise<readonly CedarEntityData[]>

/**
 * Cedar as a decider: `createGuard({ deciders: [cedarDecider({ policies })] })`. Everything is parsed and checked here: what is wrong
 * throws a `ConfigurationError` with Cedar's own message and its place.
 *
 * Stricter than Cedar itself, which leaves out a rule that fails, also one that forbids: here an error anywhere is no permit, and
 * the request is refused as `decider_unavailable`.
 */
export function cedarDecider(options: CedarOptions): Decider {
  const { entities = [], name = 'cedar', timeoutMs } = checked(options)
  const {
    principal = principalOf,
    action = actionOf,
    resource = resourceOf,
    context = cedarContext,
  } = options
  const fixed = typeof entities === 'function' ? undefined : entities
  const ask = startEngine({ policies: options.policies, schema: options.schema, entities: fixed })
  const askAbout = (question: DeciderQuestion, known: readonly EntityJson[]): DeciderAnswer =>
    answerOf(
      ask({
        principal: typeAndId(principal(question)),
        action: typeAndId(action(question)),
        resource: typeAndId(resource(question)),
        context: cedarRecord(context(question)),
        entities: [...known],
      }),
    )
  return Object.freeze({
    name,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    decide: (question: DeciderQuestion): DeciderAnswer | Promise<DeciderAnswer> => {
      if (typeof entities !== 'function') return askAbout(question, entities)
      const found = entities(question)
      return found instanceof Promise
        ? found.then((known) => askAbout(question, known.map(entityData)))
        : askAbout(question, found.map(entityData))
    },
  })
}

// INVARIANT: an error is no permit, though Cedar says `allow` when a rule that forbids has failed. Where another forbids, that holds.
function answerOf(answer: AuthorizationAnswer): DeciderAnswer {
  if (answer.type !== 'success') return { effect: 'error', reasons: ['a request that Cedar cannot read'] }
  const { decision, diagnostics } = answer.response
  const { reason, errors } = diagnostics
  if (decision === 'deny' && reason.length > 0) return { effect: 'forbid', reasons: reason }
  if (errors.length > 0) return { effect: 'error', reasons: errors.map(({ policyId }) => policyId) }
  if (decision === 'deny') return { effect: 'forbid', reasons: [] }
  return { effect: decision === 'allow' ? 'permit' : 'error', reasons: reason }
}

function checked(options: CedarOptions): CedarOptions {
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, option)) {
      throw mistake(option, `expected one of the options ${Object.keys(kinds).join(', ')}`)
    }
    const kind = kinds[option as keyof CedarOptions] // as just checked
    // Also where it is undefined: a schema that got lost would check nothing.
    if (!kind.is(value)) throw mistake(option, `expected ${kind.expected}, or nothing at all`)
  }
  if (typeof options.policies === 'string') return options
  throw mistake('policies', "expected the text of rules, such as readFileSync('./orders.cedar', 'utf8')")
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isFunction = (value: unknown): boolean => typeof value === 'function'
const ofQuestion = { expected: 'a function of the question', is: isFunction } as const

const kinds = {
  policies: { expected: 'the text of rules', is: isText },
  schema: {
    expected: "the text of a schema, such as readFileSync('./orders.cedarschema', 'utf8')",
    is: isText,
  },
  entities: {
    expected: 'a list of entities, or a function of the question',
    is: (value: unknown) => Array.isArray(value) || isFunction(value),
  },
  principal: ofQuestion,
  action: ofQuestion,
  resource: ofQuestion,
  context: ofQuestion,
  name: { expected: 'a name', is: isText },
  timeoutMs: { expected: 'a number', is: (value: unknown) => typeof value === 'number' },
} as const satisfies Record<keyof CedarOptions, unknown>
