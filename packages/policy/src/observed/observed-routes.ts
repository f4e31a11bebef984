import { scopes as scopesOf, type Observation } from '@countersign/core'
import { isToAllow, type ObservedParties } from './observed-parties.ts'
import { flowList, isWritable, shown, yamlText } from './yaml-text.ts'

export interface ObservedRoutes {
  readonly written: readonly WrittenRoute[]
  /** The routes that stand in the document. */
  readonly names: ReadonlySet<string>
}

interface WrittenRoute {
  /** What was asked there, for a comment. */
  readonly remark: string
  /** The entry of the document. */
  readonly entry: string
}

/** What each route is to ask: what it asked where a document can say that, else to be one of those who were allowed there. */
export function observedRoutes(
  observations: readonly Observation[],
  parties: ObservedParties,
): ObservedRoutes {
  const written = new Map<string, WrittenRoute>()
  for (const [route, seen] of Map.groupBy(observations, (observation) => observation.route)) {
    const asked = new Set(seen.map(({ requirement }) => requirement))
    const [asks] = asked.size === 1 ? asked : []
    const placement = isSpelling(route) ? placementOf(asks, seen, parties) : undefined
    if (placement !== undefined) {
      written.set(route, { remark: remarkOn(asks), entry: `{ route: ${yamlText(route)}, ${placement} }` })
    }
  }
  return { written: [...written.values()], names: new Set(written.keys()) }
}

const remarkOn = (asks: string | null | undefined): string =>
  asks === undefined
    ? 'Asked one thing and another, so:'
    : asks === null
      ? 'Said nothing. These have called it:'
      : `Asked ${shown(asks)}.`

function placementOf(
  asks: string | null | undefined,
  seen: readonly Observation[],
  parties: ObservedParties,
): string | undefined {
  const [, open, reason] = /^(unprotected|callerOptional)\(([^]*)\)$/.exec(asks ?? '') ?? []
  if (open !== undefined && reason !== undefined) {
    return isWritable(reason) ? `${open}: ${yamlText(reason)}` : undefined
  }
  const callers = [
    ...new Set(seen.filter(isToAllow).flatMap((observation) => parties.callerOf(observation)?.name ?? [])),
  ].toSorted()
  const named = callers.length === 0 ? undefined : `callers: ${flowList(callers)}`
  const said = requirementOf(asks, seen)
  // Whatever else refused somebody there, such as zones, is not said by the requirement.
  const isAll = seen.every(({ caller, refused }) =>
    Object.keys(refused).every((code) => caller === null || code === 'scope_missing'),
  )
  if (said !== undefined && isAll) return `requires: { ${said} }`
  if (named === undefined) return undefined
  return `requires: { ${said === undefined ? '' : `${said}, `}${named} }`
}

/** What a document can ask in the same words. Everything else stays where it was: in code. */
function requirementOf(asks: string | null | undefined, [first]: readonly Observation[]): string | undefined {
  if (asks === 'authenticated()') return 'authenticated: true'
  const scopes = first?.scopes ?? []
  const isSame = scopes.length > 0 && asks === `scopes(${scopes.join(', ')})` && scopes.every(isScope)
  return isSame ? `scopes: ${flowList(scopes)}` : undefined
}

function isScope(name: string): boolean {
  try {
    return scopesOf(name) !== undefined // whatever `Register` says: it was asked
  } catch {
    return false
  }
}

/** As `readSpelling` has it. */
const isSpelling = (route: string): boolean =>
  isWritable(route) && /^(?:[A-Z][A-Z-]{0,31}|\*) \S.*(?<!\s)$/.test(route)
