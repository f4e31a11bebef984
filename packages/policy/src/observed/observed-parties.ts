import type { Observation } from '@countersign/core'
import { parseCallerPattern, requireGrantedScope } from '@countersign/core/adapter'
import { nameFor } from './party-names.ts'
import { isWritable } from './yaml-text.ts'

/** A caller of the document: a service by all its names, or the users of an issuer. */
export interface Party {
  readonly name: string
  readonly is: readonly string[]
  /** By scope and credential. */
  readonly grants: ReadonlyMap<string, Grant>
}

interface Grant {
  readonly scope: string
  readonly via: 'token' | 'certificate' | 'both'
}

export interface ObservedParties {
  /** In the order of their names. */
  readonly all: readonly Party[]
  /** The party that a document can name as the caller of a route; undefined where it cannot. */
  readonly callerOf: (observation: Observation) => Party | undefined
}

/** True where the document is to allow what was observed: it was allowed, or refused only because the route said nothing. */
export const isToAllow = ({ caller, allowed, refused }: Observation): boolean =>
  caller !== null && (allowed > 0 || (refused.route_undeclared ?? 0) > 0)

interface Draft {
  readonly is: Set<string>
  readonly grants: Map<string, Grant>
}

/** Everybody who is to be allowed something, and what they have used. */
export function observedParties(observations: readonly Observation[]): ObservedParties {
  const drafts = new Map<string, Draft>()
  const allowed = observations.filter(isToAllow)
  const services = allowed.map(({ names }) => names.filter(isId))
  for (const names of services) join(names, drafts)
  for (const { users } of allowed) {
    // A wildcard would take in services that the same issuer names by their subjects.
    if (users !== null && isOfUsers(users) && !services.flat().some((name) => within(users, name))) {
      join([users], drafts)
    }
  }
  for (const { names, users, used, via } of allowed) {
    if (via === null) continue
    const grantees = [names.find(isId), users].map((id) =>
      id === undefined || id === null ? id : drafts.get(id),
    )
    for (const scope of used.filter(isGrantable)) {
      for (const draft of grantees) draft?.grants.set(`${scope} ${via}`, { scope, via })
    }
  }
  const taken = new Set<string>()
  const parties = new Map<Draft, Party>()
  for (const [id, draft] of [...drafts].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if (!parties.has(draft)) {
      parties.set(draft, { name: nameFor(id, taken), is: [...draft.is].toSorted(), grants: draft.grants })
    }
  }
  const partyOf = (id: string | null | undefined): Party | undefined => {
    const draft = id === null || id === undefined ? undefined : drafts.get(id)
    return draft && parties.get(draft)
  }
  return {
    all: [...parties.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    callerOf: ({ caller, names, users }) =>
      caller !== null && names.includes(caller) ? partyOf(names.find(isId)) : partyOf(users),
  }
}

/** Names that were seen together are one workload's, and so are those that were seen with one of them. */
function join(names: readonly string[], drafts: Map<string, Draft>): void {
  const known = names.flatMap((name) => drafts.get(name) ?? [])
  const joined: Draft = { is: new Set(names), grants: new Map() }
  for (const name of known.flatMap(({ is }) => Array.from(is))) joined.is.add(name)
  for (const name of joined.is) drafts.set(name, joined)
}

/** Whether a document can name a service by this id, and mean it alone. */
const isId = (id: string): boolean => isWritable(id) && isPattern(id, true)

const isOfUsers = (users: string): boolean =>
  users.endsWith('#sub=*') && isWritable(users) && isPattern(users, false)

const within = (users: string, name: string): boolean => name.startsWith(users.slice(0, -1))

function isPattern(text: string, isExact: boolean): boolean {
  try {
    return parseCallerPattern(text, '').isExact === isExact
  } catch {
    return false
  }
}

/** Whether a grant can name the scope. */
export function isGrantable(scope: string): boolean {
  try {
    return requireGrantedScope(scope, '') === scope && !scope.includes('*')
  } catch {
    return false
  }
}
