import { parseCallerPattern, type CallerPattern } from '@countersign/core/adapter'
import type { DocumentNode, MappingNode } from '../document/document-node.ts'
import type { Fields, Reader } from '../document/reader.ts'

/** One of the names that credentials give a caller, as the canonical id that the guard knows it by. */
export function readCallerName(node: DocumentNode, reader: Reader): CallerPattern | undefined {
  const text =
    node.kind === 'mapping' ? nameOfParts(node, reader) : reader.text(node, `a caller: ${examples}`)
  return text === undefined ? undefined : reader.attempt(node, () => parseCallerPattern(text, ''))
}

/** Each kind of name by its keys, and what they make. */
const kinds = [
  { keys: ['issuer', 'clientId'], id: (issuer: string, client: string) => `${issuer}#client=${client}` },
  { keys: ['issuer', 'subject'], id: (issuer: string, subject: string) => `${issuer}#sub=${subject}` },
  {
    keys: ['authority', 'dnsName'],
    // The guard knows it in lower case.
    id: (authority: string, name: string) => `x509:${authority}#dns=${name.toLowerCase()}`,
  },
] as const

function nameOfParts(node: MappingNode, reader: Reader): string | undefined {
  const keys = ['issuer', 'clientId', 'subject', 'authority', 'dnsName', 'kubernetes'] as const
  const fields = reader.fields(node, keys, examples)
  const written = keys.filter((key) => fields?.[key] !== undefined)
  if (fields === undefined || written.length !== node.entries.length) return undefined
  if (fields.kubernetes !== undefined && written.length === 1) {
    return serviceAccount(fields.kubernetes, reader)
  }
  const kind = kinds.find((each) => written.length === 2 && each.keys.every((key) => written.includes(key)))
  if (kind === undefined) return reader.refuse(node, `expected exactly the keys of one of ${examples}`)
  const [first, second] = kind.keys.map((key) => partOf(fields, key, reader))
  return first === undefined || second === undefined ? undefined : kind.id(first, second)
}

// Of the certificate, where it is a SPIFFE ID as service meshes write it; or of the token that Kubernetes projects.
function serviceAccount(node: DocumentNode, reader: Reader): string | undefined {
  const what =
    '{ namespace: shop, serviceAccount: checkout, trustDomain: prod.example }, or `issuer` in place of the last'
  const keys = ['namespace', 'serviceAccount', 'trustDomain', 'issuer'] as const
  const fields = reader.fields(node, keys, what)
  const written = keys.filter((key) => fields?.[key] !== undefined)
  if (fields === undefined || node.kind !== 'mapping' || written.length !== node.entries.length) {
    return undefined
  }
  const origin = written[2]
  if (written.length !== 3 || origin === undefined || !fields.namespace || !fields.serviceAccount) {
    return reader.expected(node, what)
  }
  const [namespace, name, from] = written.map((key) => partOf(fields, key, reader))
  if (namespace === undefined || name === undefined || from === undefined) return undefined
  return origin === 'trustDomain'
    ? `spiffe://${from}/ns/${namespace}/sa/${name}`
    : `${from}#sub=system:serviceaccount:${namespace}:${name}`
}

// Each part is checked by itself, so that none can run into the next.
function partOf<Key extends keyof typeof parts>(
  fields: Fields<Key>,
  key: Key,
  reader: Reader,
): string | undefined {
  const { what, grammar } = parts[key]
  const node = fields[key]
  const text = node && reader.text(node, what)
  return node === undefined || text === undefined || grammar.test(text) ? text : reader.expected(node, what)
}

const parts = {
  issuer: {
    what: 'the issuer as its tokens name it, such as https://idp.internal',
    grammar: /^https?:\/\/[^#\s]+$/,
  },
  clientId: { what: 'a client id', grammar: /^/ },
  subject: { what: 'a subject', grammar: /^/ },
  authority: { what: 'the name of an authority among the options', grammar: /^[a-z0-9._-]+$/ },
  dnsName: { what: 'a DNS name', grammar: /^(?:\*|[A-Za-z0-9._-]{1,253})$/ },
  trustDomain: { what: 'a trust domain such as prod.example', grammar: /^[a-z0-9._-]{1,255}$/ },
  namespace: { what: 'the name of a namespace', grammar: /^(?:\*|[a-z0-9-]{1,63})$/ },
  serviceAccount: { what: 'the name of a service account', grammar: /^(?:\*|[a-z0-9.-]{1,253})$/ },
} as const

const examples =
  'spiffe://prod.example/ns/shop/sa/checkout, { issuer, clientId }, { issuer, subject }, { authority, dnsName } or { kubernetes }'
