import type { CallerPattern, Place } from '@countersign/core/adapter'
import type { Reader } from '../document/reader.ts'

/** A name, and the caller that it belongs to. */
export interface OwnedName {
  readonly pattern: CallerPattern
  readonly caller: string
  readonly at: Place
}

/**
 * INVARIANT: no id is two callers. There is no order in which they would count and nothing is added up, so whoever reads a
 * caller's entry has read all that it may do. That holds for a wildcard and a name that it takes in, too.
 */
export function refuseSharedNames(names: readonly OwnedName[], reader: Reader): void {
  const owners = new Map<string, OwnedName>()
  const wildcards = names.filter(({ pattern }) => isWildcard(pattern))
  if (wildcards.length > maxWildcards) {
    // Each is held against every other name.
    reader.refuse(
      names[0] ?? noPlace,
      `expected at most ${maxWildcards} names with \`*\`, got ${wildcards.length}`,
    )
    return
  }
  for (const name of names) {
    const owner = owners.get(name.pattern.text)
    if (owner === undefined) owners.set(name.pattern.text, name)
    else refuse(name, owner, reader)
  }
  for (const wildcard of wildcards) {
    for (const name of names) {
      const isEarlier = isWildcard(name.pattern) && name.pattern.text <= wildcard.pattern.text
      if (isEarlier || name.caller === wildcard.caller) continue
      if (areBothMatched(wildcard.pattern, name.pattern)) refuse(name, wildcard, reader)
    }
  }
}

function refuse(name: OwnedName, owner: OwnedName, reader: Reader): void {
  const { line, column } = owner.at
  const whose = owner.caller === name.caller ? 'this caller already' : `\`${owner.caller}\``
  const how =
    owner.pattern.text === name.pattern.text
      ? 'it is a name'
      : `\`${owner.pattern.text}\` takes it in, a name`
  reader.refuse(name, `an id belongs to one caller: ${how} of ${whose}, in line ${line}, column ${column}`)
}

// `*` stands for a whole segment behind `/`, or for the whole name behind `=`.
function areBothMatched(wildcard: CallerPattern, other: CallerPattern): boolean {
  const [ours, theirs] = [wildcard.text, other.text]
  if (!theirs.startsWith('spiffe://')) return isWildcard(other) ? ours === theirs : wildcard.matches(theirs)
  const [our, their] = [ours.split('/'), theirs.split('/')]
  return (
    our.length === their.length &&
    our.every((segment, i) => segment === '*' || their[i] === '*' || segment === their[i])
  )
}

const isWildcard = ({ isExact }: CallerPattern): boolean => !isExact

const maxWildcards = 500
const noPlace = { at: { path: 'callers', line: 1, column: 1 } }
