import { Refusal, quoted } from '../../refusal.ts'
import { isRecord } from '../jws/json-object.ts'
import type { ClaimPath } from '../trust/trusted-issuer.ts'

/** The claim at a path of own members; undefined where there is none. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: ClaimPath): unknown {
  let value: unknown = claims
  for (const name of path) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/**
 * The scopes in these claims, together. Text holds scopes separated by single spaces (RFC 6749 §3.3). An array holds
 * names, as roles and permissions do; one that is no scope token is passed over, since no requirement can name it.
 */
export function readScopes(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly ClaimPath[],
): readonly string[] | Refusal {
  const scopes = new Set<string>()
  for (const path of paths) {
    const value = claimAt(claims, path)
    // By its name, an OAuth claim is text alone.
    const isText = path.length === 1 && path[0] === 'scope'
    const found = isText ? parseText(value) : (parseArray(value) ?? parseText(value))
    if (found === undefined) return malformed(path.join('.'), value)
    for (const scope of found) scopes.add(scope)
  }
  if (scopes.size <= maxScopes) return Object.freeze([...scopes])
  return new Refusal('claim_malformed', { expected: `at most ${maxScopes} scopes`, actual: `${scopes.size}` })
}

function parseText(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === '') return []
  if (typeof value !== 'string' || !scopeList.test(value)) return undefined
  return value.split(' ')
}

const parseArray = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((name): name is string => typeof name === 'string')
    ? value.filter((name) => scopeToken.test(name))
    : undefined

const malformed = (name: string, value: unknown): Refusal =>
  new Refusal('claim_malformed', {
    expected: `\`${name}\`: scope tokens separated by single spaces`,
    actual: typeof value === 'string' ? 'other text' : quoted(value),
  })

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const scopeList = /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/
const maxScopes = 4096
