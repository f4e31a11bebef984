import { requireGrantedScope, type PolicyGrant } from '@countersign/core/adapter'
import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { readUntil } from './read-until.ts'

/** What a caller may use: scopes, or scopes with their conditions. */
export function readGrants(node: DocumentNode | undefined, reader: Reader): readonly PolicyGrant[] {
  const items = node && reader.items(node, 'a list of scopes, such as [orders:read]')
  return Object.freeze((items ?? []).flatMap((item) => readGrant(item, reader) ?? []))
}

function readGrant(node: DocumentNode, reader: Reader): PolicyGrant | undefined {
  if (node.kind !== 'mapping') {
    const scope = readScope(node, reader)
    return scope === undefined ? undefined : grantOf({ scope, at: node.at })
  }
  const fields = reader.fields(node, ['scope', 'until', 'via', 'reason'], 'a scope')
  if (fields?.scope === undefined) return reader.refuse(node, 'say which scope: `scope: orders:read`')
  const scope = readScope(fields.scope, reader)
  const until = fields.until && readUntil(fields.until, reader)
  const via = fields.via && reader.word(fields.via, ['token', 'certificate', 'both'])
  const reason = fields.reason && reader.text(fields.reason, 'a reason or the number of a ticket')
  return scope === undefined ? undefined : grantOf({ scope, until, via, reason, at: node.at })
}

const grantOf = (grant: Partial<PolicyGrant> & Pick<PolicyGrant, 'scope' | 'at'>): PolicyGrant =>
  Object.freeze({ until: undefined, via: undefined, reason: undefined, ...grant })

function readScope(node: DocumentNode, reader: Reader): string | undefined {
  const what = 'a scope such as orders:read or orders:*'
  const text = reader.text(node, what)
  return text === undefined ? undefined : reader.attempt(node, () => requireGrantedScope(text, ''))
}
