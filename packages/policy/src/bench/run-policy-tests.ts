import { readFileSync } from 'node:fs'
import type { Placement } from '@countersign/core'
import { rehearse, type Policy, type Refusal } from '@countersign/core/adapter'
import { Reader } from '../document/reader.ts'
import { parsePolicy } from '../policy/parse-policy.ts'
import { parsePolicyTests, type PolicyTestCase } from './parse-policy-tests.ts'
import { presentedBy } from './presented-by.ts'

export interface PolicyTestOptions {
  /** The policy document: the path of a file, or the text itself. */
  readonly policy: string
  /** Its test cases: the path of a file, such as `policy.test.yaml`, or the text itself. */
  readonly tests: string
  /** What code says, by the routes' spelling: `{ 'GET /orders/:id': scopes('orders:read') }`. Default: code says nothing. */
  readonly code?: Readonly<Record<string, Placement>>
  /** True to try the `candidate` of the document. */
  readonly candidate?: boolean
  /** The time for cases that name none, in milliseconds since the epoch. Default: now. */
  readonly now?: number
}

/** What came of one test case. */
export interface PolicyTestResult {
  readonly name: string
  /** Where it stands in its file, from 1 on. */
  readonly line: number
  readonly expected: PolicyTestCase['expect']
  /** `allow`, or the code of the refusal. */
  readonly actual: string
  readonly passed: boolean
  /** One line: what came, and of a refusal what it expected and got. */
  readonly message: string
}

/**
 * Tries a policy document out: each case of its test file is decided as a guard would. `expect(failures(runPolicyTests(…))).toEqual([])` in any
 * test runner, or look at `passed`. Throws a `PolicyError` for a document or test file that cannot be used.
 */
export function runPolicyTests(options: PolicyTestOptions): readonly PolicyTestResult[] {
  const { text, name } = documentOf(options.policy, 'countersign.policy.yaml')
  const tests = documentOf(options.tests, 'policy.test.yaml')
  const whole = parsePolicy(text, name)
  const policy = options.candidate === true ? whole.candidate : whole
  if (policy === undefined) throw new TypeError(`${name} has no candidate to be tried`)
  const cases = parsePolicyTests(tests.text, tests.name)
  requireKnownCallers(cases, policy, tests.name)
  return Object.freeze(cases.map((each) => run(each, policy, options)))
}

function run(
  { name, caller, route, params, context, atMs, expect, at }: PolicyTestCase,
  policy: Policy,
  { code, now = Date.now() }: PolicyTestOptions,
): PolicyTestResult {
  const refusal = rehearse(policy, {
    ...presentedBy(caller, policy),
    route,
    code: code?.[route],
    params,
    context,
    atMs: atMs ?? now,
  })
  const actual = refusal?.code ?? 'allow'
  const passed = expect === 'deny' ? refusal !== undefined : expect === actual
  const message = `${passed ? 'passed' : 'FAILED'} ${name}: expected ${expect}, got ${told(refusal)}`
  return Object.freeze({ name, line: at.line, expected: expect, actual, passed, message })
}

function told(refusal: Refusal | undefined): string {
  if (refusal === undefined) return 'allow'
  const { expected, actual } = refusal.detail
  return expected === undefined
    ? refusal.code
    : `${refusal.code} (expected ${expected}, got ${actual ?? 'nothing'})`
}

/** A path, or the text itself, which has more than one line. */
function documentOf(source: string, name: string): { readonly text: string; readonly name: string } {
  return source.includes('\n') ? { text: source, name } : { text: readFileSync(source, 'utf8'), name: source }
}

// A case about somebody whom the policy does not know would always be refused, and pass for that.
function requireKnownCallers(cases: readonly PolicyTestCase[], policy: Policy, name: string): void {
  const reader = new Reader()
  const known = new Set(policy.callers.map((caller) => caller.name))
  for (const { caller, at } of cases) {
    for (const named of [caller?.name, caller?.user]) {
      if (named !== undefined && !known.has(named)) reader.unknown({ at }, named, 'caller', known)
    }
  }
  reader.problems.requireNone(cases, name)
}
