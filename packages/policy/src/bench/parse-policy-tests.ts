import { refusals, type RefusalCode } from '@countersign/core'
import type { Place } from '@countersign/core/adapter'
import { dataOf, type DocumentNode } from '../document/document-node.ts'
import { readTree } from '../document/read-tree.ts'
import { Reader } from '../document/reader.ts'
import { readSpelling } from '../policy/read-routes.ts'
import { readTime } from '../policy/read-until.ts'
import { readTestCaller, type PolicyTestCaller } from './read-test-caller.ts'

export type { PolicyTestCaller }

/** A request, and what a policy has to answer to it. */
export interface PolicyTestCase {
  /** What it is called, by default `checkout: GET /orders/:id`. */
  readonly name: string
  /** Undefined for a request without a credential. */
  readonly caller: PolicyTestCaller | undefined
  /** As the policy document spells it. */
  readonly route: string
  /** What the path has in place of its names. */
  readonly params: Readonly<Record<string, unknown>>
  /** What context providers say. */
  readonly context: Readonly<Record<string, unknown>>
  /** When it is asked, in milliseconds since the epoch; undefined for now. */
  readonly atMs: number | undefined
  readonly expect: 'allow' | 'deny' | RefusalCode
  readonly at: Place
}

/**
 * Reads the test cases of a policy, YAML or JSON: `cases: [{ caller: checkout, route: GET /orders/:id, expect: allow }]`. Throws a
 * `PolicyError` with everything that is wrong; `name` is what its message calls the document.
 */
export function parsePolicyTests(text: string, name: string = documentName): readonly PolicyTestCase[] {
  const reader = new Reader()
  const tree = readTree(text, reader.problems)
  return reader.problems.requireNone(tree && readCases(tree, reader), name)
}

function readCases(tree: DocumentNode, reader: Reader): readonly PolicyTestCase[] | undefined {
  const fields = reader.fields(tree, ['cases'], `\`cases: [${example}]\``)
  if (fields === undefined) return undefined
  if (fields.cases === undefined) return reader.refuse(tree, `say what to test: \`cases: [${example}]\``)
  const items = reader.items(fields.cases, `a list such as [${example}]`)
  // A file that tests nothing would pass.
  if (items?.length === 0) return reader.expected(fields.cases, `a list such as [${example}]`)
  return items && Object.freeze(items.flatMap((item) => readCase(item, reader) ?? []))
}

function readCase(node: DocumentNode, reader: Reader): PolicyTestCase | undefined {
  const fields = reader.fields(node, keys, example)
  if (fields === undefined) return undefined
  for (const key of ['caller', 'route', 'expect'] as const) {
    if (fields[key] === undefined) reader.refuse(node, `\`${key}\` is missing: ${example}`)
  }
  const caller = fields.caller && readTestCaller(fields.caller, reader)
  const route = fields.route && readSpelling(fields.route, reader)
  const expect = fields.expect && readExpected(fields.expect, reader)
  const named = fields.name && reader.text(fields.name, 'what the case is called')
  const params = readData(fields.params, 'names of the path and their values, such as { id: 7 }', reader)
  const context = readData(fields.context, 'names of context providers and what they say', reader)
  const atMs = fields.at && readTime(fields.at, reader)
  if (caller === undefined || route === undefined || expect === undefined) return undefined
  const { known } = caller
  const name = named ?? `${known?.name ?? 'none'}: ${route}`
  return Object.freeze({ name, caller: known, route, params, context, atMs, expect, at: node.at })
}

function readExpected(node: DocumentNode, reader: Reader): PolicyTestCase['expect'] | undefined {
  const text = reader.text(node, 'allow, deny, or the code of a refusal')
  const known = ['allow', 'deny', ...Object.keys(refusals)] as readonly PolicyTestCase['expect'][] // the keys of that very table
  const expected = known.find((each) => each === text)
  if (text === undefined || expected !== undefined) return expected
  return reader.unknown(node, text, 'outcome', known)
}

function readData(
  node: DocumentNode | undefined,
  what: string,
  reader: Reader,
): Readonly<Record<string, unknown>> {
  if (node === undefined || reader.entries(node, what) === undefined) return nothing
  return dataOf(node) as Readonly<Record<string, unknown>> // of a mapping
}

const keys = ['name', 'caller', 'route', 'params', 'context', 'at', 'expect'] as const
const example = '{ caller: checkout, route: GET /orders/:id, expect: allow }'
const nothing: Readonly<Record<string, unknown>> = Object.freeze({})

/** What a file of test cases is called where nobody says so. */
const documentName = 'policy.test.yaml'
