import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { knownNames, namedEntries, type Named } from './names.ts'

export type NameSets = ReadonlyMap<string, ReadonlySet<string>>

/** Which callers are in which zone. The service itself can be in one without being a caller. */
export function readZones(
  node: DocumentNode | undefined,
  service: string | undefined,
  callers: Named,
  reader: Reader,
): NameSets {
  const members = new Set(callers.keys())
  if (service !== undefined) members.add(service)
  return readSets(node, 'caller', members, '`shop: [checkout, orders]`', reader)
}

/** Which zones may call which. It limits who calls this service, so it has to be known where that is. */
export function readCalls(
  node: DocumentNode | undefined,
  service: string | undefined,
  zones: NameSets,
  reader: Reader,
): NameSets | undefined {
  if (node === undefined) return undefined
  const isInZone = service !== undefined && [...zones.values()].some((members) => members.has(service))
  if (!isInZone) {
    reader.refuse(
      node,
      "it says who may call this service's zone: write `service`, and name it in one of the `zones`",
    )
  }
  const calls = readSets(node, 'zone', zones, '`back-office: [shop]`', reader)
  for (const entry of node.kind === 'mapping' ? node.entries : []) {
    if (!zones.has(entry.key)) reader.unknown(entry, entry.key, 'zone', zones.keys())
  }
  return calls
}

function readSets(
  node: DocumentNode | undefined,
  kind: string,
  known: Named,
  example: string,
  reader: Reader,
): NameSets {
  const entries = node === undefined ? [] : namedEntries(node, 'zone', example, reader)
  return new Map(
    entries.map(({ key, value }) => [key, new Set(knownNames(value, kind, known, reader) ?? [])]),
  )
}
