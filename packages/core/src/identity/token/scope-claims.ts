import { Recurring } from '../../cache/recurring.ts'
import { Refusal, quoted } from '../../refusal.ts'
import type { ScopeSet } from '../caller.ts'
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

/** The scopes of a token, each once. Tokens that carry the same scopes share one. */
export class ScopeList {
  readonly names: readonly string[]
  /** The set of all of them, from whoever made it first: for all tokens that share this. */
  asSet: ScopeSet | undefined = undefined

  constructor(names: Iterable<string>) {
    this.names = Object.freeze([...new Set(names)])
  }
}

/**
 * The scopes in these claims, together. Text holds scopes separated by single spaces (RFC 6749 §3.3). An array holds
 * names, as roles and permissions do; one that is no scope token is passed over, since no requirement can name it.
 */
export function readScopes(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly ClaimPath[],
): ScopeList | Refusal {
  let list = noScopes
  for (const path of paths) {
    const value = claimAt(claims, path)
    if (value === undefined || value === '') continue
    // By its name, an OAuth claim is text alone.
    const isText = typeof value === 'string' || (path.length === 1 && path[0] === 'scope')
    const found = isText ? parseText(value) : parseArray(value)
    if (found === undefined) return malformed(path.join('.'), value)
    list = list === noScopes ? found : new ScopeList([...list.names, ...found.names])
  }
  const { length } = list.names
  if (length <= maxScopes) return list
  return new Refusal('claim_malformed', { expected: `at most ${maxScopes} scopes`, actual: `${length}` })
}

const parseText = (value: unknown): ScopeList | undefined =>
  typeof value === 'string' ? lists.of(value, listOf) : undefined

const parseArray = (value: unknown): ScopeList | undefined =>
  Array.isArray(value) && value.every((name): name is string => typeof name === 'string')
    ? new ScopeList(value.filter((name) => scopeToken.test(name)))
    : undefined

const malformed = (name: string, value: unknown): Refusal =>
  new Refusal('claim_malformed', {
    expected: `\`${name}\`: scope tokens separated by single spaces`,
    actual: typeof value === 'string' ? 'other text' : quoted(value),
  })

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const scopeList = /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/
const maxScopes = 4096

const noScopes = new ScopeList([])
const lists = new Recurring<ScopeList | undefined>()
const listOf = (text: string): ScopeList | undefined =>
  scopeList.test(text) ? new ScopeList(text.split(' ')) : undefined
