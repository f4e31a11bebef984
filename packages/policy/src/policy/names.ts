import type { DocumentNode, Entry } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'

/** A name that a document gives, to a caller or a zone. */
export const isName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)

/** The entries of a mapping of names. Those that are no names are told and left out. */
export function namedEntries(
  node: DocumentNode,
  kind: string,
  example: string,
  reader: Reader,
): readonly Entry[] {
  const entries = reader.entries(node, `a mapping of ${kind}s, such as ${example}`) ?? []
  return entries.filter((entry) => {
    if (isName(entry.key)) return true
    reader.refuse(
      entry,
      `expected the name of a ${kind}: letters, digits, \`.\`, \`_\` and \`-\`, at most 64 of them`,
    )
    return false
  })
}

/** Names that are declared, such as the keys of a map or the values of a set. */
export interface Named {
  readonly has: (name: string) => boolean
  readonly keys: () => Iterable<string>
}

/** A list of names that are declared elsewhere in the document; undefined where something is wrong with it. */
export function knownNames(
  node: DocumentNode,
  kind: string,
  known: Named,
  reader: Reader,
): readonly string[] | undefined {
  const items = reader.items(node, `a list of ${kind}s`)
  const names = (items ?? []).flatMap((item) => {
    const name = reader.text(item, `the name of a ${kind}`)
    if (name === undefined || known.has(name)) return name ?? []
    return reader.unknown(item, name, kind, known.keys()) ?? []
  })
  return names.length === items?.length ? names : undefined
}

/** The same of a list that may not be empty: what asks for one of none is a mistake. */
export function someKnownNames(
  node: DocumentNode,
  kind: string,
  known: Named,
  reader: Reader,
): readonly [string, ...string[]] | undefined {
  const [first, ...others] = knownNames(node, kind, known, reader) ?? []
  if (first !== undefined) return [first, ...others]
  return node.kind === 'list' && node.items.length === 0
    ? reader.expected(node, `a list of ${kind}s`)
    : undefined
}
