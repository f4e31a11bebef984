// The reference of the policy document against the schema, and against what conditions can read and call.
import { parsePolicy, parsePolicyTests, runPolicyTests } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { functions, methods } from '../../packages/policy/src/condition/functions.ts'
import { variables } from '../../packages/policy/src/condition/variables.ts'
import { codeBlocksOf, read, tableRowsBelow } from './documents.ts'

interface Schema {
  readonly title?: string
  readonly description?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
}

const schema: Schema & { readonly $defs: Readonly<Record<string, Schema>> } = JSON.parse(
  read('packages/policy/schema.json'),
)
const page = read('docs/policy-reference.md')

const parts = Object.values(schema.$defs)
const all = [schema, ...parts, ...parts.flatMap(({ anyOf = [] }) => anyOf)]
const objects = all.filter(({ properties }) => properties !== undefined)

const descriptionOf = ({ description, $ref }: Schema): string | undefined =>
  description ?? schema.$defs[$ref?.split('/').at(-1) ?? '']?.description

describe('the reference', () => {
  test('has every object of the schema, by its title', () => {
    expect(objects.filter(({ title }) => title === undefined)).toEqual([])
    expect(objects.length).toBeGreaterThan(9)
  })

  test.each(objects.map((part) => [part.title ?? '', part] as const))(
    'has the keys of: %s',
    (title, part) => {
      const expected = Object.entries(part.properties ?? {}).map(([key, value]) => [
        `\`${key}\``,
        part.required?.includes(key) === true ? 'yes' : '',
        descriptionOf(value),
      ])
      expect(tableRowsBelow(page, `## ${title}`)).toEqual(expected)
    },
  )

  test('has everything that a condition reads', () => {
    const fields = Object.entries(variables).flatMap(([root, of]) =>
      Object.keys(of).map((name) => `\`${root}.${name}\``),
    )
    const rows = tableRowsBelow(page, '## What a condition reads')
    expect(rows.map(([name]) => name)).toEqual([...fields, '`context.<name>`', '`time`'])
  })

  test('has everything that a condition calls', () => {
    const [own = [], behind = []] = tableRowsBelow(page, '## What a condition calls')
    const named = (row: readonly string[]) => [...(row[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)
    expect(named(own)).toEqual(functions)
    expect(named(behind)).toEqual(methods)
  })
})

describe('the documents shown', () => {
  const shown = ['docs/policy.md', 'docs/least-privilege.md', 'packages/policy/README.md'].flatMap(
    codeBlocksOf,
  )
  const labelled = (label: string) => shown.filter((block) => block.label === label)

  test.each(labelled('yaml').map(({ document, line, code }) => [`${document}:${line}`, code] as const))(
    'in %s are policies',
    (place, code) => {
      expect(() => parsePolicy(code, place)).not.toThrow()
    },
  )

  test.each(
    labelled('yaml policy-tests').map(({ document, line, code }) => [`${document}:${line}`, code] as const),
  )('in %s are test cases', (place, code) => {
    expect(() => parsePolicyTests(code, place)).not.toThrow()
  })

  test('in the guide come out as their cases say', () => {
    const guide = shown.filter(({ document }) => document === 'docs/least-privilege.md')
    const tests = guide.find(({ label }) => label === 'yaml policy-tests')?.code ?? ''
    const policies = guide.filter(({ label, code }) => label === 'yaml' && code.includes('service: orders'))
    // What is made of the record, and what a person makes of that.
    expect(policies).toHaveLength(2)
    const now = Date.UTC(2027, 0, 1)
    const results = policies.flatMap(({ code }) => runPolicyTests({ policy: code, tests, now }))
    expect(results.length).toBeGreaterThan(3)
    expect(results.filter(({ passed }) => !passed)).toEqual([])
  })

  test('are several', () => {
    expect(labelled('yaml').length).toBeGreaterThan(3)
    expect(labelled('yaml policy-tests').length).toBeGreaterThan(1)
  })
})
