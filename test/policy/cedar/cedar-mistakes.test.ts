// What is wrong with rules, schema and entities is told when they are given, in Cedar's words and with the place.
import { cedarDecider, entity, type CedarOptions } from '@countersign/policy/cedar'
import { describe, expect, test } from 'vitest'
import { mistakeOf } from '../../core/support/mistake.ts'
import { openCedarHouse } from './support/cedar-house.ts'

const everybody = 'permit(principal, action, resource);'
const schema = `
entity Service;
entity Route;
action GET appliesTo {
  principal: Service,
  resource: Route,
  context: { scopes: Set<String>, zones: Set<String>, provenBy: Set<String>, params: { id?: String } },
};
`
const made = (options: object) => mistakeOf(() => cedarDecider(options as CedarOptions)) // some are none

test.each<[string, object, string, string]>([
  [
    'rules that cannot be read',
    { policies: `// é€😀\n${everybody}\npermit(principal, action, resourc);` },
    'policies',
    '3:27 failed to parse policies from string: found an invalid variable in the policy scope: resourc; policy scopes must',
  ],
  [
    'a template',
    { policies: 'permit(principal == ?principal, action, resource);' },
    'policies',
    'static policy set includes a template',
  ],
  ['no rules', { policies: ' // none\n' }, 'policies', 'expected rules, got none'],
  [
    'two rules of one id',
    { policies: `@id("a") ${everybody} @id("a") ${everybody}` },
    'policies',
    'two rules have the id "a"',
  ],
  [
    'a rule with the id of an unnamed one',
    { policies: `${everybody} @id("policy0") ${everybody}` },
    'policies',
    'two rules have the id',
  ],
  ['no text', { policies: [everybody] }, 'policies', 'expected the text of rules'],
  ['nothing', {}, 'policies', 'expected the text of rules'],
  [
    'a schema that cannot be read',
    { policies: everybody, schema: 'entity A;\nentity' },
    'schema',
    '2:7 failed to parse schema',
  ],
  ['a schema that got lost', { policies: everybody, schema: undefined }, 'schema', 'or nothing at all'],
  ['a schema in JSON', { policies: everybody, schema: {} }, 'schema', 'the text of a schema'],
  [
    'a rule that does not fit the schema',
    { policies: `${everybody}\nforbid(principal, action, resource) when { context.suspended };`, schema },
    'policies',
    '2:44 for policy `policy1`, attribute `suspended` in context for Action::"GET" not found',
  ],
  [
    'what may not be there',
    { policies: `permit(principal, action, resource) when { context.params.id == "7" };`, schema },
    'policies',
    'unable to guarantee safety of access to optional attribute `params.id`',
  ],
  [
    'a rule that can never apply',
    { policies: `${everybody}\nforbid(principal == Route::"a", action, resource);`, schema },
    'policies',
    '2:1 for policy `policy1`, unable to find an applicable action',
  ],
  [
    'a rule that reads otherwise than it is',
    {
      policies: 'permit(principal, action, resource) unless { context.scopes.contains("a\u202eb") };',
      schema,
    },
    'policies',
    'contains BIDI control characters',
  ],
  [
    'entities that cannot be read',
    {
      policies: everybody,
      entities: [{ uid: { type: 'Service', id: 'a' }, attrs: { a: null }, parents: [] }],
    },
    'entities',
    'null',
  ],
  [
    'entities that do not fit the schema',
    {
      policies: everybody,
      schema,
      entities: [{ uid: { type: 'Service', id: 'a' }, attrs: { tier: 1 }, parents: [] }],
    },
    'entities',
    'tier',
  ],
  [
    'entities that are no list',
    { policies: everybody, entities: {} },
    'entities',
    'expected a list of entities',
  ],
  [
    'a principal that is no function',
    { policies: everybody, principal: 'Service' },
    'principal',
    'expected a function of the question',
  ],
  [
    'an action that is undefined',
    { policies: everybody, action: undefined },
    'action',
    'expected a function of the question',
  ],
  [
    'a name that does not exist',
    { policies: everybody, resources: [] },
    'resources',
    'expected one of the options policies, schema',
  ],
  [
    'a name that objects inherit',
    { policies: everybody, constructor: 1 },
    'constructor',
    'expected one of the options',
  ],
])('%s', (_, options, option, problem) => {
  const mistake = made(options)
  expect(mistake).toMatchObject({ code: 'configuration_invalid', option: `cedarDecider.${option}` })
  expect(mistake).toMatchObject({ problem: expect.stringContaining(problem) })
})

test('many at once are told, up to twenty', () => {
  const wrong = Array.from(
    { length: 25 },
    (_, i) => `permit(principal, action, resource) when { context.a${i} };`,
  )
  const { problem } = made({ policies: wrong.join('\n'), schema }) as { problem: string }
  const lines = problem.split('\n')
  expect(lines).toHaveLength(21)
  expect(lines.at(-1)).toBe('and 5 more')
})

test('what failed to be made takes no place of what serves', async () => {
  const { ask } = openCedarHouse(everybody)
  made({ policies: 'permit' })
  made({ policies: 'forbid(principal, action, resource);', schema: 'x' })
  expect(await ask()).toBe('allow')
})

describe('with a schema', () => {
  test('what fits it is asked', async () => {
    const { ask } = openCedarHouse(everybody, { schema })
    expect(await ask()).toBe('allow')
    expect(await ask({ params: { id: '7' } })).toBe('allow')
  })

  test('what does not is an error, and not told: it holds what the caller sent', async () => {
    const { ask, why } = openCedarHouse(everybody, { schema })
    expect(await ask({ params: { order: 'secret' } })).toBe('decider_unavailable')
    expect(await why({ params: { order: 'secret' } })).toBe('an error in "a request that Cedar cannot read"')
    const changed = openCedarHouse(everybody, { schema, context: () => ({ scopes: 'orders:read' }) })
    expect(await changed.ask()).toBe('decider_unavailable')
  })

  test('nobody of another kind is asked about', async () => {
    const principal = () => entity('Robot', 'a')
    expect(await openCedarHouse(everybody, { principal }).ask()).toBe('allow')
    expect(await openCedarHouse(everybody, { principal, schema }).ask()).toBe('decider_unavailable')
  })

  test('entities of the request have to fit it, too', async () => {
    const { ask } = openCedarHouse(everybody, { schema, entities: () => [] })
    expect(await ask()).toBe('allow')
    const strange = { uid: entity('Service', 'a'), attrs: { tier: 1 } }
    const unfit = openCedarHouse(everybody, { schema, entities: () => [strange] })
    expect(await unfit.ask()).toBe('decider_unavailable')
  })
})
