import type { CallerPattern, PolicyCaller } from '@countersign/core/adapter'
import type { DocumentNode, Entry } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { namedEntries } from './names.ts'
import { readCallerName } from './read-caller-name.ts'
import { readGrants } from './read-grants.ts'
import { readMode } from './read-mode.ts'
import { refuseSharedNames, type OwnedName } from './shared-names.ts'

/** Who may call, by the names that the document gives them. One whose entry is wrong is there all the same, without names. */
export function readCallers(
  node: DocumentNode | undefined,
  reader: Reader,
): ReadonlyMap<string, PolicyCaller> {
  const owned: OwnedName[] = []
  const entries = node && namedEntries(node, 'caller', example, reader)
  const callers = (entries ?? []).map((entry) => readCaller(entry, owned, reader))
  refuseSharedNames(owned, reader)
  return new Map(callers.map((caller) => [caller.name, caller]))
}

function readCaller({ key, at, value }: Entry, owned: OwnedName[], reader: Reader): PolicyCaller {
  const fields = reader.fields(value, ['is', 'grants', 'mode'], `who it is, such as ${example}`)
  const items =
    fields?.is && reader.items(fields.is, 'a list of names, such as [spiffe://prod.example/checkout]')
  if (fields && (fields.is === undefined || items?.length === 0)) {
    reader.refuse({ at }, 'say who it is: `is: [spiffe://prod.example/ns/shop/sa/checkout]`')
  }
  const names: CallerPattern[] = []
  for (const item of items ?? []) {
    const pattern = readCallerName(item, reader)
    if (pattern === undefined) continue
    names.push(pattern)
    owned.push({ pattern, caller: key, at: item.at })
  }
  return Object.freeze({
    name: key,
    is: Object.freeze(names),
    grants: readGrants(fields?.grants, reader),
    mode: readMode(fields?.mode, reader),
    at,
  })
}

const example = '`checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout] }`'
