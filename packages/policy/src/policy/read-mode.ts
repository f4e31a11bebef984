import type { Mode } from '@countersign/core/adapter'
import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { readUntil } from './read-until.ts'

/** `enforce`, or `{ observe: { until: 2027-01-31 } }`: nobody observes for ever. */
export function readMode(node: DocumentNode | undefined, reader: Reader): Mode | undefined {
  if (node === undefined) return undefined
  if (node.kind === 'scalar' && node.value === 'enforce') return 'enforce'
  const what = '`enforce`, or `{ observe: { until: 2027-01-31 } }`'
  const { observe } = reader.fields(node, ['observe'], what) ?? {}
  if (observe === undefined) return node.kind === 'mapping' ? reader.expected(node, what) : undefined
  const { until } = reader.fields(observe, ['until'], 'the end of it, such as `{ until: 2027-01-31 }`') ?? {}
  if (until === undefined) {
    return observe.kind === 'mapping'
      ? reader.refuse(observe, 'say when it ends: `until: 2027-01-31`')
      : undefined
  }
  const end = readUntil(until, reader)
  return end === undefined ? undefined : Object.freeze({ observe: Object.freeze({ until: end }) })
}
