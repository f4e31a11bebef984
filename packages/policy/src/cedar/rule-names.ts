import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { quoted } from '@countersign/core/adapter'
import { mistake, refuseErrors } from './cedar-mistake.ts'

/** Rules by the names that decisions give as their reasons: `@id("…")`, or `policy0`, `policy1`… as Cedar counts those without. */
export function nameRules(policies: string): Record<string, string> {
  const answer = policySetTextToParts(policies)
  if (answer.type !== 'success') return refuseErrors('policies', answer.errors, policies)
  if (answer.policies.length === 0) throw mistake('policies', 'expected rules, got none: nobody could call')
  // Cedar sorts the parts by their ids as text: `policy10` comes before `policy2`.
  const counted = answer.policies.map((_, i) => `policy${i}`).toSorted()
  const named = new Map<string, string>()
  for (const [i, policy] of answer.policies.entries()) {
    const name = idOf(policy) ?? counted[i] ?? ''
    if (named.has(name)) throw mistake('policies', `two rules have the id ${quoted(name)}: give each its own`)
    named.set(name, policy)
  }
  return Object.fromEntries(named)
}

function idOf(policy: string): string | undefined {
  const parsed = policyToJson(policy)
  if (parsed.type !== 'success') return refuseErrors('policies', parsed.errors)
  const id = parsed.json.annotations?.['id']
  return id === '' ? undefined : id
}
