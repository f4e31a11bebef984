import type { CensusEntry } from '@countersign/core'
import { censusEntry, type Guard, type ListRoutes, withFloor } from '@countersign/core/adapter'
import { covers } from './covers.ts'
import { everyMethod, type Application } from './framework.ts'
import { asksOfAllBehind, isRequirement, type Part, partsOf } from './parts.ts'

/** Lists the routes of an application for its guard, anew only where routes were added or policy was replaced. */
export function routeCensus(app: Application, guard: Guard): ListRoutes {
  let size = -1
  let policy: object | undefined
  let entries: readonly CensusEntry[] = []
  return () => {
    if (app.routes.length !== size || guard.policyInForce !== policy) entries = takeCensus(app, guard)
    size = app.routes.length
    policy = guard.policyInForce
    return entries
  }
}

/** Every route of an application but those behind other guards, and what is asked there. */
function takeCensus(app: Application, guard: Guard): readonly CensusEntry[] {
  const parts = partsOf(app.routes)
  return parts.flatMap((part, i) => {
    if (!part.isRoute) return []
    const way = parts.slice(0, i).filter((earlier) => isOnTheWay(earlier, part))
    const standing = part.ownGuard ?? way.find((earlier) => earlier.guard !== undefined)?.guard
    return standing !== undefined && standing !== guard ? [] : [entryOf(part, way, standing)]
  })
}

/** True if whoever comes to a part has come by the earlier one, for certain. */
export const isOnTheWay = (earlier: Part, part: Part): boolean =>
  [everyMethod, part.method].includes(earlier.method) && covers(earlier.path, part.path)

function entryOf(part: Part, way: readonly Part[], guard: Guard | undefined): CensusEntry {
  const floors = way.filter(asksOfAllBehind)
  const floor = floors
    .map(({ placement }) => placement)
    .filter(isRequirement)
    .reduce((joined, each) => withFloor(joined, each), undefined as Parameters<typeof withFloor>[0]) // none yet
  return censusEntry(
    {
      method: part.method === everyMethod ? '*' : part.method,
      path: part.path,
      own: part.placement,
      floor,
      cover: floor,
      isMisplaced: part.isMisplaced,
      declaredAt:
        part.declaredAt ?? floors.findLast(({ declaredAt }) => declaredAt !== null)?.declaredAt ?? null,
    },
    guard,
  )
}
