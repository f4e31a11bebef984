import { dataOf, type DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { isName } from '../policy/names.ts'

/** Who calls in a test case, by the names that the policy document gives. */
export interface PolicyTestCaller {
  readonly name: string
  /** What it presents; undefined for whatever its names in the document stand for. */
  readonly via: 'token' | 'certificate' | 'both' | undefined
  /** What its token says; undefined for everything that policy grants it. */
  readonly scopes: readonly string[] | undefined
  /** The caller of the document on whose behalf it calls. */
  readonly user: string | undefined
  /** Further claims of its token. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** A caller's name, `none`, or a caller with what it presents. `known` is undefined for none. */
export function readTestCaller(
  node: DocumentNode,
  reader: Reader,
): { readonly known: PolicyTestCaller | undefined } | undefined {
  if (node.kind === 'scalar' && node.value === 'none') return { known: undefined }
  if (node.kind !== 'mapping') {
    const name = readName(node, reader)
    return name === undefined ? undefined : { known: callerOf({ name }) }
  }
  const fields = reader.fields(node, ['name', 'via', 'scopes', 'user', 'claims'], 'a caller')
  if (fields?.name === undefined) return reader.refuse(node, 'say who: `{ name: checkout }`')
  const name = readName(fields.name, reader)
  const via = fields.via && reader.word(fields.via, ['token', 'certificate', 'both'])
  const user = fields.user && readName(fields.user, reader)
  const items = fields.scopes && reader.items(fields.scopes, 'a list of scopes, such as [orders:read]')
  const scopes = items?.flatMap((item) => reader.text(item, 'a scope') ?? [])
  const hasClaims = fields.claims && reader.entries(fields.claims, 'claims and their values') !== undefined
  const claims = hasClaims ? (dataOf(fields.claims) as PolicyTestCaller['claims']) : nothing // of a mapping
  return name === undefined ? undefined : { known: callerOf({ name, via, user, scopes, claims }) }
}

function readName(node: DocumentNode, reader: Reader): string | undefined {
  const what = 'the name of a caller of the policy document, or none'
  const name = reader.text(node, what)
  return name === undefined || isName(name) ? name : reader.expected(node, what)
}

const callerOf = (caller: Partial<PolicyTestCaller> & Pick<PolicyTestCaller, 'name'>): PolicyTestCaller =>
  Object.freeze({ via: undefined, scopes: undefined, user: undefined, claims: nothing, ...caller })

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})
