import { allOf, claim, type ClaimValue, type Requirement } from '@countersign/core'
import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'

/**
 * Claims and what they must be: a value, or a list of which one will do. A mapping goes on to a claim within the claim:
 * `{ realm_access: { roles: clerk } }`.
 */
export function readClaims(
  node: DocumentNode,
  path: readonly string[],
  reader: Reader,
): Requirement | undefined {
  if (node.kind !== 'mapping' && path.length > 0) return readClaim(node, path, reader)
  const what = 'claims and their values, such as { tenant: acme }'
  const entries = reader.entries(node, what)
  if (entries?.length === 0) return reader.expected(node, what)
  const parts = (entries ?? []).flatMap(({ key, value }) => readClaims(value, [...path, key], reader) ?? [])
  const [first, ...others] = parts
  if (first === undefined || parts.length !== entries?.length) return undefined
  return others.length === 0 ? first : allOf(first, ...others)
}

function readClaim(
  node: DocumentNode,
  [name, ...names]: readonly string[],
  reader: Reader,
): Requirement | undefined {
  const items = node.kind === 'list' ? node.items : [node]
  const values = items.flatMap((item) => readValue(item, reader) ?? [])
  const [value, ...others] = values
  if (items.length === 0) return reader.expected(node, 'a value, or a list of which one will do')
  if (name === undefined || value === undefined || values.length !== items.length) return undefined
  return reader.attempt(node, () => claim([name, ...names], value, ...others))
}

function readValue(node: DocumentNode, reader: Reader): ClaimValue | undefined {
  const isValue = node.kind === 'scalar' && node.value !== null
  return isValue ? node.value : reader.expected(node, 'text, a number, true or false')
}
