import { quoted, type Place } from '@countersign/core/adapter'

/** A value of a document, and where it stands. */
export type DocumentNode = ScalarNode | ListNode | MappingNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly at: Place
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly DocumentNode[]
  readonly at: Place
}

export interface MappingNode {
  readonly kind: 'mapping'
  readonly entries: readonly Entry[]
  readonly at: Place
}

/** A key and what stands behind it. */
export interface Entry {
  readonly key: string
  /** Where the key stands. */
  readonly at: Place
  readonly value: DocumentNode
}

/** The value alone. Mappings have no prototype: `__proto__` and its like are names among others. */
export function dataOf(node: DocumentNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return Object.freeze(node.items.map(dataOf))
  const data: Record<string, unknown> = Object.create(null)
  for (const { key, value } of node.entries) data[key] = dataOf(value)
  return Object.freeze(data)
}

/** What is there, for a message. */
export function describeNode(node: DocumentNode): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list'
  if (node.kind === 'mapping') return node.entries.length === 0 ? 'an empty mapping' : 'a mapping'
  const { value } = node
  if (value === null) return 'nothing'
  if (typeof value === 'number') return `the number ${value}: put it in quotes if it is meant as text`
  return typeof value === 'boolean' ? `${value}` : quoted(value)
}

/** The path of what stands behind a key. */
export const pathOf = (parent: string, key: string): string => {
  if (!/^[\w.-]{1,64}$/.test(key)) return `${parent}[${quoted(key)}]`
  return parent === '' ? key : `${parent}.${key}`
}
